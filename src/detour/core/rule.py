"""A rule: what its author wrote, parsed and complete. Nothing is filled in later."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from math import inf
from typing import Any, Literal

import msgspec

from detour.core.message import METHODS, Request
from detour.core.template import Template
from detour.errors import Span

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=1024)
def network(text: str) -> Network:
    """The network a CIDR text names; rules hold the text, which can be stored."""
    return ip_network(text)


class FieldCondition(msgspec.Struct, frozen=True, array_like=True, tag="field"):
    """A header field, cookie or query parameter that must be present, or have one of `values`."""

    name: str  # a header field's name is in lower case
    values: tuple[str, ...] | None  # None: any value will do
    of: Literal["header", "cookie", "query"]

    def holds(self, request: Request) -> bool:
        found = _READERS[self.of](request, self.name)
        if self.values is None:
            return next(iter(found), None) is not None
        return any(value in self.values for value in found)


_READERS = {"header": Request.values, "cookie": Request.cookies, "query": Request.parameters}


class ClientCondition(msgspec.Struct, frozen=True, array_like=True, tag="client"):
    """The client's address must lie in one of `networks` (CIDR)."""

    networks: tuple[str, ...]

    def holds(self, request: Request) -> bool:
        if not request.client:
            return False
        address = ip_address(request.client)
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network(text) for text in self.networks)


Condition = FieldCondition | ClientCondition


class Share(msgspec.Struct, frozen=True, array_like=True):
    """A sticky part of all clients, `of` in (0, 1), told apart by address or by a cookie."""

    of: float
    cookie: str = ""


class Cors(msgspec.Struct, frozen=True, array_like=True):
    """What a rule says to browsers of other origins (Fetch, CORS protocol)."""

    origins: tuple[str, ...] | None = None  # None: any
    credentials: bool = False
    headers: tuple[str, ...] | None = ()  # None: whatever is asked for
    expose: tuple[str, ...] = ()
    max_age: int | None = None  # seconds

    def allows(self, origin: str) -> bool:
        return self.origins is None or origin in self.origins


class ParameterCapture(msgspec.Struct, frozen=True, array_like=True):
    """A query parameter an imported line asks for: a literal value, or a capture under `group`."""

    name: str
    value: str | None = None
    group: str | None = None


class Example(msgspec.Struct, frozen=True, array_like=True):
    """An `expect` of a rule, which `detour test` runs; `location` None with `none` means no redirect."""

    rule: str  # the name of the rule, or of the import
    start: float  # the rule's window, as in `Terms`
    end: float
    span: Span
    method: str
    url: str
    location: str | None = None
    none: bool = False
    answers: bool = True  # whether the rule, or a line of the import, must be what answers
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    client: str = ""
    at: float | None = None  # seconds since the epoch


class Terms(msgspec.Struct, frozen=True, array_like=True):
    """When a rule applies and what it says besides the Location; the lines of an import share theirs."""

    methods: frozenset[str] | None = None  # None: every method; HEAD is in it where GET is
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    share: Share | None = None
    start: float = -inf  # `from`, seconds since the epoch; windows are [start, end)
    end: float = inf  # `until`
    query: Literal["keep", "drop"] = "keep"
    cache: int | None = None  # seconds
    retry_after: int | None = None  # seconds
    cors: Cors | None = None
    headers: tuple[tuple[str, str], ...] = ()
    why: str = ""
    depends: frozenset[str] = frozenset()  # what they look at: fields in lower case, "client"; see `of`
    settled: bool = False  # whether they say the same to every request at any time; see `of`

    @classmethod
    def of(cls, **keys: Any) -> Terms:
        """Terms that know what they depend on."""
        terms = cls(**keys)
        settled = all(keys.get(key, default) == default for key, default in _UNSETTLING.items())
        return msgspec.structs.replace(terms, depends=frozenset(_looks_at(terms)), settled=settled)

    def alive(self, now: float) -> bool:
        return self.start <= now < self.end

    def allows(self, method: str) -> bool:
        return method in (METHODS if self.methods is None else self.methods)


# The keys of terms that make an answer depend on more than the target URI, or add fields to it.
_UNSETTLING = {
    field.name: field.default
    for field in msgspec.structs.fields(Terms)
    if field.name in ("methods", "when", "unless", "share", "start", "end", "retry_after", "cors", "headers")
}


def _looks_at(terms: Terms) -> Iterator[str]:
    for condition in (*terms.when, *terms.unless):
        if isinstance(condition, ClientCondition):
            yield "client"
        elif condition.of != "query":  # the query is in the target URI
            yield "cookie" if condition.of == "cookie" else condition.name
    if terms.share is not None:
        yield "client"
        if terms.share.cookie:
            yield "cookie"
    if terms.cors is not None:
        yield "origin"


class Rule(msgspec.Struct, frozen=True):
    """Pattern, location, status and terms. A rule without a template is a `pass` rule."""

    name: str  # unique in its set; IMPORT:LINE for an imported line
    series: str  # the name its hits are counted under: its own, or its import's
    span: Span
    pattern: str
    template: Template | None
    status: int
    terms: Terms
    ignore_case: bool = False
    parameters: tuple[ParameterCapture, ...] = ()
    takes_query: bool = False  # the template uses the query already, so nothing of it is appended
