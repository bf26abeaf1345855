"""A worker: one event loop that answers on every listener, and does what the parent tells it.

Everything it is given is inherited by fork. It ends when it is told to drain, or when its parent is gone.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
import time
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import msgspec
import uvloop

from detour.core.matcher import SKIP_REASONS, RuleSet
from detour.core.message import Request
from detour.core.settings import ListenerSettings
from detour.errors import ServeError
from detour.serve.answering import Endpoint, Service
from detour.serve.certificate import TLS, renew
from detour.serve.channel import Channel, Kind, Message
from detour.serve.edition import Edition
from detour.serve.listener import BACKLOG
from detour.serve.log import STDERR, STDOUT, LineWriter, format_lines
from detour.serve.protocol import Connection
from detour.serve.stats import LOG_LINES_DROPPED, Bank, Counters

_SWEEP = 0.25  # seconds between two looks for connections past their deadline
_SECOND_TRY = 0.25  # seconds until rules that could not be received are asked for again
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
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._complained = 0  # the generation whose rules could not be received
        self._warnings = LineWriter(STDERR)
        self._log = (
            LineWriter(STDOUT, place.log_lock, self._count_dropped) if place.log_lock is not None else None
        )
        self._service: Service

    async def run(self, edition: Edition) -> int:
        """Serve `edition` and what follows it, then drain."""
        self._counters = Counters(self._place.bank.map(), {})
        self._service = self._begin(edition)
        gc.freeze()  # the rules live long: collections need not walk them
        servers = [await self._listen(door) for door in self._place.doors]
        self._end: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        sweeping = asyncio.ensure_future(self._sweep())
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._receive)
        self._channel.send(Kind.READY, edition.generation)
        await self._drain(servers, await self._serve())
        sweeping.cancel()
        for writer in filter(None, (self._log, self._warnings)):
            writer.close()
        return 0

    def _begin(self, edition: Edition) -> Service:
        # Not in `run`, whose names last as long as the worker: they would hold the first rules for ever.
        rules, self._counters = self._open(edition)
        edition.close()
        log = self._log.write if self._log else None
        service = Service(rules, self._counters, log=log, warn=self._warn)
        service.on_miss = self._hint
        return service

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
                if message.kind is Kind.DRAIN:
                    self._stop(self._place.drain_timeout)
                else:
                    self._messages.put_nowait(message)
        except EOFError:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._stop(_ORPHAN_TIMEOUT)

    def _stop(self, timeout: float) -> None:
        if not self._end.done():
            self._end.set_result(timeout)

    async def _serve(self) -> float:
        """Carry out messages until told to stop; how long open connections then have, in seconds."""
        obeying = asyncio.ensure_future(self._obey())
        # The end waits for nothing: not for rules that are being opened.
        await asyncio.wait((obeying, self._end), return_when=asyncio.FIRST_COMPLETED)
        if obeying.done():
            obeying.result()  # it only ends by failing
        obeying.cancel()
        return await self._end

    async def _obey(self) -> NoReturn:
        while True:
            message = await self._messages.get()
            if message.kind is Kind.RULES:
                await self._replace(message)
            elif message.kind is Kind.CERTIFICATES:
                self._reload_certificates()

    async def _replace(self, message: Message) -> None:
        """Answer from new rules; without a free descriptor go on with the old ones, and ask again."""
        try:
            if not message.whole:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            edition = Edition.received(message)
            loop = asyncio.get_running_loop()
            rules, counters = await loop.run_in_executor(None, self._open, edition)
        except OSError as error:
            message.close()
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._ask_again(message.generation)
            return
        self._counters = counters
        self._service.replace(rules, counters)
        gc.freeze()
        message.close()
        self._channel.send(Kind.READY, message.generation)

    def _ask_again(self, generation: int) -> None:
        if self._complained < generation:
            self._complained = generation
            self._warn(
                f"process {os.getpid()} has no descriptor free to take the new rules, and keeps the old ones "
                "until it has; lower max_connections, or raise the limit (ulimit -n)"
            )
        asyncio.get_running_loop().call_later(_SECOND_TRY, self._channel.send, Kind.AGAIN, generation)

    def _open(self, edition: Edition) -> tuple[RuleSet, Counters]:
        rules, slots = edition.load()
        _ = rules.looks_at  # computed when first asked for: here, not in the loop
        return rules, Counters(self._place.bank.map(), slots)

    def _reload_certificates(self) -> None:
        try:
            renew([door.tls for door in self._place.doors if door.tls is not None])
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
