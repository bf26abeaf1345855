"""URLs that are serialized already are cut up without ada, and ada would say the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detour.core.url import URL
from detour.errors import URLError

PIECES = st.sampled_from(
    [
        *("/", "//", ".", "..", "/.", "/..", "./", "%2e", "%41", "%", "?", "#", "a", "A", "~", "-", "'", '"'),
        *("http://", "https://", "HTTP://", "http:", "//", "\\", " ", "\t", "\n", ":", "@", "user:pw@", "|"),
        *("a.test", "127.0.0.1", "127.1", "0x7f.1", "1.2.3.4.5", "256.1.1.1", "[::1]", "xn--a", "a..b", "a."),
        *(
            ":80",
            ":443",
            ":8080",
            ":99999",
            ":0",
            ":",
            "é",
            "&a=b",
            "=",
            ";",
            ",",
            "+",
            "^",
            "`",
            "{",
            "<",
            "(",
            "*",
        ),
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=9).map("".join),
    st.builds("http://{}{}".format, PIECES, st.lists(PIECES, max_size=6).map("".join)),
    st.builds("/{}".format, st.lists(PIECES, max_size=6).map("".join)),
)
BASES = st.sampled_from(
    [
        None,
        "https://base.test/x?y#z",
        *map(URL.parse, ("http://base.test/", "https://me:pw@base.test:8443/a/b?c#d", "http://[::1]:81/x")),
    ]
)


def parsed(parse: object, text: str, base: URL | str | None) -> URL | None:
    try:
        return parse(text, base)  # type: ignore[operator,no-any-return]
    except URLError:
        return None


@given(TEXTS, BASES)
@example("/a/..", URL.parse("http://a.test/"))
@example("/a/..b", URL.parse("http://a.test/"))
@example("http://127.1:80/a?b'c", None)
@example("http://a.test:0080/", None)
@example("//evil.test/", URL.parse("http://a.test/"))
def test_ada_says_the_same(text: str, base: URL | str | None) -> None:
    assert parsed(URL.parse, text, base) == parsed(URL.parse_whole, text, base)


@pytest.mark.parametrize(
    ("text", "host"),
    [("http://127.1/", "127.0.0.1"), ("http://A.test:080/x", "a.test"), ("http://0x7f000001/", "127.0.0.1")],
)
def test_a_host_is_always_ada_s(text: str, host: str) -> None:
    assert URL.parse(text).hostname == host
    assert URL.parse(text).port == ""


@pytest.mark.parametrize(
    "text", ["http://1.2.3.256/", "http://a.test:99999/", "http://./", "http://0.0.0.0.0.0/"]
)
def test_what_is_no_host_is_refused_each_time(text: str) -> None:
    for _ in range(2):
        assert parsed(URL.parse, text, None) == parsed(URL.parse_whole, text, None)
