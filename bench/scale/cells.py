"""Figures: one cell for each row, rule set and hit; a file that grows by one line when a cell is finished."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import msgspec

from bench.machine import Machine
from bench.process import Cpu, Memory
from bench.wrk import Outcome


class Setting(msgspec.Struct, frozen=True, tag="setting"):
    """What a file of cells was measured with: its first line."""

    machine: Machine
    versions: dict[str, str]
    rounds: int
    seconds: float
    connections: int

    def agrees(self, other: Setting) -> bool:
        """True when cells of both may stand in one table: all but the time of day is the same."""
        day = {"date": ""}
        return msgspec.structs.replace(
            self, machine=msgspec.structs.replace(self.machine, **day)
        ) == msgspec.structs.replace(other, machine=msgspec.structs.replace(other.machine, **day))


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """A row that has no figures for a rule set, and why."""

    row: str
    kind: str
    count: int
    reason: str


class Round(msgspec.Struct, frozen=True):
    """One load for a few seconds."""

    cpu: Cpu
    outcome: Outcome
    others: float  # share of the peer's core used by anybody else, 0 to 1

    def cost(self) -> float:
        """Microseconds of CPU for each answer."""
        return (self.cpu.user + self.cpu.system) * 1e6 / max(self.outcome.requests, 1)

    def busy(self) -> float:
        """Share of its core that the peer used, 0 to 1."""
        return (self.cpu.user + self.cpu.system) * 1e6 / self.outcome.microseconds

    def errors(self, hit: str) -> int:
        """Answers of another status than is due, and socket errors."""
        due = self.outcome.requests if hit == "miss" else 0
        return self.outcome.errors - self.outcome.status + abs(due - self.outcome.status)


class Cell(msgspec.Struct, frozen=True, tag="cell"):
    """Medians over the rounds; µs of CPU an answer, µs of latency, seconds, octets."""

    row: str
    kind: str
    count: int
    hit: str
    cost: float
    least: float
    most: float
    rate: float  # answers a second
    p50: float
    p99: float
    busy: float
    errors: int
    others: float  # the worst round
    compiled: float  # seconds of a compiler, before the start
    loaded: float  # seconds from start to the first right answer
    resident: int
    private: int

    @classmethod
    def of(
        cls, place: tuple[str, str, int, str], rounds: list[Round], times: tuple[float, float], held: Memory
    ) -> Cell:
        """Sum up; `place` is row, kind, count and hit; `rounds` is not empty."""
        costs = [one.cost() for one in rounds]
        return cls(
            *place,
            cost=median(costs),
            least=min(costs),
            most=max(costs),
            rate=median(one.outcome.requests * 1e6 / one.outcome.microseconds for one in rounds),
            p50=median(one.outcome.p50 for one in rounds),
            p99=median(one.outcome.p99 for one in rounds),
            busy=median(one.busy() for one in rounds),
            errors=sum(one.errors(place[3]) for one in rounds),
            others=max(one.others for one in rounds),
            compiled=times[0],
            loaded=times[1],
            resident=held.resident,
            private=held.private,
        )


class CellFile:
    """The lines of one measurement: what is done is not done again."""

    def __init__(self, path: Path, setting: Setting, *, resume: bool) -> None:
        self.path = path
        self.cells: list[Cell] = []
        self.refusals: list[Refusal] = []
        self.setting = setting
        if resume:
            self._read()
        else:
            self._append(setting)

    def add(self, line: Cell | Refusal) -> None:
        """Keep a line, on disk too."""
        self._note(line)
        self._append(line)

    def lacks(self, row: str, kind: str, count: int, hit: str) -> bool:
        """True when this cell is neither measured nor refused."""
        done = any((one.row, one.kind, one.count, one.hit) == (row, kind, count, hit) for one in self.cells)
        refused = any((one.row, one.kind, one.count) == (row, kind, count) for one in self.refusals)
        return not done and not refused

    def _note(self, line: Cell | Refusal) -> None:
        if isinstance(line, Cell):
            self.cells.append(line)
        else:
            self.refusals.append(line)

    def _read(self) -> None:
        decode = msgspec.json.Decoder(Setting | Cell | Refusal).decode
        whole = self.path.read_bytes()
        whole = whole[: whole.rfind(b"\n") + 1]
        self.path.write_bytes(whole)  # without a line cut short
        lines = [decode(line) for line in whole.splitlines()]
        if not lines or not isinstance(lines[0], Setting) or not lines[0].agrees(self.setting):
            raise ValueError(f"{self.path} is of another machine or other settings; start anew")
        self.setting = lines[0]
        self.cells = [line for line in lines if isinstance(line, Cell)]  # what was refused is tried again

    def _append(self, line: msgspec.Struct) -> None:
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
