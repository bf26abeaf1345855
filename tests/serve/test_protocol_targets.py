"""A connection that asks the same way for another target gets what the parser would have let through."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detour.serve.protocol import Connection
from tests.serve.fake_transport import Rig

RULES = """
[[rule]]
name = "exact"
pattern = "/a"
location = "https://b.test/x"
[[rule]]
name = "prefix"
pattern = "/p/*"
location = "https://b.test/{0}"
[[rule]]
name = "segment"
pattern = "/s/:id/x"
location = "https://b.test/{id}"
[[rule]]
name = "query"
pattern = '/q\\\\?id=:id'
location = "https://b.test/{id}"
[[rule]]
name = "once"
pattern = "/once"
location = "https://b.test/"
when = { header = { X-Beta = true } }
"""
SMUGGLED = b"/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /p/x"
TARGETS = [
    b"/a", b"/p/", b"/p/x", b"/p/x?y=1", b"/s/7/x", b"/q?id=7", b"/once", b"/none", b"/", b"*", b"", b"a",
    b"/p/x y", b"/p/x\ty", b"/p/x\ny", b"/p/x\ry", b"/p/x\r\nX: y", b"/p/\0", b"/p/\xff", b"/p/%zz",
    b"/p/../a", b"/p//x", b"/p/x#y", b"//b.test/a", b"http://other/p/x", b"/p/x HTTP/1.0", b"/p/x HTTP/1.1",
    SMUGGLED, b"/p/" + b"x" * 9000,
]  # fmt: skip
PIECES = st.sampled_from(
    [b"/", b"a", b"p/", b"?", b" ", b"\r\n", b"\n", b"%41", b"'", b"HTTP/1.1", b":", b"x" * 3000]
)
HEADS = [
    b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n",
    b"HEAD %b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
    b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n / HTTP/1.1\r\n",
]


def told(octets: list[bytes]) -> tuple[bytes, bool]:
    """What one connection answers to so many pieces, and whether it stays open."""
    client = Rig(RULES).client().send(*octets)
    return client.octets, client.keeps


def told_the_long_way(octets: list[bytes]) -> tuple[bytes, bool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_read_target", lambda self, data: False)
        return told(octets)


@settings(max_examples=500)
@given(
    st.sampled_from(HEADS),
    st.sampled_from([b"/a", b"/p/1", b"/s/1/x"]),
    st.lists(
        st.sampled_from(TARGETS) | st.lists(PIECES, max_size=4).map(lambda some: b"/" + b"".join(some)),
        min_size=1,
        max_size=4,
    ),
)
@example(HEADS[0], b"/a", [SMUGGLED, b"/p/x"])
def test_another_target_is_answered_as_if_it_had_been_parsed(
    head: bytes, first: bytes, targets: list[bytes]
) -> None:
    asked = [head % target for target in [first, *targets]]
    assert told(asked) == told_the_long_way(asked)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cut", range(1, 30))
def test_it_may_come_in_two_pieces(head: bytes, cut: int) -> None:
    whole = [head % b"/p/1", head % b"/p/2"]
    assert told([whole[0], whole[1][:cut], whole[1][cut:]]) == told(whole)


def test_no_parser_is_asked_for_another_target(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Rig(RULES).ask(HEADS[0] % b"/p/1")
    monkeypatch.setattr(Connection, "_read", None)
    client.send(HEADS[0] % b"/p/2")
    assert client.octets.count(b"Location: https://b.test/") == 2
