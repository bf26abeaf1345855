from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detour.core.keys import FOLDED, ONE, REST, Key
from detour.core.shape import Shape, key_of, probe

SHAPES = {
    "/": Shape(False, False, ""),
    "/v1/orders": Shape(False, False, ""),
    "h/v1/orders": Shape(False, True, ""),
    f"{FOLDED}/v1/orders": Shape(True, False, ""),
    f"/{REST}": Shape(False, False, f"/{REST}"),
    f"/v1/{REST}": Shape(False, False, f"/-/{REST}"),
    f"h:80/users/{ONE}/orders/{REST}": Shape(False, True, f"/-/{ONE}/-/{REST}"),
    f"{FOLDED}h/{ONE}": Shape(True, True, f"/{ONE}"),
    f"/v1{REST}": None,
    f"/{ONE}/v{REST}": None,
}


@pytest.mark.parametrize("text", SHAPES, ids=ascii)
def test_a_key_has_this_shape(text: str) -> None:
    assert Shape.of(Key(text)) == SHAPES[text]


SEGMENT = st.sampled_from(["a", "b", "ab", "", "A", "%2F", "a.json", "-"])
PATHS = st.lists(SEGMENT, min_size=1, max_size=4).map(lambda pieces: "/" + "/".join(pieces))
MARKS = st.lists(SEGMENT | st.just(ONE), max_size=3)
HOSTS = st.sampled_from(["", "h", "h:8080", "[::1]"])


@st.composite
def key_texts(draw: st.DrawFn) -> Key:
    segments = draw(MARKS) + draw(st.sampled_from([[REST], [ONE], ["a"], [""]]))
    text = draw(HOSTS) + "/" + "/".join(segments)
    names = tuple(f"n{place}" for place in range(text.count(ONE) + text.count(REST)))
    return Key(FOLDED + text.lower() if draw(st.booleans()) else text, names)


@given(key_texts(), HOSTS, PATHS)
@example(Key(f"/{REST}", ("n0",)), "h", "/")
@example(Key(f"/a/{ONE}", ("n0",)), "h", "/a/")
@example(Key(f"{FOLDED}/a/{ONE}/b", ("n0",)), "h", "/A/X/B")
def test_a_path_has_the_key_in_its_shape_that_matches_it(key: Key, host: str, path: str) -> None:
    shape = Shape.of(key)
    assert shape is not None
    found = key_of(probe(shape), host.encode(), path.encode()) if shape.fits(path.count("/")) else None
    captures = key.match(host + path if key.named else path)
    if found is not None and found[0] == key.text.encode():
        assert captures == dict(zip(key.names, (piece.decode() for piece in found[1]), strict=True))
    else:
        assert captures is None


@given(PATHS, HOSTS)
def test_a_path_without_a_mask_is_its_own_key(path: str, host: str) -> None:
    for folded in (False, True):
        found = key_of(probe(Shape(folded, True, "")), host.encode(), path.encode())
        text = host + path
        assert found == ((FOLDED + text.lower() if folded else text).encode(), ())
