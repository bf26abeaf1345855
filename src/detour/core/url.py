"""URLs as values, parsed by ada (the WHATWG parser the browsers agree with); one parser in the program.

Two spellings of one URI must meet the same rule, so what is matched is normalized further than
WHATWG does: percent-triplets in upper case and unreserved octets decoded (RFC 3986 §6.2.2).

Most URLs are serialized already, and ada would only copy them, at 3 µs each: a text of octets that no part
of the parser touches, without dot segments, is cut up here. A property test shows that ada agrees.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl

import ada_url
import msgspec

from detour.errors import URLError

DEFAULT_PORTS = {"http": "80", "https": "443"}

_TRIPLET = re.compile("%[0-9A-Fa-f]{2}")
# RFC 3986 §2.3: ALPHA / DIGIT / "-" / "." / "_" / "~"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# Octets that WHATWG URL §1.3 encodes nowhere in a path (in a query: all of these but "'").
_PATH, _QUERY = r"A-Za-z0-9_~!$&'()*+,;=:@.-", r"A-Za-z0-9_~!$&()*+,;=:@./?-"
_PLAIN = re.compile(
    r"(https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)?"
    rf"((?:/(?!\.\.?(?:[/?]|\Z))[{_PATH}]*)+)(?:\?([{_QUERY}]*))?"
)


class URL(msgspec.Struct, frozen=True):
    """An absolute http or https URL, serialized as WHATWG serializes it."""

    scheme: str
    hostname: str
    port: str  # "" for the scheme's default
    path: str
    query: str | None  # None: no "?"
    fragment: str | None  # None: no "#"
    username: str = ""
    password: str = ""

    @classmethod
    def parse(cls, text: str, base: URL | str | None = None) -> URL:
        """Parse `text` against `base`; raises `URLError` for what is not an http(s) URL."""
        plain = _PLAIN.fullmatch(text)
        if plain:
            place, path, query = plain.groups()
            if place:
                found = _place(place)
                if found:
                    return cls(*found, path, query, None)
            elif isinstance(base, cls) and path[1:2] != "/":
                here = base.scheme, base.hostname, base.port
                return cls(*here, path, query, None, base.username, base.password)
        return cls.parse_whole(text, base)

    @classmethod
    def parse_whole(cls, text: str, base: URL | str | None = None) -> URL:
        """`parse`, by ada alone."""
        try:
            parsed = ada_url.URL(text, base=str(base) if base is not None else None)
        except (ValueError, UnicodeEncodeError):
            raise URLError(f"{text!r} is not a URL", "write it whole: https://host/path") from None
        scheme = parsed.protocol[:-1]
        if scheme not in DEFAULT_PORTS:
            raise URLError(f"{text!r} has the scheme {scheme!r}", "use http or https")
        href = parsed.href
        before_fragment, hash_mark, fragment = href.partition("#")
        _, query_mark, query = before_fragment.partition("?")
        return cls(
            scheme=scheme,
            hostname=parsed.hostname,
            port=parsed.port,
            path=parsed.pathname,
            query=query if query_mark else None,
            fragment=fragment if hash_mark else None,
            username=parsed.username,
            password=parsed.password,
        )

    @property
    def authority(self) -> str:
        """Host and, where it is not the default, port."""
        return f"{self.hostname}:{self.port}" if self.port else self.hostname

    @property
    def port_or_default(self) -> str:
        """The port that is connected to: the one written, or the scheme's."""
        return self.port or DEFAULT_PORTS[self.scheme]

    @property
    def origin(self) -> str:
        """Scheme, host and port as one text (RFC 6454 §6)."""
        port = self.port
        return f"{self.scheme}://{self.hostname}:{port}" if port else f"{self.scheme}://{self.hostname}"

    @property
    def request_target(self) -> str:
        """Path and query: what a request line names (RFC 9112 §3.2.1)."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def reference(self) -> str:
        """Path, query and fragment: what is left when scheme and authority do not change."""
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.path}{query}{fragment}"

    def __str__(self) -> str:
        password = f":{self.password}" if self.password else ""
        userinfo = f"{self.username}{password}@" if self.username or password else ""
        return f"{self.scheme}://{userinfo}{self.authority}{self.reference}"


@lru_cache(maxsize=1024)
def _place(text: str) -> tuple[str, str, str] | None:
    """Scheme, host and port of `http://host:port`; None for what is no host."""
    try:
        found = URL.parse_whole(text)
    except URLError:
        return None
    return found.scheme, found.hostname, found.port


def normalize(text: str) -> str:
    """Upper-case percent-triplets and decode unreserved octets (RFC 3986 §6.2.2.1, §6.2.2.2).

    A lone `%` stays as it is. The result of decoding is never scanned again: `%2541` stays.
    """
    return _TRIPLET.sub(_normal_triplet, text) if "%" in text else text


def _normal_triplet(found: re.Match[str]) -> str:
    octet = chr(int(found[0][1:], 16))
    return octet if octet in _UNRESERVED else found[0].upper()


def decode_query(query: str) -> list[tuple[str, str]]:
    """Names and values of a query, form-decoded (WHATWG URL §5.1), in order."""
    return parse_qsl(query, keep_blank_values=True)


def encode_octets(text: str) -> str:
    """Percent-encode every octet that is not printable ASCII, of the text's UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if "\x20" < char < "\x7f" else "".join(f"%{octet:02X}" for octet in char.encode())
        for char in text
    )
