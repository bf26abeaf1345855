"""The connection over real sockets and a real loop: what a transport of our own could get wrong."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import trustme
import uvloop

from detour.core.settings import ListenerSettings
from detour.serve.answering import Endpoint, Service
from detour.serve.protocol import Connection
from detour.serve.stats import CONNECTIONS_CLOSED, CONNECTIONS_OPENED, LOST_ANSWERS, Counters
from tests.serve.fake_transport import read_answers, request, ruleset
from tests.serve.test_protocol import GET, POST

AUTHORITY = trustme.CA()
LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


class Served:
    """A service on a port of the kernel's choice, in a thread of its own."""

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop], tls: bool) -> None:
        rules = ruleset()
        self.counters = Counters.private(rules.series)
        self.warnings: list[str] = []
        self.service = Service(rules, self.counters, warn=self.warnings.append)
        self.context: ssl.SSLContext | None = None
        if tls:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            AUTHORITY.issue_cert("localhost").configure_cert(self.context)
        self._loop = new_loop()
        self._loop.set_exception_handler(lambda _, context: self.warnings.append(str(context)))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._start(tls), self._loop).result(10)

    async def _start(self, tls: bool) -> int:
        scheme = "https" if tls else "http"
        endpoint = Endpoint(self.service, ListenerSettings(listen=f"{scheme}://127.0.0.1:0"))
        self._server = await self._loop.create_server(
            partial(Connection, endpoint), "127.0.0.1", 0, ssl=self.context
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        self._server.close()
        self.service.close_all()
        await asyncio.sleep(0.05)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), 10)
        if self.context is None:
            return plain
        context = ssl.create_default_context()
        AUTHORITY.configure_trust(context)
        return context.wrap_socket(plain, server_hostname="localhost")

    def becomes(self, slot: int, value: int) -> bool:
        """Whether the counter reaches `value` in good time."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.counters.view[slot] == value:
                return True
            time.sleep(0.01)
        return False


@contextlib.contextmanager
def serving(loop: str, tls: bool) -> Iterator[Served]:
    server = Served(LOOPS[loop], tls)
    yield server
    server.stop()
    gc.collect()
    assert server.warnings == []


@pytest.fixture(params=[(loop, tls) for loop in LOOPS for tls in (False, True)], ids=str)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving(*request.param) as server:
        yield server


@pytest.fixture(params=LOOPS)
def plain(request: pytest.FixtureRequest) -> Iterator[Served]:
    """TCP only: TLS has no half-close and no reset of its own."""
    with serving(request.param, False) as server:
        yield server


def read_all(client: socket.socket) -> bytes:
    octets = b""
    while piece := client.recv(65536):
        octets += piece
    return octets


def read_some(client: socket.socket, answers: int) -> bytes:
    octets = b""
    while octets.count(b"HTTP/1.1 ") < answers or not octets.endswith((b"\r\n", b".\n")):
        octets += client.recv(65536)
    return octets


def test_requests_are_answered_and_the_connection_kept(served: Served) -> None:
    with served.connect() as client:
        for _ in range(3):
            client.sendall(GET)
            assert read_answers(read_some(client, 1))[0].status == 307
        client.sendall(POST * 5)
        assert [answer.status for answer in read_answers(read_some(client, 5))] == [307] * 5


def test_content_answered_early_does_not_cost_the_answer(served: Served) -> None:
    content = b"x" * (4 * 1024 * 1024)
    asked = request("POST /v1/resource HTTP/1.1", f"Content-Length: {len(content)}", content=content)
    with served.connect() as client:
        client.sendall(asked)
        (answer,) = read_answers(read_some(client, 1))
    assert (answer.status, answer.fields["Connection"]) == (307, "close")
    assert served.becomes(CONNECTIONS_CLOSED, 1)


def test_a_client_that_reads_late_gets_every_answer_in_order(served: Served) -> None:
    rounds = 300  # some 10 MB of answers: more than the sockets between them hold
    asked = GET * 99 + request("GET /gone HTTP/1.1", "Connection: keep-alive")

    async def talk() -> bytes:
        context = None
        if served.context is not None:
            context = ssl.create_default_context()
            AUTHORITY.configure_trust(context)
        name = "localhost" if context is not None else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port, ssl=context, server_hostname=name, limit=1024
        )
        writer.write(asked * rounds + request("GET /gone HTTP/1.1", "Connection: close"))
        await asyncio.sleep(0.5)  # the reader's limit is reached: nothing is read, the server must wait
        octets = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return octets

    octets = asyncio.run(talk())
    statuses = [part[:3] for part in octets.split(b"HTTP/1.1 ")[1:]]
    assert statuses == ([b"307"] * 99 + [b"410"]) * rounds + [b"410"]


def test_a_client_that_has_said_all_is_answered_and_closed(plain: Served) -> None:
    with plain.connect() as client:
        client.sendall(GET * 3)
        client.shutdown(socket.SHUT_WR)
        assert len(read_answers(read_all(client))) == 3
    assert plain.becomes(CONNECTIONS_CLOSED, 1)


def test_a_refusal_half_closes_and_waits_for_the_client(plain: Served) -> None:
    with plain.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000)
        assert read_answers(read_all(client))[0].status == 431
        client.sendall(b"y" * 1000)
        assert plain.counters.view[CONNECTIONS_CLOSED] == 0
    assert plain.becomes(CONNECTIONS_CLOSED, 1)


def test_a_reset_before_the_answer_is_flushed_is_counted(plain: Served) -> None:
    with plain.connect() as client:
        client.settimeout(1.5)
        with pytest.raises(TimeoutError):  # neither side can send any more
            client.sendall(GET * 1_000_000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert plain.becomes(CONNECTIONS_CLOSED, 1)
    assert plain.counters.view[LOST_ANSWERS] == 1
    assert plain.counters.view[CONNECTIONS_OPENED] == 1
