"""The admin listener: health, metrics, rules and hits, from a process of its own.

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
from collections.abc import Iterator

import uvicorn
import uvloop

from detour.serve.channel import Channel, Kind, Message
from detour.serve.diagnostics import say
from detour.serve.edition import Edition
from detour.serve.host_guard import guard_host
from detour.serve.pages import application as own_application
from detour.serve.readings import ASGI, Application, Readings

_KEEP_ALIVE = 5  # seconds
_LAST_ANSWERS = 1  # seconds for open requests at the end


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
        if message.kind is Kind.RULES:
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
