"""`python -m bench.scale`: what a redirect costs among many rules, in Detour and in its peers."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import this_machine, two_cores
from bench.process import Absent
from bench.scale.cells import CellFile, Refusal, Setting
from bench.scale.hits import hits_of
from bench.scale.kinds import KINDS, Kind
from bench.scale.loading import Loading, Subject
from bench.scale.peers import PEERS, Peer
from bench.scale.plot import draw
from bench.scale.report import keep, print_report

RESULTS = Path(__file__).parents[1] / "results"


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one rule and the largest sets, random hits")
    parser.add_argument("--resume", metavar="FILE", type=Path, help="go on with the .jsonl of an earlier run")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw the random hits as SVG")
    parser.add_argument("--rounds", type=int, default=3, help="loads of each cell of random hits (default 3)")
    parser.add_argument("--seconds", type=int, help="length of one load (default 2, quick 1)")
    parser.add_argument("--connections", type=int, default=64, help="kept-alive connections (default 64)")
    parser.add_argument("--load-limit", type=float, metavar="S", help="give a peer S seconds to start")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", choices=[kind.name for kind in KINDS])
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=[peer.name for peer in PEERS])
    parser.add_argument("--counts", nargs="+", metavar="N", type=int, help="these sizes only")
    flags = parser.parse_args()
    flags.seconds = flags.seconds or (1 if flags.quick else 2)
    flags.load_limit = flags.load_limit or (40.0 if flags.quick else 120.0)
    return flags


def _versions(peers: list[Peer]) -> dict[str, str]:
    said = {}
    for peer in peers:
        try:
            said[peer.name] = peer.version()
        except Absent as reason:
            said[peer.name] = f"absent: {reason}"
    return said


class Plan:
    """Which cells are wanted, of those that the file lacks."""

    def __init__(self, flags: argparse.Namespace, cells: CellFile) -> None:
        self._flags = flags
        self._cells = cells
        self.peers = [peer for peer in PEERS if not flags.only or peer.name in flags.only]
        self.kinds = [kind for kind in KINDS if not flags.kinds or kind.name in flags.kinds]

    def counts(self, kind: Kind, peer: Peer) -> list[int]:
        """The sizes of one kind for one row; those that it cannot hold are refused."""
        counts = kind.quick if self._flags.quick else kind.counts
        counts = tuple(count for count in counts if not self._flags.counts or count in self._flags.counts)
        most, because = peer.limit(kind)
        for count in counts:
            if count > most and self._cells.lacks(peer.name, kind.name, count, "random"):
                self._cells.add(Refusal(peer.name, kind.name, count, f"cannot hold: {because}"))
        fallback = [count for count in kind.counts if count <= most][-1:] if self._flags.quick else []
        return sorted({count for count in counts if count <= most} | set(fallback * (max(counts) > most)))

    def hits(self, kind: Kind, peer: Peer, count: int) -> list[str]:
        """The hits not yet measured."""
        wanted = ("random",) if self._flags.quick else peer.hits or hits_of(count)
        return [hit for hit in wanted if self._cells.lacks(peer.name, kind.name, count, hit)]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _subjects(
    kind: Kind, plan: Plan, loading: Loading, cells: CellFile, keep_open: contextlib.ExitStack
) -> Iterator[tuple[Subject, list[str]]]:
    for peer in plan.peers:
        for count in plan.counts(kind, peer):
            hits = plan.hits(kind, peer, count)
            if not hits:
                continue
            _progress(f"{kind.name}: starting {peer.name} with {count:,} rules")
            try:
                yield keep_open.enter_context(loading.start(peer, kind, count)), hits
            except (Absent, OSError) as reason:
                cells.add(Refusal(peer.name, kind.name, count, str(reason) or type(reason).__name__))


def _measure_kind(kind: Kind, plan: Plan, loading: Loading, cells: CellFile, rounds: int) -> None:
    """All rows and sizes of a kind run at once and are loaded in turn: a slow minute meets them all.

    The hits other than random show a tendency and are loaded once.
    """
    with contextlib.ExitStack() as keep_open:
        subjects = list(_subjects(kind, plan, loading, cells, keep_open))
        for hit in hits_of(2):
            due = [subject for subject, hits in subjects if hit in hits]
            for number in range(rounds if hit == "random" else 1):
                for subject in due:
                    _progress(f"{kind.name} {hit}, round {number + 1} of {rounds}: {subject}")
                    subject.load(hit)
            for subject in due:
                cells.add(subject.result(hit))


def _setting(flags: argparse.Namespace) -> Setting:
    return Setting(this_machine(), _versions([*PEERS]), flags.rounds, flags.seconds, flags.connections)


def _cell_file(flags: argparse.Namespace) -> CellFile:
    RESULTS.mkdir(exist_ok=True)
    path = flags.resume or RESULTS / f"scale-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
    try:
        return CellFile(path, _setting(flags), resume=bool(flags.resume))
    except (OSError, ValueError) as fault:
        sys.exit(str(fault))


def _measure(flags: argparse.Namespace, cells: CellFile) -> None:
    plan = Plan(flags, cells)
    core, load_core = two_cores()
    os.sched_setaffinity(0, {load_core})
    for kind in plan.kinds:
        with tempfile.TemporaryDirectory(prefix="detour-scale-") as name:
            Path(name).chmod(0o755)  # nginx's worker is another user
            loading = Loading(Path(name), core, load_core, flags)
            _measure_kind(kind, plan, loading, cells, flags.rounds)
    _progress("")


def main() -> None:
    """Measure what is not measured yet, print, keep, draw."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    flags = _flags()
    cells = _cell_file(flags)
    try:
        _measure(flags, cells)
    except KeyboardInterrupt:
        sys.exit(f"\ninterrupted; go on with --resume {cells.path}")
    print_report(cells)
    print(f"\nJSON: {keep(cells)}")
    if flags.plot:
        flags.plot.write_text(draw(cells), encoding="utf-8")


if __name__ == "__main__":
    main()
