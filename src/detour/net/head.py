"""The heads that libcurl handed over line by line: interim ones, the final one, trailers."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from detour.core.chain import Fields

# RFC 9112 §4; libcurl writes "HTTP/2 307 " and "HTTP/3 307 " for versions without a status line.
_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]|2|3) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_BARE = b"\n"
_BLANK = (b"\r\n", _BARE)
_SHORT = 256  # octets of a line that is remembered
_SWITCHING = 101  # the one interim status that nothing follows (RFC 9110 §15.2.2)


class Head(msgspec.Struct, frozen=True):
    """The final head of an answer, and the interim statuses before it."""

    status: int
    reason: str
    http_version: str
    fields: Fields
    interim: tuple[int, ...]
    raw: bytes
    size: int  # octets, interim heads included


def final_head(lines: list[bytes]) -> Head | None:
    """The final head among `lines`, if it came whole; what follows it (trailers) is left out."""
    interim: list[int] = []
    start = 0
    bare = _BARE in lines  # looked for once: an origin may say many heads
    while (end := _end_of_head(lines, start, bare)) >= 0:
        told = status_line(lines[start])
        if not told:
            return None
        version, status, reason = told
        if is_final(status):
            octets = b"".join(lines[start : end + 1])
            fields = fields_of(lines[start + 1 : end])
            raw = octets if version[0] == "1" else b""
            size = len(octets) + (sum(map(len, lines[:start])) if start else 0)
            return Head(status, reason, version, fields, tuple(interim), raw, size)
        interim.append(status)
        start = end + 1
    return None


def status_line(line: bytes) -> tuple[str, int, str] | None:
    """Version, status and reason of a status line; None for what is none."""
    return _known_status_line(line) if len(line) < _SHORT else _status_line(line)


def is_final(status: int) -> bool:
    """Whether no other head follows one of this status."""
    return status >= 200 or status == _SWITCHING


def fields_of(lines: list[bytes]) -> Fields:
    """Names and values of field lines, octet by octet (latin-1), without the whitespace around a value."""
    return tuple([_known_field(line) if len(line) < _SHORT else _field(line) for line in lines])


def _status_line(line: bytes) -> tuple[str, int, str] | None:
    found = _STATUS_LINE.fullmatch(line)
    if not found:
        return None
    return found[1].decode(), int(found[2]), (found[3] or b"").decode("latin-1").strip(" \t")


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.rstrip(" \t"), value.strip(" \t\r\n")


# Of the lines that an origin says most stand in its next head, too.
_known_status_line = lru_cache(maxsize=64)(_status_line)
_known_field = lru_cache(maxsize=512)(_field)


def _end_of_head(lines: list[bytes], start: int, bare: bool) -> int:
    if bare:
        return next((at for at in range(start, len(lines)) if lines[at] in _BLANK), -1)
    try:
        return lines.index(b"\r\n", start)
    except ValueError:
        return -1
