"""One row with one rule set as it runs: started and timed, proved, loaded, weighed."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.answer import ask
from bench.machine import core_seconds
from bench.process import Absent, Cpu, Server, free_port
from bench.scale.cells import Cell, Refusal, Round
from bench.scale.hits import TARGETS, prove, write_targets
from bench.scale.kinds import HOST, Kind
from bench.scale.peers import Peer
from bench.wrk import Generator

MOST_BYTES = 6e9  # of memory for one peer
WARM_SECONDS = 1
SETTLE_SECONDS = 5.0


class Subject:
    """A running peer with its rule set; its rounds so far by hit."""

    def __init__(self, peer: Peer, kind: Kind, count: int, server: Server, loading: Loading) -> None:
        self._peer, self._kind, self._count = peer, kind, count
        self._server = server
        self._loading = loading
        self._rounds: dict[str, list[Round]] = {}
        self._fault = ""
        self.times = (0.0, 0.0)  # seconds: compiled, loaded

    def __str__(self) -> str:
        return f"{self._peer.name} with {self._count:,} rules"

    def warm(self, hit: str = "random") -> None:
        """A load in which every status is looked at; raises `Absent`."""
        targets = self._loading.targets(self._kind, self._count, hit, self._peer)
        outcome = self._loading.generator.run(self._server.port, WARM_SECONDS, targets, "targets", "count")
        self._settle()
        if outcome.strange:
            raise Absent(f"wrong: {outcome.strange} of {outcome.requests} answers to {hit} hits are no 307")

    def load(self, hit: str) -> None:
        """One round; a peer that dies is not loaded again."""
        if self._fault:
            return
        try:
            self._rounds.setdefault(hit, []).append(self._round(hit))
        except Absent as reason:
            self._fault = f"died under load: {reason}"

    def _round(self, hit: str) -> Round:
        core, seconds = self._loading.core, self._loading.seconds
        targets = self._loading.targets(self._kind, self._count, hit, self._peer)
        working, cpu = core_seconds(core), self._server.cpu()
        outcome = self._loading.generator.run(self._server.port, seconds, targets, "targets")
        spent = self._server.cpu() - cpu
        others = core_seconds(core) - working - spent.user - spent.system
        self._settle()
        return Round(spent, outcome, max(others, 0.0) / seconds)

    def _settle(self) -> None:
        """Wait until a slow peer is done with what wrk no longer waits for: the next row needs the core."""
        deadline, before = time.monotonic() + SETTLE_SECONDS, Cpu(-1)
        while time.monotonic() < deadline and before != (before := self._server.cpu()):
            time.sleep(0.05)

    def result(self, hit: str) -> Cell | Refusal:
        """The cell of all rounds on `hit`, or why there is none."""
        if self._fault:
            return Refusal(self._peer.name, self._kind.name, self._count, self._fault)
        place = (self._peer.name, self._kind.name, self._count, hit)
        return Cell.of(place, self._rounds[hit], self.times, self._server.memory())


class Loading:
    """The two cores, the files and the patience that all subjects of a kind have in common."""

    def __init__(self, folder: Path, core: int, load_core: int, flags: argparse.Namespace) -> None:
        self._folder = folder
        self._patience: float = flags.load_limit
        self.core = core
        self.seconds: int = flags.seconds
        self.generator = Generator(load_core, flags.connections)

    def targets(self, kind: Kind, count: int, hit: str, peer: Peer) -> Path:
        """The file that wrk reads for a hit, made when first needed."""
        most = peer.targets or TARGETS
        path = self._folder / f"{kind.name}-{count}-{hit}-{most}.targets"
        return path if path.exists() else write_targets(path, kind, count, hit, most)

    @contextlib.contextmanager
    def start(self, peer: Peer, kind: Kind, count: int) -> Iterator[Subject]:
        """Start, time, prove and warm; raises `Absent`, OSError."""
        folder = self._folder / f"{kind.name}-{count}-{peer.name}"
        folder.mkdir()
        folder.chmod(0o755)
        port = free_port()
        prepared = peer.prepare(folder, port, kind, count)
        began = time.monotonic()
        with Server(prepared.launch, port, self.core, folder) as server:
            server.wait(self._patience, MOST_BYTES)
            self._first_answer(port, kind, count)
            loaded = time.monotonic() - began
            subject = Subject(peer, kind, count, server, self)
            subject.times = (prepared.seconds, loaded)
            prove(port, kind, count)
            subject.warm()
            yield subject

    def _first_answer(self, port: int, kind: Kind, count: int) -> None:
        """Wait for the right answer to the last rule; raises `Absent` with what comes instead."""
        target, location = kind.ask(count - 1, Random(0))
        deadline = time.monotonic() + 5
        answer: object = None
        while answer != (307, [location]):
            if time.monotonic() > deadline:
                raise Absent(f"wrong: {answer} to {target}, not {location}")
            with contextlib.suppress(OSError, Absent):
                answer = ask(port, target, HOST)
