"""HTTP/2 origins that mean harm: frames written by hand (RFC 9113 §4.1, RFC 7541 §6.2.2)."""

from __future__ import annotations

import struct

from tests.net.origin import Peer, Talk

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def _integer(value: int, prefix: int) -> bytes:
    """RFC 7541 §5.1."""
    most = 2**prefix - 1
    if value < most:
        return bytes([value])
    octets, value = [most], value - most
    while value >= 128:
        octets.append(value % 128 + 128)
        value //= 128
    return bytes([*octets, value])


def fields(*pairs: tuple[str, str]) -> bytes:
    """A field block: literals without indexing, without Huffman coding."""
    return b"".join(
        b"\0" + b"".join(_integer(len(text), 7) + text.encode("latin-1") for text in pair) for pair in pairs
    )


def head(*pairs: tuple[str, str], flags: int = END_HEADERS | END_STREAM) -> bytes:
    return frame(HEADERS, fields(*pairs), flags, 1)


def continued(block: bytes) -> bytes:
    """A field block in as many frames as it takes, END_HEADERS on the last (RFC 9113 §6.10)."""
    pieces = [block[at : at + 16_000] for at in range(0, len(block), 16_000)]
    kinds = [HEADERS] + [CONTINUATION] * (len(pieces) - 1)
    flags = [END_STREAM] + [0] * (len(pieces) - 2) + [END_HEADERS]
    return b"".join(
        frame(kind, piece, flag, 1) for kind, piece, flag in zip(kinds, pieces, flags, strict=True)
    )


def speaking(answer: bytes, again: bytes = b"") -> Talk:
    """Reads the preface, greets, and says frames; then others without end, or nothing more."""

    def talk(peer: Peer) -> None:
        peer.until(b"SM\r\n\r\n")
        peer.say(frame(SETTINGS) + frame(SETTINGS, flags=ACK) + answer)
        while again and not peer.origin.over.is_set():
            peer.say(again)
        while peer.connection.recv(65536):
            pass

    return talk


def closing(answer: bytes) -> Talk:
    """Says frames and closes."""

    def talk(peer: Peer) -> None:
        peer.until(b"SM\r\n\r\n")
        peer.say(frame(SETTINGS) + answer)

    return talk


STATUS = (":status", "307")
HERE = ("location", "/x")
MOVED = head(STATUS, HERE)
OPEN = head(STATUS, HERE, flags=END_HEADERS)  # content follows
BEGUN = head(STATUS, HERE, flags=0)  # more of the field block follows
MANY = fields(*[("x", "y" * 1000)] * 16)
BROKEN = ("protocol", "malformed-response", "too-large")

# What each says, and the ends a chain through it may have.
HOSTILE: dict[str, tuple[Talk, tuple[str, ...]]] = {
    "HTTP/2: frames at random": (speaking(bytes(range(256)) * 40), BROKEN),
    "HTTP/2: HTTP/1.1": (speaking(b"HTTP/1.1 307 T\r\nLocation: /x\r\n\r\n" * 100), BROKEN),
    "HTTP/2: silence": (speaking(b""), ("timeout",)),
    "HTTP/2: a close": (closing(b""), BROKEN),
    "HTTP/2: a close within a field block": (closing(BEGUN), BROKEN),
    "HTTP/2: a frame of 16 MB": (speaking(b"\xff\xff\xff\x01\x04\0\0\0\x01" + bytes(100_000)), BROKEN),
    "HTTP/2: the stream is reset": (speaking(frame(RESET, b"\0\0\0\x02", stream=1)), BROKEN),
    "HTTP/2: the stream is refused": (speaking(frame(RESET, b"\0\0\0\x07", stream=1)), BROKEN),
    "HTTP/2: HTTP/1.1 is required": (
        speaking(frame(RESET, b"\0\0\0\x0d", stream=1)),
        (*BROKEN, "timeout"),
    ),
    "HTTP/2: the connection goes away": (speaking(frame(GOAWAY, bytes(8))), (*BROKEN, "timeout")),
    "HTTP/2: settings without end": (speaking(b"", frame(SETTINGS) * 1000), (*BROKEN, "timeout")),
    "HTTP/2: pings without end": (speaking(b"", frame(PING, bytes(8)) * 1000), (*BROKEN, "timeout")),
    "HTTP/2: window updates without end": (
        speaking(b"", frame(WINDOW, b"\0\0\0\x01") * 1000),
        (*BROKEN, "timeout"),
    ),
    "HTTP/2: a window beyond its bounds": (speaking(frame(WINDOW, b"\x7f\xff\xff\xff") * 2), BROKEN),
    "HTTP/2: continuations without end": (speaking(BEGUN, frame(CONTINUATION, MANY, stream=1)), BROKEN),
    "HTTP/2: empty continuations without end": (
        speaking(BEGUN, frame(CONTINUATION, stream=1) * 1000),
        (*BROKEN, "timeout"),
    ),
    "HTTP/2: empty data without end": (speaking(OPEN, frame(DATA, stream=1) * 1000), ("loop", *BROKEN)),
    "HTTP/2: data without end": (speaking(OPEN, frame(DATA, bytes(16_000), stream=1)), ("loop",)),
    "HTTP/2: interim answers without end": (
        speaking(b"", head((":status", "103"), ("link", "</a>"), flags=END_HEADERS) * 100),
        BROKEN,
    ),
    "HTTP/2: a bomb in the field table": (
        # RFC 7541 §6.2.1: 4 KB are put into the table once and named 16,000 times.
        speaking(frame(HEADERS, b"\x40\x01x" + _integer(4000, 7) + b"y" * 4000 + b"\xbe" * 12_000, 4, 1)),
        BROKEN,
    ),
    "HTTP/2: a doubled Location": (speaking(head(STATUS, HERE, ("location", "/b"))), BROKEN),
    "HTTP/2: a Location of 60 kB": (
        speaking(continued(fields(STATUS, ("location", "/" + "a" * 60_000)))),
        ("timeout", *BROKEN),  # nobody answers there
    ),
    # nghttp2 leaves such fields out
    "HTTP/2: NUL in Location": (speaking(head(STATUS, ("location", "/a\0b"))), ("no-location", *BROKEN)),
    "HTTP/2: CR and LF in Location": (
        speaking(head(STATUS, ("location", "/a\r\nX: b"))),
        ("no-location", *BROKEN),
    ),
    "HTTP/2: a field with upper case": (speaking(head(STATUS, ("Location", "/x"))), BROKEN),
    "HTTP/2: no status": (speaking(head(HERE)), BROKEN),
    "HTTP/2: two statuses": (speaking(head(STATUS, (":status", "200"), HERE)), BROKEN),
    "HTTP/2: a status of letters": (speaking(head((":status", "abc"), HERE)), BROKEN),
    "HTTP/2: a push": (
        speaking(frame(5, b"\0\0\0\x02" + fields((":method", "GET"), (":path", "/")), 4, 1)),
        BROKEN,
    ),
}
