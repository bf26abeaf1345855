"""What the `_redirects` dialects share: text as pattern, text as template."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.message import Request
from detour.core.pattern import Pattern
from detour.core.url import URL
from detour.errors import URLError
from detour.formats.redirects_file import (
    Captures,
    lines,
    literal,
    names_as_text,
    path_pattern,
    template,
    without_comment,
)

GROUPS = {"x": "x", "xx": "b", "0x": "_0x", "splat": "0"}
PIECES = st.sampled_from(["x", "X", "0", "1", "-", "xx0xx", "/", "{", "}", ":x", ":xx", ":0x", ":splat", ":"])


@given(st.lists(PIECES, max_size=12))
def test_a_template_holds_the_text_with_each_name_replaced(pieces: list[str]) -> None:
    to = "/a" + "".join(pieces)
    wanted = str(URL.parse("http://h.example" + re.sub(":(xx|x|0x|splat)", r"<\1>", to)).reference)
    wanted = wanted.replace("{", "{{").replace("}", "}}")
    wanted = re.sub("%3C(xx|x|0x|splat)%3E", lambda found: f"{{{GROUPS[found[1]]}}}", wanted)
    assert template(to, GROUPS, names_as_text(GROUPS)) == wanted


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20))
def test_a_literal_matches_its_own_text(text: str) -> None:
    path = "/a" + re.sub(r"[?#\\]", "", text)
    pattern = Pattern.parse(path_pattern(literal(path)))
    assert pattern.match(Request.of("GET", "http://h.example" + path)) == {}
    assert pattern.match(Request.of("GET", "http://h.example/b" + path)) is None


@pytest.mark.parametrize(
    "to", ["//h.example/b", "http://h.example/b", "https://h.example:8443/b?c#d", "/b?c#d"]
)
def test_a_serialized_destination_stays_as_it_is(to: str) -> None:
    assert template(to, {}, names_as_text(())) == to


def test_a_destination_is_serialized_as_a_browser_would() -> None:
    assert template("https://H.example", {}, names_as_text(())) == "https://h.example/"
    assert template("/a/./b/../é", {}, names_as_text(())) == "/a/%C3%A9"
    assert (
        template("https://:x.h.example/:x", {"x": "x"}, names_as_text({"x"})) == "https://{x}.h.example/{x}"
    )


@pytest.mark.parametrize("to", ["http://", "http://h.example:x/", "https://a b/", "//"])
def test_a_destination_that_is_no_url_is_refused(to: str) -> None:
    with pytest.raises(URLError):
        template(to, {}, names_as_text(()))


def test_groups_are_identifiers_and_each_is_taken_once() -> None:
    captures = Captures()
    assert [captures.add(name) for name in ("id", "id", "my-id", "my_id", "1", "url", "")] == [
        *("id", "id_", "my_id", "my_id_", "_1", "_url", "_")
    ]
    assert captures.groups["id"] == "id"


def test_lines_are_numbered_as_an_editor_numbers_them() -> None:
    read = list(lines("\ufeff# a\n\n /b\t/c \r\n#d\n/e"))
    assert [(line.number, line.tokens) for line in read] == [(3, ("/b", "/c")), (5, ("/e",))]


def test_a_hash_begins_a_comment_only_at_the_front_of_a_token() -> None:
    assert without_comment(("/a", "/b#c", "#", "d")) == ("/a", "/b#c")
    assert without_comment(("/a", "#b", "#c"), first=2) == ("/a", "#b")
