"""Requests off a connection, however the octets are cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from detour.lab.wire import MOST_KEPT, Content, Head, Reader

HEAD = b"POST /t0/0/start?x=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: one\r\nx-api-key:  two \r\n"
FIXED = HEAD + b"Content-Length: 11\r\n\r\nhello world"
CHUNKED = (
    HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b'6\r\nhello \r\n005;name="x"\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n'
)
BARE = b"GET /t0/1/here HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def reader(*pieces: bytes) -> Reader:
    """A reader that is given these pieces, one a read, and then the end."""
    left = list(pieces)

    def receive(buffer: memoryview) -> int:
        if not left:
            return 0
        piece = left.pop(0)
        count = min(len(piece), len(buffer))
        buffer[:count] = piece[:count]
        if count < len(piece):
            left.insert(0, piece[count:])
        return count

    return Reader(receive)


def requests(read: Reader) -> Iterator[tuple[Head, Content]]:
    while (head := read.head()) is not None:
        content = Content()
        more = read.content(head, content)
        yield head, content
        if not more:
            return


def cuts(octets: bytes) -> list[tuple[bytes, bytes]]:
    return [(octets[:at], octets[at:]) for at in range(1, len(octets))]


@pytest.mark.parametrize("framed", [FIXED, CHUNKED], ids=["fixed", "chunked"])
def test_two_requests_are_the_same_wherever_the_octets_are_cut(framed: bytes) -> None:
    head_length = framed.index(b"\r\n\r\n") + 4
    for before, after in cuts(framed + BARE):
        (first, content), (second, nothing) = requests(reader(before, after))
        assert first.octets == framed[:head_length]
        assert (content.octets(), content.complete, content.ended) == (b"hello world", True, True)
        assert second.octets == BARE
        assert (nothing.octets(), nothing.complete) == (b"", True)


@pytest.mark.parametrize("framed", [FIXED, CHUNKED], ids=["fixed", "chunked"])
def test_octets_one_by_one_make_the_same_request(framed: bytes) -> None:
    ((_, content),) = requests(reader(*(bytes([octet]) for octet in framed)))
    assert (content.octets(), content.complete) == (b"hello world", True)


@pytest.mark.parametrize("framed", [FIXED, CHUNKED], ids=["fixed", "chunked"])
def test_a_request_that_ends_anywhere_is_kept_as_far_as_it_came(framed: bytes) -> None:
    head_length = framed.index(b"\r\n\r\n") + 4
    for at in range(1, len(framed)):
        found = list(requests(reader(framed[:at])))
        if at < head_length:
            assert found == []
            continue
        ((_, content),) = found
        assert b"hello world".startswith(content.octets())
        assert (content.complete, content.ended) == (False, True)


def test_a_head_is_read_as_it_was_written() -> None:
    head = Head.parse(FIXED.partition(b"hello")[0])
    assert (head.method, head.target, head.version) == ("POST", "/t0/0/start?x=1", "HTTP/1.1")
    assert head.fields[1:3] == (("X-Api-Key", "one"), ("x-api-key", "two"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"GET /a b HTTP/1.1", ("GET", "/a b", "HTTP/1.1")),
        (b"get /caf\xc3\xa9 HTTP/1.0", ("get", "/caf\u00c3\u00a9", "HTTP/1.0")),
        (b"GET /", ("GET", "/", "")),
        (b"nonsense", ("nonsense", "", "")),
    ],
)
def test_a_request_line_that_is_none_is_still_told(line: bytes, told: tuple[str, str, str]) -> None:
    head = Head.parse(line + b"\r\n\r\n")
    assert (head.method, head.target, head.version) == told


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 11\r\nContent-Length: 12",
        b"Content-Length: 11, 12",
        b"Content-Length: eleven",
        b"Content-Length: -1",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: chunked, gzip",
    ],
)
def test_framing_that_nobody_can_read_ends_the_connection(fields: bytes) -> None:
    ((_, content),) = requests(reader(b"POST / HTTP/1.1\r\n" + fields + b"\r\n\r\nhello world", BARE))
    assert (content.complete, content.octets()) == (False, b"")


def test_a_length_told_twice_alike_is_one_length() -> None:
    both = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"
    assert [content.octets() for _, content in requests(reader(both))] == [b"ok"]


def test_chunks_win_over_a_length() -> None:  # RFC 9112 §6.3, rule 3
    framed = b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    assert [content.octets() for _, content in requests(reader(framed))] == [b"ok"]


@pytest.mark.parametrize("chunk", [b"x\r\nhello", b"-1\r\n", b"\r\n", b"2\r\nokay\r\n", b"2 ok\r\n"])
def test_a_broken_chunk_ends_the_content(chunk: bytes) -> None:
    framed = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
    ((_, content),) = requests(reader(framed))
    assert not content.complete


def test_content_beyond_the_most_is_counted_and_not_kept() -> None:
    content = Content()
    for _ in range(17):
        content.add(bytes(1 << 20))
    assert content.length == 17 << 20
    assert len(content.octets()) == MOST_KEPT


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"GET / HTTP/1.1", True),
        (b"GET / HTTP/1.1\r\nConnection: close", False),
        (b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings", True),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive", True),
    ],
)
def test_a_connection_is_kept_as_the_client_says(head: bytes, keeps: bool) -> None:
    assert Head.parse(head + b"\r\n\r\n").keeps is keeps


def test_a_head_without_end_is_none() -> None:
    assert reader(*[b"X" * 65536] * 20).head() is None
