"""Location, both ways: the field value a server sends, and the URL a client makes of one it got.

A Location is a URI reference (RFC 9110 §10.2.2), resolved against the target URI; when it has no
fragment the one of the target URI is inherited (Fetch §4.4, RFC 9110 §10.2.2).
"""

from __future__ import annotations

import re

from detour.core.url import URL
from detour.errors import URLError

# Browsers drop TAB, LF and CR wherever they stand and read "\" as "/" (WHATWG URL §4.4), so every
# one of these spellings at the start of a path would name another host.
_SLASHES = re.compile(r"[/\\\t\r\n]*[/\\][/\\\t\r\n]*")


def resolve(location: str | bytes, base: URL) -> URL | None:
    """Parse a Location against the target URI it answered; None when it is not an http(s) URL.

    Bytes are taken as UTF-8, as browsers do, and as Latin-1 where they are not.
    """
    text = location if isinstance(location, str) else _decode(location)
    try:
        url = URL.parse(text, base)
    except URLError:
        return None
    if url.fragment is None and base.fragment is not None:
        return URL.parse(f"{url}#{base.fragment}")
    return url


def _decode(location: bytes) -> str:
    try:
        return location.decode()
    except UnicodeDecodeError:
        return location.decode("latin-1")


def one_leading_slash(path: str) -> str:
    """Collapse the slashes a computed path begins with, in every spelling a client reads as one.

    `//evil.example` and `/\\evil.example` are other hosts to a browser, not paths.
    """
    if path[1:2] not in ("/", "\\", "\t", "\r", "\n"):
        return path
    return _SLASHES.sub("/", path, count=1)
