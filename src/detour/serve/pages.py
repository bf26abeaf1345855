"""What the admin listener answers: /healthz, /readyz, /metrics, /rules, /stats."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice
from math import isinf
from typing import Annotated, Any

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import Parameter

from detour.core.rule import Rule
from detour.serve import stats
from detour.serve.metrics import expose
from detour.serve.readings import ASGI, Readings

_MOST_LISTED = 1000
_EXPOSITION = "text/plain; version=0.0.4"  # the framework adds the charset
_UNCACHED = {"Cache-Control": "no-store"}


class RuleRow(msgspec.Struct, frozen=True, rename={"start": "from", "end": "until"}):
    """A rule as /rules lists it; times are RFC 3339, null when open."""

    name: str
    span: str
    pattern: str
    location: str | None  # null: a `pass` rule
    status: int
    start: str | None
    end: str | None
    counted_under: str  # its own name, or its import's
    hits: int  # of all that is counted under that name


class RulePage(msgspec.Struct, frozen=True):
    """One page of /rules; ask again with `after` = `next` until it is null."""

    rules: list[RuleRow]
    next: str | None


@get("/healthz", media_type=MediaType.TEXT)
async def healthz() -> str:
    """200 as long as the parent lives: this process ends with it."""
    return "ok\n"


@get("/readyz", media_type=MediaType.TEXT)
async def readyz(state: State) -> Response[str]:
    """200 when requests should be sent here; 503 before the start is complete and while draining."""
    readings: Readings = state.readings
    return Response(
        "ready\n" if readings.serving else "not ready\n", status_code=200 if readings.serving else 503
    )


@get("/metrics")
async def metrics(state: State) -> Response[bytes]:
    """Prometheus text."""
    return Response(expose(state.readings), media_type=_EXPOSITION)


@get("/rules")
async def rules(
    state: State,
    after: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=_MOST_LISTED)] = _MOST_LISTED,
) -> RulePage:
    """Rules in file order, from the one after the rule `after`; 404 when there is none of that name."""
    readings: Readings = state.readings
    place = -1 if after is None else readings.place_of(after)
    if place is None:
        raise NotFoundException(f"no rule is named {after!r}; start again without `after`")
    start = place + 1
    shown = list(islice(readings.rules.rules, start, start + limit))
    more = start + limit < len(readings.rules.rules)
    return RulePage([_row(rule, readings) for rule in shown], shown[-1].name if more else None)


@get("/stats", name="stats")
async def statistics(state: State) -> dict[str, Any]:
    """The numbers of /metrics, hits of single rules apart."""
    readings: Readings = state.readings
    opened, closed = readings.total(stats.CONNECTIONS_OPENED), readings.total(stats.CONNECTIONS_CLOSED)
    return {
        "server": readings.board.as_dict(),
        "answers": [
            {"method": method, "status": status, "count": count}
            for method, status, count in readings.answers()
        ],
        "connections": {"opened": opened, "closed": closed, "open": max(0, opened - closed)},
        "refused_heads": readings.total(stats.REFUSED_HEADS),
        "lost_answers": readings.total(stats.LOST_ANSWERS),
        "log_lines_dropped": readings.total(stats.LOG_LINES_DROPPED),
        "next_expiry": readings.rules.next_edge(time.time()),
    }


def application(readings: Readings) -> ASGI:
    """The admin application over `readings`."""
    return Litestar(
        route_handlers=[healthz, readyz, metrics, rules, statistics],
        state=State({"readings": readings}, deep_copy=False),
        response_headers=_UNCACHED,
        openapi_config=None,
        logging_config=None,
    )


def _row(rule: Rule, readings: Readings) -> RuleRow:
    return RuleRow(
        name=rule.name,
        span=str(rule.span),
        pattern=rule.pattern,
        location=rule.template.text if rule.template is not None else None,
        status=rule.status,
        start=_time(rule.terms.start),
        end=_time(rule.terms.end),
        counted_under=rule.series,
        hits=readings.hits(rule.series),
    )


def _time(instant: float) -> str | None:
    return None if isinf(instant) else datetime.fromtimestamp(instant, UTC).isoformat()
