"""Reloads and a worker's death under load: `python -m bench.serve.reload [--reloads N] [--requests N]`.

Connections ask without a pause while the rule file is replaced again and again. Counted: answers
that are neither an old set's nor the new one's, answers that go back in time on a connection, and
connections that fail. Then one worker is killed under the same load: connections that fail must
all have been its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil
import uvloop

from detour.load import compile_into
from detour.serve.options import Options
from detour.serve.server import serve

_REQUEST = b"POST /v HTTP/1.1\r\nHost: bench.example\r\nContent-Length: 2\r\n\r\n{}"
_LOCATION = b"\r\nLocation: https://v"
_PATIENCE = 60.0  # seconds


class RuleFile(msgspec.Struct, frozen=True):
    """The rule source of the server under load."""

    path: str

    @property
    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def compile(self, descriptor: int, overrides: Mapping[str, Any]) -> None:
        compile_into(descriptor, self.path, overrides)


class Tally:
    """What all connections saw."""

    def __init__(self) -> None:
        self.answers = 0
        self.strange = 0
        self.backwards = 0
        self.failed: list[int] = []  # local ports
        self.seen: set[int] = set()
        self.stopping = False


class Asker(asyncio.Protocol):
    """One connection that keeps `depth` requests on their way."""

    def __init__(self, tally: Tally, depth: int) -> None:
        self._tally = tally
        self._depth = depth
        self._held = b""
        self._last = 0
        self._open = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:  # uvloop's are no subclasses of asyncio's
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]
        self._send(self._depth)

    def data_received(self, data: bytes) -> None:
        *heads, self._held = (self._held + data).split(b"\r\n\r\n")
        for head in heads:
            self._note(head)
        self._open -= len(heads)
        if not self._tally.stopping:
            self._send(len(heads))
        elif self._open == 0:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._open:
            self._tally.failed.append(self._port)
        self.ended.set_result(None)

    def _send(self, count: int) -> None:
        self._open += count
        self._transport.write(_REQUEST * count)

    def _note(self, head: bytes) -> None:
        tally = self._tally
        tally.answers += 1
        start = head.find(_LOCATION)
        if not head.startswith(b"HTTP/1.1 307 ") or start < 0:
            tally.strange += 1
            return
        version = int(head[start + len(_LOCATION) :].partition(b".")[0])
        tally.backwards += version < self._last
        tally.seen.add(version)
        self._last = version


class Server:
    """The server under load, with its log."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.rules = folder / "detours.toml"
        self.write(1)
        self._log = folder / "log"
        argv = [
            sys.executable,
            "-m",
            "bench.serve.reload",
            "--serve",
            str(self.rules),
            "--workers",
            str(workers),
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log, stdout=log)

    def write(self, version: int) -> None:
        """Replace the rule file by its `version`, at once."""
        fresh = self.rules.with_name("fresh")
        fresh.write_text(f'[[rule]]\nname = "v"\npattern = "/v"\nlocation = "https://v{version}.example/"\n')
        fresh.rename(self.rules)

    async def wait_for(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + _PATIENCE
        while (log := self._log.read_text()).count(text) < times:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"never: {text!r} in\n{log}")
            await asyncio.sleep(0.005)

    @property
    def port(self) -> int:
        line = next(line for line in self._log.read_text().splitlines() if "listening on" in line)
        return int(line.rpartition(":")[2])

    def worker(self) -> psutil.Process:
        """One of the processes that hold connections."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if child.net_connections("tcp"))

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def _load(server: Server, connections: int, depth: int) -> tuple[Tally, list[Asker]]:
    tally = Tally()
    loop = asyncio.get_running_loop()
    askers = []
    for _ in range(connections):
        _, asker = await loop.create_connection(lambda: Asker(tally, depth), "127.0.0.1", server.port)
        askers.append(asker)
    return tally, askers


async def _stop(tally: Tally, askers: list[Asker]) -> None:
    tally.stopping = True
    await asyncio.wait_for(asyncio.gather(*(asker.ended for asker in askers)), _PATIENCE)


async def _reach(tally: Tally, answers: int) -> None:
    async with asyncio.timeout(_PATIENCE):
        while tally.answers < answers:
            await asyncio.sleep(0.005)


async def _reload(server: Server, reloads: int, requests: int, connections: int, depth: int) -> Tally:
    tally, askers = await _load(server, connections, depth)
    for number in range(1, reloads + 1):
        await _reach(tally, requests * number // (reloads + 1))
        server.write(number + 1)
        await server.wait_for("reloaded:", number)
    await _reach(tally, requests)
    await _stop(tally, askers)
    return tally


async def _kill(server: Server, connections: int, depth: int) -> tuple[Tally, set[int]]:
    tally, askers = await _load(server, connections, depth)
    await asyncio.sleep(1)
    victim = server.worker()
    own = {held.raddr.port for held in victim.net_connections("tcp") if held.raddr}
    victim.kill()
    await server.wait_for("it is replaced")
    await asyncio.sleep(1)
    await _stop(tally, askers)
    return tally, own


async def _run(arguments: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), arguments.workers)
        try:
            await server.wait_for("ready:")
            began = time.monotonic()
            shape = (arguments.connections, arguments.depth)
            tally = await _reload(server, arguments.reloads, arguments.requests, *shape)
            took = time.monotonic() - began
            killed, own = await _kill(server, *shape)
        finally:
            server.end()
    foreign = set(killed.failed) - own
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(
        f"{arguments.workers} workers, {arguments.connections} connections, {arguments.depth} at once on each"
    )
    print(
        f"{arguments.reloads} reloads: {tally.answers:,} answers in {took:.1f} s, {len(tally.seen)} sets seen"
    )
    print(
        f"  strange {tally.strange}, old after new {tally.backwards}, failed connections {len(tally.failed)}"
    )
    print(f"worker killed: {killed.answers:,} answers, it held {len(own)} connections")
    print(f"  strange {killed.strange}, failed connections {len(killed.failed)}, of others {len(foreign)}")
    print(f"server ended with {server.process.returncode}")
    return not (tally.strange or tally.backwards or tally.failed or killed.strange or foreign)


def main() -> int:
    """Run both loads and print the figures; 1 when something failed that must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=20)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--serve", metavar="RULES", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        options = Options(listen=("http://127.0.0.1:0",), server={"workers": arguments.workers}, admin="off")
        return serve(RuleFile(arguments.serve), options)
    return 0 if uvloop.run(_run(arguments)) else 1


if __name__ == "__main__":
    sys.exit(main())
