"""Expressions of programs that compare paths as they were sent: `formats.regex` speaks of characters."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_OCTETS = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def as_characters(regex: str) -> str:
    """The expression with encoded octets as the characters that they spell; what spells none is left."""
    return _OCTETS.sub(_characters, regex)


def _characters(found: re.Match[str]) -> str:
    try:
        return re.escape(unquote_to_bytes(found[0]).decode())
    except UnicodeDecodeError:
        return found[0]
