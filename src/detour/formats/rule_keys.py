"""The keys that native rules and the lines of an import have in common: conditions, window, fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network
from math import inf
from typing import Any

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, Condition, Cors, Expect, FieldCondition, Share, Terms
from detour.core.url import URL
from detour.errors import DetourError, URLError
from detour.formats.conversion import Converter
from detour.formats.tables import (
    ConditionTable,
    CorsTable,
    DefaultsTable,
    ExpectTable,
    RuleTable,
    ShareTable,
)
from detour.formats.toml_places import Path

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_OURS = re.compile(r"location|cache-control|vary|date|connection|content-.*|transfer-encoding", re.IGNORECASE)


def terms_of(converter: Converter, table: RuleTable, defaults: DefaultsTable, path: Path) -> Terms:
    """What native rules and the lines of an import have in common."""
    redirects = not table.pass_ and table.import_ is None
    default = defaults if redirects else DefaultsTable()
    cache = default.cache if table.cache is None else table.cache
    headers = default.headers if table.headers is None else table.headers
    return Terms.of(
        methods=_methods(converter, table.methods, (*path, "methods")),
        when=_conditions(converter, table.when, (*path, "when")),
        unless=_conditions(converter, table.unless, (*path, "unless")),
        share=_share(converter, table.share, (*path, "share")),
        start=_instant(table.start, -inf),
        end=_instant(table.end, inf),
        query=table.query or default.query,
        cache=None if cache is None else int(cache),
        retry_after=None if table.retry_after is None else int(table.retry_after),
        cors=_cors(converter, default.cors if table.cors is None else table.cors, (*path, "cors")),
        headers=_headers(converter, headers, (*path, "headers")),
        why=table.why,
        expect=tuple(
            expect
            for number, written in enumerate(table.expect)
            if (expect := _expect(converter, written, (*path, "expect", number))) is not None
        ),
    )


def _methods(converter: Converter, methods: tuple[str, ...] | None, path: Path) -> frozenset[str] | None:
    if methods is None:
        return None
    if not methods:
        converter.fault(path, "`methods` is empty: the rule never answers", "drop it for every method")
    for method in methods:
        if method == "CONNECT":
            converter.fault(path, "CONNECT has no target URI to redirect", "drop it")
        elif method not in METHODS:
            known = method.upper() in METHODS
            converter.fault(
                path,
                f"the server does not know the method `{method}`",
                f"write `{method.upper()}`: methods are case-sensitive"
                if known
                else "see `detour explain methods`",
            )
    return frozenset(methods) | ({"HEAD"} if "GET" in methods else frozenset())


def _conditions(converter: Converter, table: ConditionTable | None, path: Path) -> tuple[Condition, ...]:
    if table is None:
        return ()
    fields = [
        *(FieldCondition(name.lower(), _values(v), "header") for name, v in table.header.items()),
        *(FieldCondition(name, _values(v), "query") for name, v in table.query.items()),
        *(FieldCondition(name, _values(v), "cookie") for name, v in table.cookie.items()),
    ]
    for text in table.client:
        try:
            ip_network(text)
        except ValueError as error:
            converter.fault((*path, "client"), str(error), 'write "10.0.0.0/8" or an address')
    return (*fields, *((ClientCondition(table.client),) if table.client else ()))


def _share(converter: Converter, share: float | ShareTable | None, path: Path) -> Share | None:
    if share is None or isinstance(share, ShareTable):
        return None if share is None else Share(share.of, share.cookie)
    if not 0 < share < 1:
        converter.fault(path, f"a share of {share}", "a part is between 0 and 1; drop it for all clients")
    return Share(share)


def _cors(converter: Converter, cors: bool | CorsTable, path: Path) -> Cors | None:
    if isinstance(cors, bool):
        return Cors() if cors else None
    if cors.credentials and cors.origins is None:
        converter.fault(path, "credentials with any origin", 'list the origins: origins = ["https://…"]')
    for origin in cors.origins or ():
        if not re.fullmatch(r"https?://[^/?#@]+", origin):
            converter.fault(path, f"{origin!r} is not an origin", 'write "https://app.example.com"')
    return Cors(
        origins=cors.origins,
        credentials=cors.credentials,
        headers=None if cors.headers == "*" else tuple(cors.headers),
        expose=cors.expose,
        max_age=None if cors.max_age is None else int(cors.max_age),
    )


def _headers(converter: Converter, headers: Mapping[str, str], path: Path) -> tuple[tuple[str, str], ...]:
    for name, value in headers.items():
        if _OURS.fullmatch(name):
            converter.fault(path, f"`headers` may not set {name}", "the server says that itself")
        elif not _TOKEN.fullmatch(name):
            converter.fault(path, f"{name!r} is not a field name", "letters, digits and hyphens")
        elif not (value.isascii() and value.isprintable()):
            converter.fault(path, f"the value of {name} is not printable ASCII", "encode or shorten it")
    return tuple(headers.items())


def _expect(converter: Converter, table: ExpectTable, path: Path) -> Expect | None:
    method, space, url = table.request.partition(" ")
    try:
        if not space:
            raise URLError(f"{table.request!r} has no method", 'write "GET https://example.com/old"')
        URL.parse(url)
        if table.client:
            ip_address(table.client)
    except (DetourError, ValueError) as error:
        converter.fault((*path, "request"), *_two(error))
        return None
    if (table.location is None) == (not table.none) and table.status is None:
        converter.fault(path, "an expect that expects nothing", "give `location`, `status`, or `none = true`")
        return None
    if table.none and table.location is not None:
        converter.fault(path, "`none` and a location", "drop one of the two")
    return Expect(
        span=converter.document.span(path),
        method=method,
        url=url,
        location=table.location,
        none=table.none,
        status=table.status,
        headers=tuple(table.headers.items()),
        client=table.client,
        at=None if table.at is None else table.at.timestamp(),
    )


def _two(error: Exception) -> tuple[str, str]:
    return getattr(error, "fact", str(error)), getattr(error, "remedy", "")


def _instant(written: datetime | None, missing: float) -> float:
    return missing if written is None else written.timestamp()


def _values(wanted: Any) -> tuple[str, ...] | None:
    if wanted is True:
        return None
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)
