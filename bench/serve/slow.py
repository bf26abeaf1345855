"""A normal client beside slow ones: `python -m bench.serve.slow [--runs N] [--seconds N] [--clients N]`.

Each slow client sends one octet of a request head a second, on a connection that it opens again as soon
as it is answered 408 or closed. All begin at once and stay in step: the worst they can do. The normal
client asks at a steady rate, GET and POST in turn, on kept connections, every tenth time on a fresh one.
Its latencies count from the instant a request was due, so that what a stall delays is counted, too.
One server for all runs; each run measures the client alone, then beside the slow ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any, Self

import msgspec
import psutil  # type: ignore[import-untyped]
import uvloop

from bench.serve.reload import RuleFile
from detour.serve.options import Options
from detour.serve.server import serve

BAR = 50.0  # milliseconds by which the slow clients may raise p99
_RULES = '[[rule]]\nname = "resource"\npattern = "/v1/resource"\nlocation = "https://api.example.com/v2"\n'
_GET = b"GET /v1/resource HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
_POST = b"POST /v1/resource HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 2\r\n\r\n{}"
_SLOW_HEAD = b"GET /v1/resource HTTP/1.1\r\nHost: api.example.com\r\nX: " + b"y" * 4096
_KEPT = 8  # connections of the normal client: both workers have some
_FRESH = 10  # every so many requests, one on a connection of its own
_WARM = 200  # requests that are not measured
_PATIENCE = 20.0  # seconds


# -- the slow clients, in a process of their own ----------------------------------------------------------


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
        argv = [sys.executable, "-m", "bench.serve.slow", "--attack", str(port)]
        argv += ["--clients", str(clients), "--seconds", str(seconds + _PATIENCE)]
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


# -- the normal client ------------------------------------------------------------------------------------


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


# -- the server -------------------------------------------------------------------------------------------


class Server:
    """The server under attack, while the context lasts."""

    def __init__(self, folder: Path, workers: int) -> None:
        rules = folder / "detours.toml"
        rules.write_text(_RULES)
        self._log = folder / "log"
        argv = [sys.executable, "-m", "bench.serve.slow", "--serve", str(rules), "--workers", str(workers)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _PATIENCE
        while "ready:" not in self.log:
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise SystemExit(f"the server did not become ready:\n{self.log}")
            time.sleep(0.01)
        self.port = int(next(line for line in self.log.splitlines() if "listening on" in line).split(":")[-1])
        self.workers = [
            child for child in psutil.Process(self._process.pid).children() if self._serves(child)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def memory(self) -> tuple[float, float]:
        """MiB of all workers: proportional share of the machine's memory (PSS), and resident (RSS)."""
        each = [worker.memory_full_info() for worker in self.workers]
        return sum(info.pss for info in each) / 2**20, sum(info.rss for info in each) / 2**20

    def cpu(self) -> float:
        """Seconds of CPU time of all workers."""
        return sum(sum(worker.cpu_times()[:2]) for worker in self.workers)

    def _serves(self, child: psutil.Process) -> bool:
        return any(held.laddr.port == self.port for held in child.net_connections("tcp"))


# -- the measurement --------------------------------------------------------------------------------------


class Run(msgspec.Struct, frozen=True):
    """One run: the client alone, then beside the slow clients, and what those saw."""

    alone: Latencies
    beside: Latencies
    slow: dict[str, Any]
    load: float  # CPU of all workers beside the slow clients, in per cent of one core
    memory: tuple[tuple[float, float], ...]  # before, with the slow clients, after

    def excess(self, share: float = 0.99) -> float:
        """Milliseconds that the slow clients add at this percentile of the kept connections."""
        return percentile(self.beside.kept, share) - percentile(self.alone.kept, share)

    def good(self, clients: int) -> bool:
        """Whether nothing failed and the slow clients were all there, and saw nothing but 408."""
        faults = self.alone.failed or self.beside.failed or self.slow["errors"]
        return not faults and self.slow["open"] >= 0.9 * clients and set(self.slow["statuses"]) <= {"408"}


def _measure(server: Server, seconds: float, alone_seconds: float, rate: float, clients: int) -> Run:
    normal = Normal(server.port)
    try:
        alone = normal.ask_steadily(alone_seconds, rate)
        before = server.memory()
        with Attack(server.port, clients, seconds) as attack:
            spent, began = server.cpu(), time.monotonic()
            beside = normal.ask_steadily(seconds, rate)
            load = (server.cpu() - spent) / (time.monotonic() - began) * 100
            during = server.memory()
    finally:
        normal.close()
    time.sleep(1)  # until the slow ones are gone
    return Run(alone, beside, attack.seen, load, (before, during, server.memory()))


def _line(name: str, ordered: list[float]) -> str:
    p50, p99 = percentile(ordered, 0.5), percentile(ordered, 0.99)
    return f"  {name:<28} {p50:8.2f} {p99:8.2f} {ordered[-1]:8.2f}   {len(ordered):,}"


def _report(number: int, run: Run) -> None:
    print(f"run {number}: ms                       p50      p99      max   requests")
    for name, ordered in (
        ("kept, alone", run.alone.kept),
        ("kept, beside the slow ones", run.beside.kept),
        ("fresh, alone", run.alone.fresh),
        ("fresh, beside the slow ones", run.beside.fresh),
    ):
        print(_line(name, ordered))
    slow = run.slow
    print(
        f"  p99 of kept connections {run.excess():+.2f} ms; failed {run.alone.failed} + {run.beside.failed}"
    )
    print(
        f"  slow: {slow['opened']:,} opened, {slow['open']:,} open at the end, {slow['octets']:,} octets, "
        f"ended with {slow['statuses']}, errors {slow['errors']}; workers' CPU {run.load:.1f} % of a core"
    )
    names = ("before", "with the slow ones", "after")
    sizes = zip(names, run.memory, strict=True)
    print("  MiB, PSS/RSS: " + ", ".join(f"{name} {pss:.1f}/{rss:.1f}" for name, (pss, rss) in sizes))
    sys.stdout.flush()


def _run(flags: argparse.Namespace) -> bool:
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(
        f"{flags.workers} workers; {flags.clients:,} slow clients for {flags.seconds:g} s, {flags.runs} runs"
    )
    print(f"a normal client at {flags.rate:g} requests a second, alone for {flags.alone:g} s")
    runs = []
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), flags.workers) as server:
        for number in range(1, flags.runs + 1):
            runs.append(_measure(server, flags.seconds, flags.alone, flags.rate, flags.clients))
            _report(number, runs[-1])
        clean = "Traceback" not in server.log and all(worker.is_running() for worker in server.workers)
    over = [run.excess() for run in runs]
    print(f"p99 beside minus alone: median {statistics.median(over):+.2f} ms, worst {max(over):+.2f} ms")
    print(f"bar: {BAR:g} ms; workers {'all alive, no traceback' if clean else 'FAILED'}")
    return clean and statistics.median(over) <= BAR and all(run.good(flags.clients) for run in runs)


def main() -> int:
    """Measure and print; 1 when the bar is missed or anything failed that must not."""
    parser = argparse.ArgumentParser(prog="python -m bench.serve.slow", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60, help="length of each attack (default 60)")
    parser.add_argument("--clients", type=int, default=1000, help="slow connections (default 1000)")
    parser.add_argument("--alone", type=float, default=20, help="seconds of the client alone (default 20)")
    parser.add_argument("--rate", type=float, default=200, help="requests a second (default 200)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--serve", metavar="RULES", help=argparse.SUPPRESS)
    parser.add_argument("--attack", metavar="PORT", type=int, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.serve:
        options = Options(listen=("http://127.0.0.1:0",), server={"workers": flags.workers}, admin="off")
        return serve(RuleFile(flags.serve), options)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if flags.attack:
        uvloop.run(_attack(flags.attack, flags.clients, flags.seconds))
        return 0
    return 0 if _run(flags) else 1


if __name__ == "__main__":
    sys.exit(main())
