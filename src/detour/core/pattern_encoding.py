"""The fixed text of a pattern as it stands in a URL (URL Pattern, "encoding callbacks").

It is encoded as WHATWG URL would serialize it there, by the one URL parser of the program, and then
normalized like every request (`core.url.normalize`), so that two spellings of one URI meet the same
pattern. Text that is provably serialized already is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import ada_url

from detour.core.pattern_syntax import ComponentName, Token, TokenKind, shorten
from detour.core.url import normalize
from detour.errors import PatternError

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_~$&+,;=:@!*()'.-]*")
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9/_~$&+,;=:@!*().?-]*")
_PLAIN_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=-]*")
# A DNS name that IDNA and the IPv4 parser leave alone: its last label begins with a letter.
_PLAIN_NAME = re.compile(r"(?!.*[xX][nN]--)(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*")
_IPV6_TEXT = re.compile(r"[0-9A-Fa-f:\[\]]*")
_FORBIDDEN_HOST = re.compile(r"[\x00 #/:<>?@\[\\\]^|]")


def encoder(name: ComponentName, tokens: Sequence[Token]) -> Callable[[str], str]:
    """How fixed text is encoded there, by what else its component holds; it raises `PatternError`."""
    texts = [token for token in tokens if token.kind in (TokenKind.TEXT, TokenKind.ESCAPED)]
    whole = len(texts) == len(tokens) - 1
    if name == "port":
        return _encode_port if whole else _encode_port_text
    if name != "hostname":
        return _ENCODERS[name]
    if any(token.value == "[" for token in tokens[:2]):  # "[", "{[" or "\\[", as the standard
        return _encode_ipv6 if whole else _encode_ipv6_text
    return _encode_host if whole else _encode_host_text


def _encode_scheme(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9+.-]*", text):
        raise PatternError(
            f"{shorten(text)!r} cannot stand in a scheme", "use http, https, `http{s}?` or `*`"
        )
    return text.lower()


def _encode_port(text: str) -> str:
    """A whole port, without leading zeros (WHATWG URL §4.4, port state)."""
    digits = _encode_port_text(text)
    if digits and int(digits) > 65535:
        raise PatternError(f"there is no port {shorten(text)}", "use a number up to 65535, or `*`")
    return str(int(digits)) if digits else ""


def _encode_port_text(text: str) -> str:
    if not re.fullmatch(r"[0-9]*", text):
        raise PatternError(f"{shorten(text)!r} cannot stand in a port", "use a number up to 65535, or `*`")
    return text


def _encode_ipv6(text: str) -> str:
    """A whole IPv6 host, compressed as WHATWG URL §3.5 serializes it."""
    return _ask_ada("hostname", _encode_ipv6_text(text))


def _encode_ipv6_text(text: str) -> str:
    if not _IPV6_TEXT.fullmatch(text):
        raise PatternError(
            f"{shorten(text)!r} cannot stand in an IPv6 address", "use hexadecimal digits and `\\:`"
        )
    return text.lower()


def _encode_host(text: str) -> str:
    """A whole host: IDNA to ASCII, lower case, IPv4 forms resolved (WHATWG URL §3.5)."""
    if not text or _PLAIN_NAME.fullmatch(text):
        return text.lower()
    _check_host(text)
    return _ask_ada("hostname", text)


def _encode_host_text(text: str) -> str:
    """A piece of a host. `10.0.` is no IPv4 address here, though the URL parser would make it one."""
    _check_host(text)
    if _PLAIN_HOST.fullmatch(text):
        return text.lower()
    return _ask_ada("hostname", text)


def _check_host(text: str) -> None:
    found = _FORBIDDEN_HOST.search(text)
    if found:
        remedy = {
            "/": "let the path begin outside of braces and groups: `https://host/{…}?`",
            ":": "write the port outside of braces and groups, and an IPv6 address in brackets",
            "@": "leave user information out: it is not matched",
        }
        raise PatternError(
            f"{found[0]!r} cannot stand in a host", remedy.get(found[0], "write the host without it")
        )


def _encode_path(text: str) -> str:
    """WHATWG serialization of path text, dot segments resolved, normalized ("canonicalize a pathname")."""
    if _PLAIN_PATH.fullmatch(text) and "/." not in text and text[:1] != ".":
        return text
    # "/-" keeps text that begins inside a segment from being resolved or given a slash.
    lead = "" if text.startswith("/") else "/-"
    return normalize(_ask_ada("pathname", lead + text)[len(lead) :])


def _encode_query(text: str) -> str:
    if _PLAIN_QUERY.fullmatch(text):
        return text
    return normalize(_ask_ada("search", f"?{text}")[1:])


def _ask_ada(attribute: str, text: str) -> str:
    """What the URL parser makes of `text` when it is set as that attribute of an https URL."""
    url = ada_url.URL("https://dummy.invalid/")
    try:
        setattr(url, attribute, text)
    except (ValueError, UnicodeEncodeError):
        noun = {"hostname": "host", "pathname": "path", "search": "query"}[attribute]
        raise PatternError(
            f"{shorten(text)!r} cannot stand in a {noun}", "write it as it stands in a URL"
        ) from None
    return str(getattr(url, attribute))


_ENCODERS: dict[str, Callable[[str], str]] = {
    "scheme": _encode_scheme,
    "path": _encode_path,
    "query": _encode_query,
}
