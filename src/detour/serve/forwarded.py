"""Who asks, over what: fields that proxies add, believed from trusted peers only. Pure.

A listener names one family of fields (RFC 7239 `Forwarded`, or `X-Forwarded-*`) and the networks
of the proxies that send it. Each proxy appends, so a list is read from the right: what the trusted
peer wrote stands last, and only while the addresses named are trusted ones does it go on to the left.
The first that is not trusted is the client. Scheme, and host where the listener says so, come from
the rightmost element.

What is malformed is not believed. Scheme and host are the connection's own then. The client is
unknown (""), not the peer: the peer is a proxy for certain, and a rule for its network must not
answer a stranger who garbled the field on purpose. The same holds for `unknown` and obfuscated
identifiers (RFC 7239 §6.2, §6.3). A trusted peer that sends no such field asks for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Literal

import msgspec

from detour.core.rule import Network

Fields = Sequence[tuple[str, str]]  # names in lower case, in the order received
Source = Literal["forwarded", "x-forwarded"]

FIELD_NAMES = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"})
SCHEMES = frozenset({"http", "https"})


class Asker(msgspec.Struct, frozen=True):
    """Who asks, over what: scheme, host as in Host (None: none named), address ("": unknown)."""

    scheme: str
    host: str | None
    client: str


def believe(
    source: Source, fields: Fields, own: Asker, trusted: Sequence[Network], trust_host: bool
) -> Asker:
    """What a trusted peer's `source` fields make of the connection's `own` asker."""
    elements = _READERS[source](fields)
    if elements is None:
        return own
    last = elements[-1]
    return Asker(
        scheme=last.scheme if last.scheme in SCHEMES else own.scheme,
        host=last.host if trust_host and last.host is not None else own.host,
        client=_client(elements, own.client, trusted),
    )


def claimed_schemes(fields: Fields, believed: Source | None = None) -> frozenset[str]:
    """Every scheme that forwarded fields name, those of the `believed` family apart.

    Evidence, not truth: it serves to recognize a redirect that a proxy in front turns into a loop.
    """
    found: set[str] = set()
    if believed != "forwarded":
        found.update(element.scheme for element in _read_forwarded(fields) or ())
    if believed != "x-forwarded":
        found.update(item.lower() for item in _items(fields, "x-forwarded-proto"))
    return frozenset(found) & SCHEMES


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether `address`, as written by `plain_address`, lies in one of the networks."""
    if not address or not trusted:
        return False
    parsed = ip_address(address)
    return any(parsed in network for network in trusted)


def plain_address(text: str) -> str:
    """An IP address as Python writes it, without zone, IPv4-mapped as IPv4; "" for what is none."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


class _Element(msgspec.Struct, frozen=True):
    """What one proxy said. `node`, who asked it, is read only when the walk comes by."""

    node: str | None = None
    scheme: str = ""
    host: str | None = None


def _client(elements: Sequence[_Element], peer: str, trusted: Sequence[Network]) -> str:
    """Right to left: the first address that is not trusted, else the leftmost named."""
    if elements[-1].node is None:
        return peer
    client = ""
    for element in reversed(elements):
        client = _address(element.node or "")
        if not is_trusted(client, trusted):
            break
    return client


# RFC 7239 §6: a port may be obfuscated too.
_NODE = re.compile(r"(?:\[([^\[\]]+)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?")


def _address(node: str) -> str:
    """The address of a node identifier; "" for `unknown`, an obfuscated one, and what is neither.

    IPv6 without brackets is how X-Forwarded-For is written in the wild.
    """
    found = _NODE.fullmatch(node)
    return plain_address(found[1] or found[2]) if found is not None else plain_address(node)


# RFC 7239 §4: parameters, and elements, in RFC 9110's list syntax (empty elements are allowed).
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = re.compile(rf'[ \t]*({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")[ \t]*')
_SPACE = re.compile(r"[ \t]*")
_ESCAPED = re.compile(r"\\(.)")
_MALFORMED = _Element(node="")


def _read_forwarded(fields: Fields) -> list[_Element] | None:
    """Each line stands for itself, so that a garbled one cannot swallow what a proxy adds in its own."""
    lines = [value for name, value in fields if name == "forwarded"]
    elements = [element for line in lines for element in _forwarded_line(line)]
    return elements or None


def _forwarded_line(line: str) -> list[_Element]:
    elements: list[_Element] = []
    pairs: dict[str, str] = {}
    at = 0
    while at <= len(line):
        found = _PAIR.match(line, at)
        if found is not None:
            name = found[1].lower()
            if name in pairs:  # §4: each parameter at most once in an element
                return [_MALFORMED]
            pairs[name] = found[2] if found[2] is not None else _ESCAPED.sub(r"\1", found[3])
        at = (found or _SPACE.match(line, at)).end()  # type: ignore[union-attr]
        mark = line[at : at + 1]
        if mark not in (",", ";", ""):
            return [_MALFORMED]
        if mark != ";" and pairs:
            elements.append(_Element(pairs.get("for"), pairs.get("proto", "").lower(), pairs.get("host")))
            pairs = {}
        at += 1
    return elements


def _read_x_forwarded(fields: Fields) -> list[_Element] | None:
    """The addresses, left to right; the rightmost scheme and host belong to the last of them."""
    nodes = _items(fields, "x-forwarded-for")
    schemes = _items(fields, "x-forwarded-proto")
    hosts = _items(fields, "x-forwarded-host")
    if not (nodes or schemes or hosts):
        return None
    scheme = schemes[-1].lower() if schemes else ""
    last = _Element(nodes[-1] if nodes else None, scheme, hosts[-1] if hosts else None)
    return [*(_Element(node) for node in nodes[:-1]), last]


def _items(fields: Fields, name: str) -> list[str]:
    items = (item.strip(" \t") for field, line in fields if field == name for item in line.split(","))
    return [item for item in items if item]


_READERS = {"forwarded": _read_forwarded, "x-forwarded": _read_x_forwarded}
