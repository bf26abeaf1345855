"""The side of a rule that yields the Location.

A template is parsed once, at load, and cut into URL components. Each slot is encoded for the
component it stands in, and the output is never scanned again: text that came from a request can
not become syntax (what Caddy's GHSA-j8px-rmrx-76h9 and nginx's CRLF splitting were about).

Syntax: `{name}` and `{0}` are captures, `{url.hostname} {url.port} {url.path} {url.query}
{url.scheme}` the request's own, `{{` and `}}` braces. A template begins with `/`, `//`, `http://`
or `https://`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from detour.core.location import one_leading_slash
from detour.core.message import Request
from detour.core.url import DEFAULT_PORTS, URL, encode_octets
from detour.errors import TemplateError, URLError

Component = Literal["authority", "path", "query", "fragment"]

URL_SLOTS = ("url.hostname", "url.path", "url.port", "url.query", "url.scheme")

# What must be encoded for a capture to stay inside its component (RFC 3986 §3.3-3.5; in a query
# also the separators of form data, WHATWG URL §5). A valid triplet passes; a lone "%" does not.
_OUTSIDE = {
    "authority": re.compile(r"[^A-Za-z0-9.:\[\]_-]"),
    "path": re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%|]"),
    "query": re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$'()*,;:@/?%|]"),
    "fragment": re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%|]"),
}
# A template of literals only, that `_literal` would leave as they are; parsing costs eight times as much.
_PLAIN = re.compile(
    r"(?:(?:(https?):)?//([a-z0-9.-]+(?::[0-9]+)?)(?=/|$)|(?=/(?!/)))(/?[!$-;=@-\[\]_a-z|~]*)"
)
_SLOT = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_SCHEME = re.compile(r"(https?:)?//", re.IGNORECASE)
_AUTHORITY_END = re.compile(r"[/?#\\]|\{url\.(path|query)\}")


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A place in a template: a capture's name, or one of `URL_SLOTS`."""

    name: str
    component: Component


Part = str | Slot


class Template(msgspec.Struct, frozen=True, array_like=True):
    """A parsed template: the parts of each component, and what they may yield."""

    scheme: str  # "http", "https", or "" for the request's
    authority: tuple[Part, ...]  # () for the request's
    path: tuple[Part, ...]
    query: tuple[Part, ...] | None  # None: the template has no "?"
    fragment: tuple[Part, ...] | None
    hosts: tuple[str, ...] = ()  # the hosts an authority with captures may yield

    @classmethod
    def parse(
        cls, text: str, groups: frozenset[str], hosts: tuple[str, ...] = (), *, any_host: bool = False
    ) -> Template:
        """Parse `text` for a pattern capturing `groups`; raises `TemplateError`.

        `any_host`: captures may choose the host though `hosts` lists none; for rules that are judged, not
        served.
        """
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            scheme, authority, path = plain.groups("")
            written = (_written_authority(authority, scheme),) if authority else ()
            return cls(scheme, written, (path or "/",), None, None, tuple(map(_listed, hosts)))
        scheme, authority, rest = _split_authority(text)
        rest, hash_mark, fragment = rest.partition("#")
        path, question_mark, query = rest.partition("?")
        return cls(
            scheme=scheme,
            authority=_authority(authority, scheme, groups, any_host or bool(hosts)),
            path=_parts(path or "/", "path", groups),
            query=_parts(query, "query", groups) if question_mark else None,
            fragment=_parts(fragment, "fragment", groups) if hash_mark else None,
            hosts=tuple(map(_listed, hosts)),
        )

    @property
    def text(self) -> str:
        """The template as text, literals encoded: it parses to the same template."""
        text = _text(self.path)
        if self.authority:
            scheme = f"{self.scheme}:" if self.scheme else ""
            text = f"{scheme}//{_text(self.authority)}{text}"
        elif text.startswith("//"):
            text = "/\\" + text[2:]  # how else it can begin without naming a host
        if self.query is not None:
            text += f"?{_text(self.query)}"
        return text if self.fragment is None else f"{text}#{_text(self.fragment)}"

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every slot, left to right."""
        components = (self.authority, self.path, self.query or (), self.fragment or ())
        return tuple(part for parts in components for part in parts if isinstance(part, Slot))

    def takes_query(self, captured: Iterable[str]) -> bool:
        """Whether it uses the request's query, or one of the names `captured` from it, so that nothing of the
        query is appended."""
        names = {"url.query", *captured}
        return any(slot.name in names for slot in self.slots)

    @property
    def chooses_host(self) -> bool:
        """Whether the request has a say in the Location's host."""
        return any(isinstance(part, Slot) for part in self.authority)

    def location(self, request: Request, captures: Mapping[str, str], kept_query: str = "") -> str | None:
        """The Location for one request, as it is sent: relative where scheme and authority stay.

        None when a capture would choose a host that `hosts` does not list, or none at all.
        `kept_query` is appended, octet by octet as it was received.
        """
        reference = self._reference(request, captures, kept_query)
        if not self.authority:
            return reference
        authority = self._settled(self._fill(self.authority, request, captures), request)
        if authority is None:
            return None
        if authority == request.authority and self.scheme in ("", request.scheme):
            return reference
        return f"{self.scheme}://{authority}{reference}" if self.scheme else f"//{authority}{reference}"

    def _reference(self, request: Request, captures: Mapping[str, str], kept_query: str) -> str:
        text = self._fill(self.path, request, captures)
        text = one_leading_slash(text if text.startswith("/") else f"/{text}")
        query = None if self.query is None else self._fill(self.query, request, captures)
        joined = f"{query}&{kept_query}" if query and kept_query else query or kept_query
        if joined:
            text += f"?{joined}"
        elif query is not None and self.query == ():
            text += "?"  # written as such
        if self.fragment is not None:
            text += "#" + self._fill(self.fragment, request, captures)
        return text

    def _fill(self, parts: tuple[Part, ...], request: Request, captures: Mapping[str, str]) -> str:
        return "".join(part if isinstance(part, str) else _value(part, request, captures) for part in parts)

    def _settled(self, authority: str, request: Request) -> str | None:
        """The authority as it is sent; None where the request may not choose it, or it is none."""
        if not self.chooses_host:
            return _without_default_port(authority, self.scheme or request.scheme)
        try:
            url = URL.parse(f"{self.scheme or request.scheme}://{authority}/")
        except URLError:
            return None
        if url.username or url.reference != "/" or (self.hosts and url.authority not in self.hosts):
            return None
        return url.authority


def _text(parts: tuple[Part, ...]) -> str:
    return "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in parts)


def _listed(host: str) -> str:
    """An entry of `location_hosts` as URLs have it; without a port it means the default port."""
    try:
        url = URL.parse(f"http://{host}/")
        if host and (url.reference, url.username) == ("/", ""):
            return url.authority
    except URLError:
        pass
    raise TemplateError(
        f"{host!r} in location_hosts is not a host", 'write "eu.example.com", with a port if need be'
    )


def _split_authority(text: str) -> tuple[str, str, str]:
    found = _SCHEME.match(text)
    if not found:
        if text.startswith("/"):
            return "", "", text
        raise TemplateError(
            f"the location {text!r} begins with neither a slash nor http(s)://",
            f'write "/{text}" for this host, or "https://{text}"',
        )
    end = _AUTHORITY_END.search(text, found.end())
    cut = end.start() if end else len(text)
    authority = text[found.end() : cut]
    if not authority:
        raise TemplateError(f"the location {text!r} names no host", "write one slash, or a host")
    return (found[1] or "")[:-1].lower(), authority, text[cut:]


def _parts(text: str, component: Component, groups: frozenset[str]) -> tuple[Part, ...]:
    parts: list[Part] = []
    literal = ""
    position = 0
    for found in _SLOT.finditer(text):
        literal += text[position : found.start()]
        position = found.end()
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
            continue
        if literal:
            parts.append(_literal(literal, component))
        literal = ""
        parts.append(_slot(found, component, groups))
    literal += text[position:]
    if literal:
        parts.append(_literal(literal, component))
    return tuple(parts)


def _slot(found: re.Match[str], component: Component, groups: frozenset[str]) -> Slot:
    name = found[1]
    if name is None:
        raise TemplateError(f"a lone {found[0]!r} in the location", f"write {found[0] * 2!r} for a brace")
    if name in URL_SLOTS:
        if component == "authority" and name not in ("url.hostname", "url.port"):
            raise TemplateError(f"{{{name}}} cannot be a host", "use {url.hostname} there")
        return Slot(name, component)
    if name not in groups:
        raise TemplateError(f"the location uses {{{name}}}, but {_captured(groups)}", _remedy(name, groups))
    return Slot(name, component)


def _captured(groups: frozenset[str]) -> str:
    if not groups:
        return "the pattern captures nothing"
    return "the pattern captures only " + ", ".join(f"{{{name}}}" for name in sorted(groups))


def _remedy(name: str, groups: frozenset[str]) -> str:
    if name.startswith("url"):
        return "the request's own are " + " ".join(f"{{{slot}}}" for slot in URL_SLOTS)
    kind = "a * or (regex)" if name.isdigit() else f":{name}"
    return f"add {kind} to the pattern, or drop {{{name}}}"


# What a literal may not hold raw: it is encoded once, here, as WHATWG would when it parses it.
_LITERAL = re.compile(r"[^\x21-\x7e]|[\"<>`{}^]")


def _literal(text: str, component: Component) -> str:
    if component == "authority":
        return text.lower()
    if component == "path":
        text = text.replace("\\", "/")
    return _LITERAL.sub(_encode, text)


def _encode(found: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in found[0].encode())


def _authority(text: str, scheme: str, groups: frozenset[str], chosen: bool) -> tuple[Part, ...]:
    if "@" in text:
        raise TemplateError("the location carries user information", "drop everything up to the @")
    parts = _parts(text, "authority", groups)
    slots = [part for part in parts if isinstance(part, Slot)]
    if any(slot.name not in URL_SLOTS for slot in slots) and not chosen:
        raise TemplateError(
            "a capture chooses the host of the location: whoever writes the request decides where it goes",
            "list the hosts it may yield in location_hosts, or write the host out",
        )
    if not slots:
        return (_written_authority(text, scheme),) if parts else ()
    sample = "".join(part if isinstance(part, str) else _SAMPLES.get(part.name, "x") for part in parts)
    _written_authority(sample, scheme)
    return parts


_SAMPLES = {"url.hostname": "example.com", "url.port": "8080"}


@lru_cache(maxsize=1024)
def _written_authority(text: str, scheme: str) -> str:
    try:
        if text.isprintable() and " " not in text:
            return URL.parse(f"{scheme or 'http'}://{text}/").authority
    except URLError:
        pass
    raise TemplateError(f"{text!r} is not a host", "write a name or an address, and a port")


def _without_default_port(authority: str, scheme: str) -> str:
    suffix = ":" + DEFAULT_PORTS[scheme]
    if authority.endswith(suffix):
        return authority[: -len(suffix)]
    return authority.removesuffix(":")


def _value(slot: Slot, request: Request, captures: Mapping[str, str]) -> str:
    name = slot.name
    if name == "url.query" and slot.component == "query":
        return encode_octets(request.received_query)
    text = _request_value(name, request) if name.startswith("url.") else captures.get(name, "")
    return _OUTSIDE[slot.component].sub(_encode, text)


def _request_value(name: str, request: Request) -> str:
    match name:
        case "url.hostname":
            return request.hostname
        case "url.port":
            return request.port
        case "url.path":
            return request.path
        case "url.query":
            return request.received_query
        case _:
            return request.scheme
