"""`python -m bench.serve`: start every peer, load one at a time, print what a redirect costs."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.machine import core_seconds, this_machine, two_cores
from bench.process import Absent, Server, free_port
from bench.serve.load import LOADS, Load, prove
from bench.serve.peers import PEERS, Peer
from bench.serve.report import NOISE, Report, Round, Row, table
from bench.serve.variants import VARIANTS
from bench.wrk import Generator

RESULTS = Path(__file__).parents[1] / "results"
WARM_SECONDS = 1.0


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times each peer is loaded (default 5)")
    parser.add_argument("--seconds", type=float, default=4, help="length of one load (default 4)")
    parser.add_argument("--connections", type=int, default=64, help="kept-alive connections (default 64)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2 seconds: for a first look")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="these rows only")
    parser.add_argument("--variants", action="store_true", help="the variants of bare in place of the peers")
    flags = parser.parse_args()
    if flags.quick:
        flags.rounds, flags.seconds = 2, 2.0
    return flags


def _chosen(flags: argparse.Namespace) -> list[Peer]:
    known = {peer.name: peer for peer in (*PEERS, *VARIANTS)}
    if flags.only:
        unknown = set(flags.only) - known.keys()
        if unknown:
            sys.exit(f"no row {', '.join(sorted(unknown))}; the rows are {', '.join(known)}")
        return [peer for name, peer in known.items() if name in flags.only]
    return [*VARIANTS] if flags.variants else [*PEERS]


class Bench:
    """The peers that run, and the generator that loads one at a time."""

    def __init__(self, folder: Path, connections: int) -> None:
        self._folder = folder
        self._core, load_core = two_cores()
        os.sched_setaffinity(0, {load_core})
        self._generator = Generator(load_core, connections)
        self._loads = {load.name: load.write(folder) for load in LOADS}
        self.servers: dict[str, Server] = {}
        self.versions: dict[str, str] = {}
        self.absent: dict[str, str] = {}

    def add(self, peer: Peer, keep: contextlib.ExitStack) -> None:
        """Start, prove and warm a peer, or note why it is absent."""
        with contextlib.ExitStack() as trial:
            try:
                server = trial.enter_context(self._start(peer))
                server.wait()
                prove(server.port)
                self._warm(server)
            except (Absent, OSError) as reason:
                self.absent[peer.name] = str(reason) or type(reason).__name__
                return
            keep.push(trial.pop_all())
            self.servers[peer.name] = server

    def _start(self, peer: Peer) -> Server:
        self.versions[peer.name] = peer.version()
        folder = self._folder / peer.name
        folder.mkdir()
        folder.chmod(0o755)
        port = free_port()
        return Server(peer.start(folder, port), port, self._core, folder)

    def _warm(self, server: Server) -> None:
        for load in LOADS:
            outcome = self._generator.run(server.port, WARM_SECONDS, self._loads[load.name], "count")
            if outcome.strange:
                raise Absent(f"{outcome.strange} of {outcome.requests} answers to {load.name} are no 307")

    def running(self) -> list[tuple[str, Server]]:
        """The peers that have not failed."""
        return [(name, server) for name, server in self.servers.items() if name not in self.absent]

    def measure(self, server: Server, load: Load, seconds: float) -> Round:
        """Load one peer, and count its CPU and everybody else's on its core."""
        busy, cpu = core_seconds(self._core), server.cpu()
        outcome = self._generator.run(server.port, seconds, self._loads[load.name])
        spent = server.cpu() - cpu
        others = core_seconds(self._core) - busy - spent.user - spent.system
        return Round(spent, outcome, max(others, 0.0) / seconds)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _rounds(bench: Bench, flags: argparse.Namespace) -> dict[tuple[str, str], list[Round]]:
    """Peer after peer, and over again: a slow minute of the machine meets them all."""
    seen: dict[tuple[str, str], list[Round]] = {}
    for number in range(flags.rounds):
        for load in LOADS:
            for name, server in bench.running():
                _progress(f"round {number + 1} of {flags.rounds}: {load.name} {name}")
                try:
                    seen.setdefault((load.name, name), []).append(bench.measure(server, load, flags.seconds))
                except Absent as reason:
                    bench.absent[name] = f"died in round {number + 1}: {reason}"
    _progress("")
    return seen


def _measure(flags: argparse.Namespace) -> Report:
    with tempfile.TemporaryDirectory(prefix="detour-bench-") as folder, contextlib.ExitStack() as keep:
        Path(folder).chmod(0o755)  # nginx's worker is another user
        bench = Bench(Path(folder), flags.connections)
        for peer in _chosen(flags):
            _progress(f"starting {peer.name}")
            bench.add(peer, keep)
        seen = _rounds(bench, flags)
    rows = tuple(Row.of(name, load, rounds) for (load, name), rounds in seen.items() if rounds)
    return Report(
        machine=this_machine(),
        versions=bench.versions,
        absent=bench.absent,
        rows=rows,
        rounds=flags.rounds,
        seconds=flags.seconds,
        connections=flags.connections,
    )


def _print(report: Report) -> None:
    print(report.machine)
    print(
        f"{report.rounds} rounds of {report.seconds:g} s, {report.connections} connections, a core each side"
    )
    for load in LOADS:
        print("", table(load.title, (row for row in report.rows if row.load == load.name)), sep="\n")
    print()
    for name, reason in report.absent.items():
        print(f"absent: {name}: {reason}")
    notes = {peer.name: peer.note for peer in (*PEERS, *VARIANTS) if peer.note}
    for name, said in report.versions.items():
        print(f"{name}: {said}" + (f" ({notes[name]})" if name in notes else ""))
    print("", NOISE, sep="\n")


def _keep(report: Report) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"serve-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return path


def main() -> None:
    """Measure, print, keep."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    flags = _flags()
    try:
        report = _measure(flags)
    except KeyboardInterrupt:
        sys.exit(130)
    _print(report)
    print(f"\nJSON: {_keep(report)}")


if __name__ == "__main__":
    main()
