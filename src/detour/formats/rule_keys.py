"""The keys that native rules and the lines of an import have in common: conditions, window, fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import inf
from typing import Any

from detour.core.rule import ClientCondition, Condition, Cors, Example, FieldCondition, Share, Terms
from detour.formats.conversion import Document
from detour.formats.tables import ConditionTable, CorsTable, DefaultsTable, RuleTable, ShareTable
from detour.formats.toml_places import Path


def terms_of(table: RuleTable, defaults: DefaultsTable) -> Terms:
    """When the rule applies, and what it says besides the Location."""
    redirects = not table.pass_ and table.import_ is None
    default = defaults if redirects else DefaultsTable()
    cache = default.cache if table.cache is None else table.cache
    headers = default.headers if table.headers is None else table.headers
    return Terms.of(
        methods=_methods(table.methods),
        when=_conditions(table.when),
        unless=_conditions(table.unless),
        share=_share(table.share),
        start=_instant(table.start, -inf),
        end=_instant(table.end, inf),
        query=table.query or default.query,
        cache=None if cache is None else int(cache),
        retry_after=None if table.retry_after is None else int(table.retry_after),
        cors=_cors(default.cors if table.cors is None else table.cors),
        headers=tuple(headers.items()),
        why=table.why,
    )


def examples_of(table: RuleTable, document: Document, path: Path) -> Iterator[Example]:
    """The examples of the rule at `path`: as often as they are written, whatever it compiles to."""
    for number, written in enumerate(table.expect):
        method, _, url = written.request.partition(" ")
        yield Example(
            rule=table.name,
            start=_instant(table.start, -inf),
            end=_instant(table.end, inf),
            span=document.span((*path, "expect", number)),
            method=method,
            url=url,
            location=written.location,
            none=written.none,
            answers=table.pass_ or not written.none,
            status=written.status,
            headers=tuple(written.headers.items()),
            client=written.client,
            at=None if written.at is None else written.at.timestamp(),
        )


def _methods(methods: tuple[str, ...] | None) -> frozenset[str] | None:
    if methods is None:
        return None
    return frozenset(methods) | ({"HEAD"} if "GET" in methods else frozenset())


def _conditions(table: ConditionTable | None) -> tuple[Condition, ...]:
    if table is None:
        return ()
    return (
        *(FieldCondition(name.lower(), _values(v), "header") for name, v in table.header.items()),
        *(FieldCondition(name, _values(v), "query") for name, v in table.query.items()),
        *(FieldCondition(name, _values(v), "cookie") for name, v in table.cookie.items()),
        *((ClientCondition(table.client),) if table.client else ()),
    )


def _values(wanted: Any) -> tuple[str, ...] | None:
    if wanted is True:
        return None
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def _share(share: float | ShareTable | None) -> Share | None:
    if isinstance(share, ShareTable):
        return Share(share.of, share.cookie)
    return None if share is None else Share(share)


def _cors(cors: bool | CorsTable) -> Cors | None:
    if isinstance(cors, bool):
        return Cors() if cors else None
    return Cors(
        origins=cors.origins,
        credentials=cors.credentials,
        headers=None if cors.headers == "*" else tuple(cors.headers),
        expose=cors.expose,
        max_age=None if cors.max_age is None else int(cors.max_age),
    )


def _instant(written: datetime | None, missing: float) -> float:
    return missing if written is None else written.timestamp()
