"""A worker: one event loop that answers on every listener, and does what the parent tells it.

Everything it is given is inherited by fork. It ends when it is told to drain, or when its parent is gone.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Sequence
from functools import partial

import msgspec
import uvloop

from detour.core.matcher import SKIP_REASONS, RuleSet
from detour.core.message import Request
from detour.core.settings import ListenerSettings
from detour.errors import ServeError
from detour.serve.answering import Endpoint, Service
from detour.serve.certificate import TLS
from detour.serve.channel import Channel, Kind, Message
from detour.serve.listener import BACKLOG
from detour.serve.log import STDERR, STDOUT, LineWriter, format_lines
from detour.serve.protocol import Connection
from detour.serve.snapshot import Edition
from detour.serve.stats import LOG_LINES_DROPPED, Bank, Counters

_SWEEP = 0.25  # seconds between two looks for connections past their deadline
_LAST_ACCEPT = 0.02  # seconds in which what is queued already is still taken in
_ORPHAN_TIMEOUT = 1.0  # seconds for open connections when the parent is gone
_MOST_HINTS = 3  # rules named for one request that none answered


class Door(msgspec.Struct, frozen=True):
    """One listener as one worker has it."""

    settings: ListenerSettings
    socket: socket.socket
    tls: TLS | None


class Place(msgspec.Struct, frozen=True):
    """What a worker is given, and hands on to its successor."""

    doors: tuple[Door, ...]
    bank: Bank
    log_lock: int | None  # a descriptor when the access log is on
    drain_timeout: float  # seconds


def run(place: Place, edition: Edition, channel: Channel) -> int:
    """Answer until told to stop; the exit status."""
    return uvloop.run(Worker(place, channel).run(edition))


class Worker:
    """The state of one worker process."""

    def __init__(self, place: Place, channel: Channel) -> None:
        self._place = place
        self._channel = channel
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._warnings = LineWriter(STDERR)
        self._log = (
            LineWriter(STDOUT, place.log_lock, self._count_dropped) if place.log_lock is not None else None
        )
        self._service: Service

    async def run(self, edition: Edition) -> int:
        """Serve `edition` and what follows it, then drain."""
        self._counters = Counters(self._place.bank.map(), {})
        rules, self._counters = self._open(edition)
        edition.close()
        self._service = Service(
            rules, self._counters, log=self._log.write if self._log else None, warn=self._warn
        )
        self._service.on_miss = self._hint
        gc.freeze()  # the rules live long: collections need not walk them
        servers = [await self._listen(door) for door in self._place.doors]
        sweeping = asyncio.ensure_future(self._sweep())
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._receive)
        self._channel.send(Kind.READY, edition.generation)
        timeout = await self._obey()
        await self._drain(servers, timeout)
        sweeping.cancel()
        for writer in filter(None, (self._log, self._warnings)):
            writer.close()
        return 0

    async def _listen(self, door: Door) -> asyncio.Server:
        connection = partial(Connection, Endpoint(self._service, door.settings))
        loop = asyncio.get_running_loop()
        if door.tls is None:
            return await loop.create_server(connection, sock=door.socket, backlog=BACKLOG)
        return await loop.create_server(
            connection,
            sock=door.socket,
            backlog=BACKLOG,
            ssl=door.tls.context,
            ssl_handshake_timeout=float(door.settings.head_timeout),
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self._service.sweep()

    def _receive(self) -> None:
        try:
            while (message := self._channel.receive()) is not None:
                self._messages.put_nowait(message)
        except EOFError:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._messages.put_nowait(None)

    async def _obey(self) -> float:
        """Carry out messages until one ends the service; how long open connections then have, in seconds."""
        while (message := await self._messages.get()) is not None:
            match message.kind:
                case Kind.RULES:
                    await self._replace(Edition.received(message))
                case Kind.CERTIFICATES:
                    self._reload_certificates()
                case Kind.DRAIN:
                    return self._place.drain_timeout
                case Kind.READY:
                    pass  # what a child says; never sent to one
        return _ORPHAN_TIMEOUT

    async def _replace(self, edition: Edition) -> None:
        loop = asyncio.get_running_loop()
        rules, self._counters = await loop.run_in_executor(None, self._open, edition)
        self._service.replace(rules, self._counters)
        gc.freeze()
        edition.close()
        self._channel.send(Kind.READY, edition.generation)

    def _open(self, edition: Edition) -> tuple[RuleSet, Counters]:
        # A collection among a million new objects finds nothing and costs a second.
        gc.disable()
        try:
            rules, slots = edition.load()
        finally:
            gc.enable()
        _ = rules.looks_at  # computed when first asked for: here, not in the loop
        return rules, Counters(self._place.bank.map(), slots)

    def _reload_certificates(self) -> None:
        for door in self._place.doors:
            try:
                if door.tls is not None:
                    door.tls.reload()
            except ServeError as error:  # replaced again since the parent looked: it will look again, too
                self._warn(str(error))

    async def _drain(self, servers: Sequence[asyncio.Server], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        await asyncio.sleep(_LAST_ACCEPT)
        for server in servers:
            server.close()
        self._service.drain()
        while self._service.connections and time.monotonic() < deadline:
            await asyncio.sleep(_LAST_ACCEPT)
        self._service.close_all()

    def _hint(self, request: Request) -> None:
        """Say which rules nearly answered a request that got 404."""
        _, skipped = self._service.ruleset.explain(request, self._service.clock())
        for near in skipped[:_MOST_HINTS]:
            why = near.detail or SKIP_REASONS[near.reason]
            self._warn(
                f"404 for {request.method} {request.target_uri}: not rule {near.rule.name}, because {why}"
            )

    def _count_dropped(self) -> None:
        self._counters.view[LOG_LINES_DROPPED] += 1

    def _warn(self, text: str) -> None:
        self._warnings.write(format_lines(text))
