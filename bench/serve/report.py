"""Figures of one measurement: the values, and the table for people."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import msgspec

from bench.machine import Machine
from bench.process import Cpu
from bench.wrk import Outcome

NOISE = """\
User and system time are what /proc/PID/stat charges to the peer's processes. The split is sampled at each
clock tick, so trust totals more than halves. Network work that the kernel does in softirq lands on whichever
process it interrupts, on either side: compare rows of one table, never figures of two machines.
`busy` is the share of its core that the peer used: below about 95% the load, not the peer, was the limit, and
answers/s says nothing. `others` is what anybody else used of it (hypervisor included) in the worst round:
above a few per cent, measure again on a quiet machine."""


class Round(msgspec.Struct, frozen=True):
    """One peer under one load for a few seconds."""

    cpu: Cpu
    outcome: Outcome
    others: float  # share of the peer's core used by anybody else, 0 to 1

    def busy(self) -> float:
        """Share of its core that the peer used, 0 to 1."""
        return (self.cpu.user + self.cpu.system) / self.outcome.microseconds * 1e6

    def cost(self) -> Cpu:
        """Microseconds of CPU for each redirect."""
        each = 1e6 / max(self.outcome.requests, 1)
        return Cpu(self.cpu.user * each, self.cpu.system * each)


class Row(msgspec.Struct, frozen=True):
    """A peer under one load: medians over its rounds, in microseconds a redirect."""

    peer: str
    load: str
    user: float
    system: float
    total: float
    least: float
    most: float
    rate: float  # redirects a second
    busy: float  # share of its core that the peer used, 0 to 1
    errors: int
    others: float

    @classmethod
    def of(cls, peer: str, load: str, rounds: list[Round]) -> Row:
        """Sum up; `rounds` is not empty."""
        costs = [one.cost() for one in rounds]
        totals = [cost.user + cost.system for cost in costs]
        return cls(
            peer=peer,
            load=load,
            user=median(cost.user for cost in costs),
            system=median(cost.system for cost in costs),
            total=median(totals),
            least=min(totals),
            most=max(totals),
            rate=median(one.outcome.requests / one.outcome.microseconds * 1e6 for one in rounds),
            busy=median(one.busy() for one in rounds),
            errors=sum(one.outcome.errors for one in rounds),
            others=max(one.others for one in rounds),
        )


class Report(msgspec.Struct, frozen=True):
    """All of one measurement; its JSON is what lands in bench/results."""

    machine: Machine
    versions: dict[str, str]
    absent: dict[str, str]
    rows: tuple[Row, ...]
    rounds: int
    seconds: float
    connections: int


def _ratio(row: Row, to: Row | None) -> str:
    return f"{row.total / to.total:.2f}" if to else "-"


def _above(row: Row, to: Row | None) -> str:
    return f"{row.total - to.total:+.1f}" if to else "-"


def _line(row: Row, rows: dict[str, Row]) -> str:
    span = f"{row.least:.1f}–{row.most:.1f}"
    figures = f"{row.user:6.1f} {row.system:7.1f} {row.total:6.1f}  {span:>12}"
    relations = f"{_ratio(row, rows.get('nginx')):>8} {_above(row, rows.get('bare')):>7}"
    doubts = f"{row.busy:6.0%} {row.errors:7} {row.others:7.1%}"
    return f"{row.peer:<16}{figures} {relations} {row.rate:10,.0f} {doubts}"


def table(title: str, rows: Iterable[Row]) -> str:
    """One load as text, a row a peer."""
    by_name = {row.peer: row for row in rows}
    head = f"{'':<16}{'user':>6} {'system':>7} {'total':>6}  {'least–most':>12} {'× nginx':>8} {'− bare':>7} "
    head += f"{'answers/s':>10} {'busy':>6} {'errors':>7} {'others':>7}"
    return "\n".join(
        [f"{title}: CPU µs a redirect", head, *(_line(row, by_name) for row in by_name.values())]
    )
