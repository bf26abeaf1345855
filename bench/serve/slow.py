"""A normal client beside slow ones: `python -m bench.serve.slow [--runs N] [--seconds N] [--clients N]`.

Each slow client sends one octet of a request head a second, on a connection that it opens again as soon
as it is answered 408 or closed. All begin at once and stay in step: the worst they can do. The normal
client asks at a steady rate, GET and POST in turn, on kept connections, every tenth time on a fresh one.
Its latencies count from the instant a request was due, so that what a stall delays is counted, too.
One server for all runs; each run measures the client alone, then beside the slow ones.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import msgspec
import psutil  # type: ignore[import-untyped]

from bench.serve.normal_client import Latencies, Normal, percentile
from bench.serve.reload import RuleFile
from bench.serve.slow_clients import Attack
from detour.serve.options import Options
from detour.serve.server import serve

BAR = 50.0  # milliseconds by which the slow clients may raise p99
_RULES = '[[rule]]\nname = "resource"\npattern = "/v1/resource"\nlocation = "https://api.example.com/v2"\n'
_PATIENCE = 20.0  # seconds


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
    flags = parser.parse_args()
    if flags.serve:
        options = Options(listen=("http://127.0.0.1:0",), server={"workers": flags.workers}, admin="off")
        return serve(RuleFile(flags.serve), options)
    return 0 if _run(flags) else 1


if __name__ == "__main__":
    sys.exit(main())
