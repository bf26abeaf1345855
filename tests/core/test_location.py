from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from detour import URL
from detour.core.location import one_leading_slash, resolve
from detour.core.url import normalize

DATA = Path(os.environ.get("DETOUR_DATA", Path(__file__).parents[3] / "shared" / "data")) / "url-resolution"


@pytest.mark.parametrize(
    ("path", "collapsed"),
    [
        ("/a", "/a"),
        ("/", "/"),
        ("//a", "/a"),
        ("/\\a", "/a"),
        ("/\t/a", "/a"),
        ("/\r\n\\/a//b", "/a//b"),
        ("/a//b", "/a//b"),
    ],
)
def test_leading_slashes_of_every_spelling_are_one(path: str, collapsed: str) -> None:
    assert one_leading_slash(path) == collapsed


def test_a_location_inherits_the_fragment() -> None:
    assert str(resolve("/b", URL.parse("http://h/a#f"))) == "http://h/b#f"
    assert str(resolve("/b#", URL.parse("http://h/a#f"))) == "http://h/b#"


def test_octets_that_are_not_utf8_are_latin1() -> None:
    assert str(resolve(b"/\xe9", URL.parse("http://h/"))) == "http://h/%C3%A9"
    assert str(resolve("/é".encode(), URL.parse("http://h/"))) == "http://h/%C3%A9"


@pytest.mark.parametrize(
    "location", ["ftp://h/", "javascript:alert(1)", "http://", "https://a b/", "file:///etc"]
)
def test_what_is_no_http_url_resolves_to_nothing(location: str) -> None:
    assert resolve(location, URL.parse("http://h/")) is None


@pytest.mark.skipif(not DATA.is_dir(), reason="no url-resolution data: set DETOUR_DATA")
def test_the_whatwg_cases_with_an_http_base_resolve_as_written() -> None:
    cases = [
        c for c in json.loads((DATA / "location_subset_http_base.json").read_text()) if isinstance(c, dict)
    ]
    tried = 0
    for case in cases:
        base = URL.parse(case["base"])
        if base.fragment is not None:
            continue  # a Location inherits it, a URL does not
        url = resolve(case["input"], base)
        expected = case.get("href")
        if case.get("failure") or not (expected or "").startswith(("http:", "https:")):
            assert url is None, case
        else:
            assert str(url) == expected, case
        tried += 1
    assert tried > 100


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("%41%2d%7e", "A-~"),
        ("%c3%a9", "%C3%A9"),
        ("%2f%3F", "%2F%3F"),
        ("%", "%"),
        ("%4", "%4"),
        ("%2541", "%2541"),
    ],
)
def test_normalizing_decodes_unreserved_octets_once(written: str, normal: str) -> None:
    assert normalize(written) == normal
    assert normalize(normal) == normal
