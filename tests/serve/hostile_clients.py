"""Clients that mean no good, over raw sockets, and a server that is watched while they are at work."""

from __future__ import annotations

import contextlib
import re
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.serve.fake_transport import RULES
from tests.serve.running_server import PATIENCE, RunningServer, eventually

FLAT = 8 * 2**20  # octets by which a worker may grow
_PAUSE = 0.02  # seconds in which a server that does nothing else has read what came
_AT_ONCE = 250  # connections
_OWN_DESCRIPTORS = 500  # that the test process needs beside its clients
_date = re.compile(rb"Date: [^\r]*")

Pieces = Sequence[bytes]


class Target:
    """A running server and its workers as they were at the beginning."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.workers = server.workers()
        self._rss = self.rss()

    def rss(self) -> list[int]:
        """Octets resident, worker by worker; raises `psutil.NoSuchProcess` when one has died."""
        return [worker.memory_info().rss for worker in self.workers]

    def growth(self, since: Sequence[int] | None = None) -> int:
        """Octets by which the worker that grew most has grown."""
        return max(now - then for now, then in zip(self.rss(), since or self._rss, strict=True))

    def cpu(self, seconds: float) -> float:
        """Seconds of CPU time that all workers use in the next `seconds`."""
        before = self._spent()
        time.sleep(seconds)
        return self._spent() - before

    def connect(self, listener: int = 0) -> socket.socket:
        host, _, port = self.server.urls[listener].rpartition("/")[2].rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def talk(self, *talks: Pieces) -> list[bytes]:
        """Each of `talks` on a connection of its own, its pieces sent apart from each other; what came back
        until the server closed, dates left out."""
        answers: list[bytes] = []
        for start in range(0, len(talks), _AT_ONCE):
            answers += self._talk(talks[start : start + _AT_ONCE])
        return answers

    def _talk(self, talks: Sequence[Pieces]) -> list[bytes]:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.connect()) for _ in talks]
            for turn in range(max(map(len, talks))):
                for client, pieces in zip(clients, talks, strict=True):
                    if turn < len(pieces):
                        _say(client, pieces[turn])
                time.sleep(_PAUSE)
            for client in clients:
                _finish(client)
            return [_date.sub(b"", read_all(client)) for client in clients]

    def settles(self) -> None:
        """Wait until no connection is left and the workers have nothing to do."""
        eventually(lambda: not self._open() and self.server.stats()["connections"]["open"] == 0, "all closed")
        eventually(lambda: self.cpu(0.3) < 0.1, "workers that rest")

    def _open(self) -> bool:
        held = (found for worker in self.workers for found in worker.net_connections("tcp"))
        return any(found.status != psutil.CONN_LISTEN for found in held)

    def _spent(self) -> float:
        return sum(sum(worker.cpu_times()[:2]) for worker in self.workers)


@contextlib.contextmanager
def unharmed(
    folder: Path, descriptors: int | None = None, growth: int = FLAT, **options: Any
) -> Iterator[Target]:
    """A server that in the end has the same workers, no traceback, and no more memory than before."""
    rules = folder / "detours.toml"
    rules.write_text(RULES)
    starting = RunningServer(rules, folder, **options)
    if descriptors is not None:  # long before Python has come so far as to raise its own limit
        resource.prlimit(starting.process.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
    with starting as server:
        for _ in range(5):  # few at once: where descriptors are scarce, so are connections
            Target(server).talk(*[[b"GET /v1/resource HTTP/1.1\r\nHost: a.example\r\n\r\n" * 10]] * 40)
        target = Target(server)
        yield target
        target.settles()
        assert server.workers() == target.workers
        assert "Traceback" not in server.log, server.log
        assert target.growth() < growth


@contextlib.contextmanager
def crowd(target: Target, number: int) -> Iterator[list[socket.socket]]:
    """`number` connections, but for those that are reset at once; those still open in the end are closed."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(number):
            with contextlib.suppress(ConnectionResetError):
                clients.append(stack.enter_context(target.connect()))
        yield clients


def read_all(client: socket.socket) -> bytes:
    """What comes until the server closes; a reset ends it, too."""
    octets = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            octets += piece
    return octets


def _say(client: socket.socket, octets: bytes) -> None:
    # A server may close as soon as it has answered `Connection: close`; what it said is read all the same.
    with contextlib.suppress(ConnectionError):
        client.sendall(octets)


def _finish(client: socket.socket) -> None:
    with contextlib.suppress(OSError):  # ENOTCONN: reset already
        client.shutdown(socket.SHUT_WR)


def reset(client: socket.socket) -> None:
    """Close by RST (SO_LINGER 0)."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def statuses(octets: bytes) -> list[int]:
    """The status of each answer in `octets`."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", octets)]


def wait_readable(client: socket.socket) -> None:
    """Return when something has come."""
    assert select.select([client], [], [], PATIENCE)[0]


def fill(clients: Sequence[socket.socket], octets: bytes) -> list[int]:
    """Send `octets` again and again on each of `clients`, never reading, until the server takes no more or
    has cut them off; octets sent on each."""
    sent = dict.fromkeys(clients, 0)
    going = set(clients)
    for client in clients:
        client.setblocking(False)
    while ready := select.select([], going, [], 0.3)[1]:
        for client in ready:
            try:
                while True:
                    sent[client] += client.send(octets[sent[client] % len(octets) :])
            except BlockingIOError:
                pass
            except ConnectionError:
                going.remove(client)
    return list(sent.values())


@contextlib.contextmanager
def flood(clients: Sequence[socket.socket], octets: bytes) -> Iterator[Callable[[], int]]:
    """Each of `clients` sends `octets` again and again and reads what comes, for as long as this is open;
    gives how many octets they have read so far."""
    over = threading.Event()
    read = 0

    def run() -> None:
        nonlocal read
        sent = dict.fromkeys(clients, 0)
        while not over.is_set():
            readable, writable, _ = select.select(clients, clients, [], 1)
            for client in writable:
                with contextlib.suppress(BlockingIOError):
                    sent[client] += client.send(octets[sent[client] % len(octets) :])
            for client in readable:
                read += len(client.recv(1 << 20))

    for client in clients:
        client.setblocking(False)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lambda: read
    finally:
        over.set()
        thread.join()


def many(wanted: int) -> int:
    """`wanted` connections, or as many as this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, hard - _OWN_DESCRIPTORS)
