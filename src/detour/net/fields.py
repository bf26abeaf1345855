"""The method and the fields of a request as libcurl wants them; refuses what HTTP cannot say."""

from __future__ import annotations

import re

from detour.core.chain import Fields
from detour.errors import DetourError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_NOT_IN_VALUES = re.compile(r"[\r\n\0]")  # RFC 9110 §5.5
# libcurl would say these by itself; a name without a value takes them back.
_DEFAULTS = ("Accept", "User-Agent", "Content-Type", "Expect")
_FRAMING = frozenset({"content-length", "transfer-encoding"})  # RFC 9112 §6: the transport's own

# RFC 9110 §8.6: their meaning includes content, so a request without any says Content-Length: 0.
_EMPTY_CONTENT_SAID = frozenset({"POST", "PUT", "PATCH", "QUERY"})


def needs_empty_content(method: str) -> bool:
    """Whether a request without content says so (RFC 9110 §8.6)."""
    return method in _EMPTY_CONTENT_SAID


def field_lines(method: str, fields: Fields) -> list[bytes]:
    """The field lines for libcurl, in order; raises `DetourError` for what cannot stand in a head."""
    if not _TOKEN.fullmatch(method):
        raise DetourError(f"{method!r} is not a method; use a token like GET (RFC 9110 §9.1)")
    told = {name.lower() for name, _ in fields}
    blanked = [f"{name}:".encode() for name in _DEFAULTS if name.lower() not in told]
    return blanked + [_line(name, value) for name, value in fields]


def _line(name: str, value: str) -> bytes:
    if not _TOKEN.fullmatch(name):
        raise DetourError(f"{name!r} is not a field name; write it as NAME: VALUE (RFC 9110 §5.1)")
    if name.lower() in _FRAMING:
        raise DetourError(f"{name}: the transport frames the content itself; leave the field out")
    if _NOT_IN_VALUES.search(value):
        raise DetourError(f"{name}: a value holds no CR, LF or NUL; leave them out (RFC 9110 §5.5)")
    written = f"{name}: {value}" if value.strip(" \t") else f"{name};"
    return written.encode("utf-8", "surrogateescape")  # octets of a command line stay what they were
