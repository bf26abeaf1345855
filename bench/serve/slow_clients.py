"""Clients that send an octet of a request head a second: `python -m bench.serve.slow_clients PORT N SECONDS`.

Each opens its connection again as soon as it is answered 408 or closed, until stdin ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
from collections import Counter
from typing import Any, Self

import uvloop

_SLOW_HEAD = b"GET /v1/resource HTTP/1.1\r\nHost: api.example.com\r\nX: " + b"y" * 4096
_PATIENCE = 20.0  # seconds


class Tally:
    """What all slow connections saw."""

    def __init__(self) -> None:
        self.opened = 0
        self.open = 0
        self.octets = 0
        self.statuses: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.stopping = False


class Slow(asyncio.Protocol):
    """One connection that sends an octet a second until it is answered or closed."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._sent = 0
        self._answer = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:  # uvloop's are no subclasses of asyncio's
        self._transport = transport
        self._tally.opened += 1
        self._tally.open += 1
        self._begun = asyncio.get_running_loop().time()
        self._send()

    def _send(self) -> None:
        self._transport.write(_SLOW_HEAD[self._sent : self._sent + 1])
        self._sent += 1
        self._tally.octets += 1
        self._timer = asyncio.get_running_loop().call_at(self._begun + self._sent, self._send)

    def data_received(self, data: bytes) -> None:
        self._answer += data

    def connection_lost(self, error: Exception | None) -> None:
        self._timer.cancel()
        self._tally.open -= 1
        self.ended.set_result(None)
        if self._tally.stopping:
            return
        self._tally.statuses[self._answer[9:12].decode() or "none"] += 1
        if error is not None:
            self._tally.errors[type(error).__name__] += 1


async def _stay(tally: Tally, port: int) -> None:
    """One slow client, connection after connection."""
    while not tally.stopping:
        try:
            _, slow = await asyncio.get_running_loop().create_connection(
                lambda: Slow(tally), "127.0.0.1", port
            )
        except OSError as error:
            tally.errors[f"connect: {type(error).__name__}"] += 1
            await asyncio.sleep(0.1)
        else:
            await slow.ended


async def _attack(port: int, clients: int, most: float) -> None:
    """Slow clients until stdin ends, or `most` seconds have passed; what they saw, to stdout."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_reader(0, told.set)
    tasks = [asyncio.ensure_future(_stay(tally, port)) for _ in range(clients)]
    while tally.open < clients and not told.is_set():
        await asyncio.sleep(0.01)
    print("open", flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), most)
    tally.stopping = True
    for task in tasks:
        task.cancel()
    seen = {name: getattr(tally, name) for name in ("opened", "open", "octets", "statuses", "errors")}
    print(json.dumps(seen), flush=True)


class Attack:
    """The process of the slow clients, while the context lasts; `seen` afterwards."""

    def __init__(self, port: int, clients: int, seconds: float) -> None:
        numbers = (port, clients, seconds + _PATIENCE)
        argv = [sys.executable, "-m", "bench.serve.slow_clients", *map(str, numbers)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seen: dict[str, Any] = {}

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "open\n":
            raise SystemExit("the slow clients did not come to be")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.seen = json.loads(self._process.communicate(timeout=_PATIENCE)[0])
        finally:
            self._process.kill()
            self._process.wait()


def main() -> int:
    """Be the slow clients."""
    port, clients, seconds = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    uvloop.run(_attack(int(port), int(clients), float(seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
