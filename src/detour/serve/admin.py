"""The admin listener: health, metrics, rules and hits, from a process of its own.

Its pages are /healthz, /readyz, /metrics, /rules and /stats.

Security: it answers GET (and OPTIONS), changes nothing, and has no authentication, so it listens on loopback
unless told otherwise. Rules can hold what is not for everybody (internal hosts): do not expose it.
A web page open in a browser on this machine must not read it by way of a name that its author
points to 127.0.0.1 (DNS rebinding): a Host that is neither an address nor `localhost` is answered
421, and there is no CORS.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from math import isinf
from typing import Annotated, Any

import msgspec
import uvicorn
import uvloop
from litestar import Litestar, MediaType, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import Parameter

from detour.core.rule import Rule
from detour.serve import stats
from detour.serve.board import ASGI, Application, Readings
from detour.serve.channel import Channel, Kind, Message
from detour.serve.edition import Edition
from detour.serve.log import say
from detour.serve.metrics import expose

_KEEP_ALIVE = 5  # seconds
_LAST_ANSWERS = 1  # seconds for open requests at the end
_SECOND_TRY = 0.25  # seconds until rules that could not be received are asked for again
_MOST_LISTED = 1000
_EXPOSITION = "text/plain; version=0.0.4"  # the framework adds the charset
_UNCACHED = {"Cache-Control": "no-store"}
_REFUSAL = b"This listener answers to an address or to localhost; ask it by one of these.\n"


def run(
    bound: socket.socket,
    readings: Readings,
    edition: Edition,
    channel: Channel,
    application: Application | None = None,
) -> int:
    """Answer on `bound` until told to drain, or the parent is gone; the exit status."""
    app = guard_host((application or own_application)(readings))
    uvloop.run(Admin(bound, readings, channel, app).run(edition))
    return 0


class _Uvicorn(uvicorn.Server):
    """Without its own signal handlers: the parent says when to end, and readiness must be told till then."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Admin:
    """The state of the admin process."""

    def __init__(self, bound: socket.socket, readings: Readings, channel: Channel, app: ASGI) -> None:
        self._bound = bound
        self._readings = readings
        self._channel = channel
        self._loading: asyncio.Task[None] | None = None
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_LAST_ANSWERS,
            )
        )

    async def run(self, edition: Edition) -> None:
        """Serve, first without rules, soon with those of `edition`."""
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._receive)
        self._load_after(None, edition)
        await self._server.serve([self._bound])

    def _receive(self) -> None:
        try:
            while (message := self._channel.receive()) is not None:
                self._obey(message)
        except EOFError:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._server.should_exit = True

    def _obey(self, message: Message) -> None:
        if message.kind is Kind.RULES and not message.whole:  # no free descriptor: asked for again
            message.close()
            loop = asyncio.get_running_loop()
            loop.call_later(_SECOND_TRY, self._channel.send, Kind.AGAIN, message.generation)
        elif message.kind is Kind.RULES:
            self._load_after(self._loading, Edition.received(message))
        elif message.kind is Kind.DRAIN:
            self._server.should_exit = True

    def _load_after(self, before: asyncio.Task[None] | None, edition: Edition) -> None:
        self._loading = asyncio.ensure_future(self._load(before, edition))

    async def _load(self, before: asyncio.Task[None] | None, edition: Edition) -> None:
        if before is not None:
            await before  # editions take effect in order
        try:
            rules, slots = await asyncio.get_running_loop().run_in_executor(None, edition.load)
        except Exception as error:  # the health of the server must stay visible whatever became of the rules
            say(f"the admin listener shows the rules of before: {error}")
        else:
            self._readings.replace(rules, slots)
        finally:
            edition.close()
        self._channel.send(Kind.READY, edition.generation)


# --- the pages ------------------------------------------------------------------------------


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
    shown = readings.rules.rules[start : start + limit]
    more = start + limit < len(readings.rules.rules)
    if more:
        readings.remember(shown[-1].name, start + limit - 1)
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


def own_application(readings: Readings) -> ASGI:
    """Detour's own pages over `readings`."""
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


# --- the guard ------------------------------------------------------------------------------


def is_plain_host(host: str) -> bool:
    """Whether a Host field names an address or `localhost`, with or without a port."""
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        port = port.removeprefix(":") if closed else "?"
    else:
        name, _, port = host.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return False
    return name.lower().rstrip(".") == "localhost" or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def guard_host(app: ASGI) -> ASGI:
    """`app`, asked only when exactly one Host came and it is no name; else 421 (RFC 9110 §15.5.20)."""

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not _welcome(scope["headers"]):
            await _refuse(send)
        else:
            await app(scope, receive, send)

    return guarded


def _welcome(fields: Iterable[tuple[bytes, bytes]]) -> bool:
    hosts = [value.decode("latin-1") for name, value in fields if name == b"host"]
    return len(hosts) == 1 and is_plain_host(hosts[0])


async def _refuse(send: Any) -> None:
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_REFUSAL))]
    await send({"type": "http.response.start", "status": 421, "headers": fields})
    await send({"type": "http.response.body", "body": _REFUSAL})
