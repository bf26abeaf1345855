"""Requests off a connection, octet by octet as they came, and nothing made better on the way.

Framing is RFC 9112 §6.3's, to the letter; what breaks it is kept as far as it came and ends the connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from detour.core.chain import Fields

MOST_HEAD = 1 << 20  # octets; a Location of 8 kB comes back as a target, a bomb must not
MOST_KEPT = 16 << 20  # octets of content; what comes after is read and counted, not kept
_PIECE = 1 << 16
_BLANK = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")

Receive = Callable[[memoryview], int]


class Head(msgspec.Struct, frozen=True):
    """One request's head: the octets, and how they read."""

    octets: bytes
    method: str
    target: str
    version: str
    fields: Fields

    @classmethod
    def parse(cls, octets: bytes) -> Head:
        """Read it as leniently as can be: what a client got wrong is for the judge to see."""
        first, *lines = re.split(r"\r?\n", octets.decode("latin-1").rstrip("\r\n"))
        method, _, rest = first.partition(" ")
        target, _, version = rest.rpartition(" ") if " HTTP/" in rest else (rest, "", "")
        pairs = (line.partition(":") for line in lines)
        return cls(
            octets, method, target, version, tuple((name, value.strip(" \t")) for name, _, value in pairs)
        )

    def values(self, name: str) -> list[str]:
        """All values of a field, in order."""
        return [value for told, value in self.fields if told.lower() == name]

    @property
    def expects(self) -> bool:
        """Whether the client waits for 100 (RFC 9110 §10.1.1)."""
        return any(value.lower() == "100-continue" for value in self.values("expect"))

    @property
    def keeps(self) -> bool:
        """Whether another request may follow (RFC 9112 §9.3)."""
        options = {
            option.strip().lower() for value in self.values("connection") for option in value.split(",")
        }
        return "close" not in options and (self.version != "HTTP/1.0" or "keep-alive" in options)

    @property
    def chunked(self) -> bool:
        """Whether the content comes in chunks (RFC 9112 §7.1)."""
        codings = ",".join(self.values("transfer-encoding"))
        return codings.rpartition(",")[2].strip().lower() == "chunked"

    @property
    def length(self) -> int | None:
        """The announced length of the content, 0 when none is; None when nobody can tell (§6.3)."""
        if self.values("transfer-encoding"):
            return None
        told = {value.strip() for line in self.values("content-length") for value in line.split(",")}
        if not told:
            return 0
        one = told.pop()
        return int(one) if not told and re.fullmatch(r"[0-9]{1,18}", one) else None

    @property
    def has_content(self) -> bool:
        """Whether any is announced."""
        return self.chunked or self.length != 0


class Content:
    """The content of one request while it comes: what is there can be looked at from another thread."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._whole: bytes | None = None
        self.length = 0  # octets that came
        self.complete = False
        self.ended = False  # nothing more will come, whole or not

    def add(self, octets: bytes | memoryview) -> None:
        """Keep a piece."""
        self.length += len(octets)
        room = MOST_KEPT - len(self._kept)
        if room > 0:
            self._kept += octets[:room]

    def octets(self) -> bytes:
        """What came so far, up to `MOST_KEPT`."""
        if self._whole is not None:
            return self._whole
        whole = bytes(self._kept)
        if self.ended:
            self._whole, self._kept = whole, bytearray()
        return whole


class Reader:
    """Requests off one connection; `receive` fills a buffer and says how much, 0 at the end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._buffer = memoryview(bytearray(_PIECE))
        self._rest = b""

    def head(self) -> Head | None:
        """The next request's head; None when the client has ended, or sends what has no end."""
        while True:
            self._rest = self._rest.lstrip(b"\r\n")  # RFC 9112 §2.2
            found = _BLANK.search(self._rest)
            if found:
                octets, self._rest = self._rest[: found.end()], self._rest[found.end() :]
                return Head.parse(octets)
            if len(self._rest) > MOST_HEAD or not self._more():
                return None

    @property
    def unread(self) -> bytes:
        """What came after the last request, or instead of one."""
        return self._rest

    def content(self, head: Head, content: Content) -> bool:
        """Read it to its end into `content`; False when the next head cannot be found after it."""
        try:
            if head.chunked:
                content.complete = self._chunks(content)
            elif head.length is not None:
                content.complete = self._exactly(head.length, content)
        finally:
            content.ended = True
        return content.complete

    def discard(self) -> None:
        """Read until the client ends."""
        self._rest = b""
        while self._receive(self._buffer):
            pass

    def _exactly(self, octets: int, content: Content) -> bool:
        have = self._rest[:octets]
        self._rest = self._rest[octets:]
        content.add(have)
        left = octets - len(have)
        while left:
            count = self._receive(self._buffer[:left])
            if not count:
                return False
            content.add(self._buffer[:count])
            left -= count
        return True

    def _chunks(self, content: Content) -> bool:
        while (size := self._chunk_size()) is not None:
            if size == 0:
                return self._trailers()
            if not self._exactly(size, content) or not self._line_end():
                return False
        return False

    def _chunk_size(self) -> int | None:
        line = self.line()
        found = _CHUNK_SIZE.fullmatch(line)
        return int(found[1], 16) if found else None

    def _line_end(self) -> bool:
        return self.line() in (b"\r\n", b"\n")

    def _trailers(self) -> bool:
        while line := self.line():
            if line in (b"\r\n", b"\n"):
                return True
        return False

    def line(self) -> bytes:
        """The next line with its end; b"" when none comes."""
        while b"\n" not in self._rest:
            if len(self._rest) > MOST_HEAD or not self._more():
                return b""
        line, end, self._rest = self._rest.partition(b"\n")
        return line + end

    def _more(self) -> bool:
        count = self._receive(self._buffer)
        self._rest += bytes(self._buffer[:count])
        return count > 0
