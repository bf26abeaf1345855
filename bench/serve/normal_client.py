"""A client that asks at a steady rate and notes how long each answer took."""

from __future__ import annotations

import socket
import time
from itertools import cycle

import msgspec

_GET = b"GET /v1/resource HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
_POST = b"POST /v1/resource HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 2\r\n\r\n{}"
_KEPT = 8  # connections: all workers have some
_FRESH = 10  # every so many requests, one on a connection of its own
_WARM = 200  # requests that are not measured
_PATIENCE = 20.0  # seconds


class Latencies(msgspec.Struct, frozen=True):
    """Milliseconds, sorted, and the requests that went wrong."""

    kept: list[float]
    fresh: list[float]
    failed: int


def percentile(ordered: list[float], share: float) -> float:
    """The value that `share` of the `ordered` ones do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Normal:
    """The client whose latencies count: blocking sockets, no loop of its own that could be late."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept = [self._connect() for _ in range(_KEPT)]
        self._requests = cycle((_GET, _POST))

    def ask_steadily(self, seconds: float, rate: float) -> Latencies:
        """Ask `rate` times a second; every request counts from the instant it was due."""
        for number in range(_WARM):
            self._ask(self._kept[number % _KEPT])
        kept: list[float] = []
        fresh: list[float] = []
        failed = 0
        start = time.perf_counter() + 0.01
        for number in range(int(seconds * rate)):
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            alone = number % _FRESH == _FRESH - 1
            failed += not (self._ask_afresh() if alone else self._ask_kept(number % _KEPT))
            (fresh if alone else kept).append((time.perf_counter() - due) * 1000)
        return Latencies(sorted(kept), sorted(fresh), failed)

    def close(self) -> None:
        for held in self._kept:
            held.close()

    def _ask_kept(self, place: int) -> bool:
        try:
            return self._ask(self._kept[place])
        except OSError:
            self._kept[place].close()
            self._kept[place] = self._connect()
            return False

    def _ask_afresh(self) -> bool:
        try:
            with self._connect() as connection:
                return self._ask(connection)
        except OSError:
            return False

    def _ask(self, connection: socket.socket) -> bool:
        connection.sendall(next(self._requests))
        held = b""
        while b"\r\n\r\n" not in held:
            if not (piece := connection.recv(65536)):
                raise ConnectionError("closed before the answer was complete")
            held += piece
        head, _, content = held.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0])
        while len(content) < length:
            content += connection.recv(65536) or b"?" * length
        return head.startswith(b"HTTP/1.1 307 ")

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), _PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
