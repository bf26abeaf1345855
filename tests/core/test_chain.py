"""What became of a request from one hop to the next, by hand."""

from __future__ import annotations

import pytest

from detour.core.chain import (
    ENDS,
    Chain,
    Content,
    End,
    Fields,
    Hop,
    Outgoing,
    Response,
    content_kept,
    credentials_kept,
    method_kept,
)
from detour.core.url import URL


def asks(url: str, fields: Fields = (), method: str = "GET", content: Content = "none") -> Outgoing:
    return Outgoing(method, URL.parse(url), fields, content)


@pytest.mark.parametrize(
    ("method", "safe"),
    [
        *((method, True) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "QUERY")),
        *((method, False) for method in ("POST", "PUT", "PATCH", "DELETE", "CONNECT", "get", "X", "")),
    ],
)
def test_a_method_is_safe_by_rfc9110_section_9_2_1(method: str, safe: bool) -> None:
    assert asks("http://a.example/", method=method).safe is safe


def test_a_method_is_kept_to_the_letter() -> None:
    post = asks("http://a.example/", method="POST")
    assert method_kept(post, post)
    assert not method_kept(post, asks("http://a.example/", method="post"))


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("none", "none", "none"),
        ("replayable", "replayable", "kept"),
        ("replayable", "none", "dropped"),
        ("once", "none", "dropped"),
    ],
)
def test_content_is_kept_or_dropped(before: Content, after: Content, kept: str) -> None:
    first, second = (asks("http://a.example/", content=one) for one in (before, after))
    assert content_kept(first, second) == kept


TOKEN: Fields = (("Authorization", "Bearer a"),)
PROXY: Fields = (("Proxy-Authorization", "Basic p"),)
COOKIE: Fields = (("Cookie", "c=1"),)
HERE = "https://a.example/"


@pytest.mark.parametrize(
    ("sent", "url", "still", "kept"),
    [
        ((), "https://b.example/", (), "none"),
        ((("X-Api-Key", "k"),), "https://b.example/", (("X-Api-Key", "k"),), "none"),
        (TOKEN, "https://a.example:443/x", TOKEN, "kept"),
        (TOKEN, "https://a.example/x", (("AUTHORIZATION", "Bearer a"),), "kept"),
        (TOKEN, "https://a.example/x", (), "dropped"),
        (TOKEN, "https://b.example/", (), "dropped"),
        (TOKEN, "https://b.example/", TOKEN, "leaked"),
        (TOKEN, "https://www.a.example/", TOKEN, "leaked"),
        (TOKEN, "https://a.example:8443/", TOKEN, "leaked"),
        (TOKEN, "http://a.example/", TOKEN, "leaked"),
        (TOKEN, "https://b.example/", (("Authorization", "Bearer other"),), "dropped"),
        (PROXY, "https://b.example/", PROXY, "leaked"),
        (COOKIE, "https://b.example/", COOKIE, "leaked"),
        (COOKIE, "https://a.example:8443/", COOKIE, "kept"),  # ports and schemes do not part cookies
        (COOKIE, "http://a.example/", COOKIE, "kept"),
        (TOKEN + COOKIE, "https://a.example/", TOKEN + COOKIE, "kept"),
        (TOKEN + COOKIE, "https://a.example/", COOKIE, "dropped"),
        (TOKEN + COOKIE, "https://b.example/", COOKIE, "leaked"),
    ],
)
def test_credentials_are_kept_dropped_or_leaked(sent: Fields, url: str, still: Fields, kept: str) -> None:
    assert credentials_kept(asks(HERE, sent), asks(url, still)) == kept


def test_values_are_found_without_case_and_in_order() -> None:
    fields = (("Location", "/a"), ("X", "y"), ("LOCATION", "/b"))
    response = Response(302, fields=fields)
    assert response.locations == asks(HERE, fields).values("location") == ("/a", "/b")
    assert (response.first("location"), response.first("set-cookie")) == ("/a", None)


def test_the_pairs_of_a_chain_are_its_redirects() -> None:
    first, second, third = (Hop(asks(f"{HERE}{number}")) for number in range(3))
    chain = Chain("fetch", (first, second, third), End("arrived"))
    assert chain.pairs == ((first, second), (second, third))
    assert Chain("fetch", (first,), End("arrived")).pairs == ()


def test_every_end_has_a_kebab_case_name_and_a_line() -> None:
    for name, meaning in ENDS.items():
        assert name == name.lower().replace("_", "-").replace(" ", "-")
        assert meaning
        assert "\n" not in meaning
