from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour import Pattern, PatternError
from detour.core.keys import ONE, REST, file, file_parsed, keys, written

CASES = {
    "/": ("/",),
    "/v1/orders": ("/v1/orders",),
    "//h/v1/orders": ("h/v1/orders",),
    "http://h:8080/a": ("h:8080/a",),
    "/v1/*": (f"/v1/{REST}",),
    "/v1*": (f"/v1{REST}",),
    "/*": (f"/{REST}",),
    "/users/:id": (f"/users/{ONE}",),
    "/users/:id/orders/*": (f"/users/{ONE}/orders/{REST}",),
    "/:a/:b/c": (f"/{ONE}/{ONE}/c",),
    "/old{/}?": ("/old", "/old/"),
    "/blog{/*}?": ("/blog", f"/blog/{REST}"),
    "/blog{/:splat(.*)}?": ("/blog", f"/blog/{REST}"),
    "/a/:id{/}?": (f"/a/{ONE}", f"/a/{ONE}/"),
    "/a{/:id}?": ("/a", f"/a/{ONE}"),
    "/a/:id*": None,
    "/a/x:id": None,
    "/a/:id.json": None,
    "/a/(b|c)": None,
    "/*/a": None,
    "/a{b}?c": None,
    "/a/:id/v*": None,
    "//*.h/a": None,
    "http{s}?://h/a": None,
    "//h:*/a": None,
    "/a\\?x=1": None,
    "*://h/a": None,
}


@pytest.mark.parametrize("text", CASES)
def test_a_pattern_has_these_keys(text: str) -> None:
    found = keys(Pattern.parse(text))
    assert (found if found is None else tuple(key.text for key in found)) == CASES[text]


PIECE = st.sampled_from(
    ["a", "b", "", ":x", ":y", "*", "{/}?", "{/*}?", "{/:z}?", "a*", "(a)", ".json", "{b}?"]
)
PATH = st.lists(st.sampled_from(["a", "b", "", "ab", "a.json", "A", "aB"]), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@settings(max_examples=1000)
@given(
    st.sampled_from(["", "//h", "http://h", "//h:81", "//*.h"]),
    st.lists(PIECE, min_size=1, max_size=4),
    st.sampled_from(["h", "x.h"]),
    st.sampled_from(["", "81"]),
    PATH,
    st.booleans(),
)
def test_the_keys_match_exactly_what_the_pattern_matches(
    origin: str, pieces: list[str], host: str, port: str, path: str, fold: bool
) -> None:
    text = origin + "".join(piece if piece.startswith("{") else f"/{piece}" for piece in pieces)
    try:
        pattern = Pattern.parse(text, ignore_case=fold)
    except PatternError:
        return
    found = keys(pattern)
    if found is None:
        return
    expected = pattern.match_parts("http", host, port, path, "")
    authority = f"{host}:{port}" if port else host
    base = ("" if pattern.hostname.implied else authority) + path
    matches = [captures for key in found if (captures := key.match(base)) is not None]
    if expected is None:
        assert matches == []
    else:
        assert expected in matches
        assert matches[0] == expected or len(matches) > 1


@settings(max_examples=1000)
@given(
    st.sampled_from(["", "//h.test", "http://h.test", "https://a-b.h.test", "//xn--a.test", "http:"]),
    st.lists(
        st.sampled_from(["a", "b-1", "B", ":x", ":y", ":url", "*", "", "a.b", ".", "..", "~"]), max_size=4
    ),
    st.sampled_from(["", "{/}?"]),
)
def test_a_plain_pattern_is_filed_as_its_parse_would_be(origin: str, pieces: list[str], end: str) -> None:
    text = origin + "".join(f"/{piece}" for piece in pieces) + end
    for fold in (False, True):
        try:
            expected = file_parsed(Pattern.parse(text, ignore_case=fold))
        except PatternError:
            with pytest.raises(PatternError):
                file(text, fold)
            continue
        assert file(text, fold) == expected


@pytest.mark.parametrize(
    "pattern", ["/", "/a/:id/b/*", "//h.example/a", "https://h.example/:x/:y", "/a/*", "//h.example/*"]
)
def test_a_plain_pattern_is_written_as_it_was(pattern: str) -> None:
    filing = file(pattern)
    assert written(filing.scheme, filing.keys) == pattern


@pytest.mark.parametrize("pattern", sorted(CASES))
def test_what_is_written_is_filed_the_same(pattern: str) -> None:
    filing = file(pattern)
    again = written(filing.scheme, filing.keys)
    assert again == "" or file(again) == filing
