"""Figures of one measurement: the values, and the table for people."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import msgspec

from bench.check.run import Round
from bench.machine import Machine


class Row(msgspec.Struct, frozen=True):
    """One client: medians over the rounds; microseconds of CPU for each URL."""

    client: str
    rate: float  # URLs a second
    user: float
    system: float
    total: float
    least: float
    most: float

    @classmethod
    def of(cls, client: str, rounds: list[Round], count: int) -> Row:
        """Sum up; `rounds` is not empty."""
        each = 1e6 / count
        totals = [(one.user + one.system) * each for one in rounds]
        return cls(
            client=client,
            rate=median(count / one.seconds for one in rounds),
            user=median(one.user for one in rounds) * each,
            system=median(one.system for one in rounds) * each,
            total=median(totals),
            least=min(totals),
            most=max(totals),
        )


class Size(msgspec.Struct, frozen=True):
    """`detour check` over a list of some length, once."""

    count: int
    seconds: float
    cpu: float  # microseconds for each URL
    memory: int

    @classmethod
    def of(cls, ended: Round, count: int) -> Size:
        """From one round."""
        return cls(count, ended.seconds, (ended.user + ended.system) * 1e6 / count, ended.most_memory)


class Report(msgspec.Struct, frozen=True):
    """All of one measurement; its JSON is what lands in bench/results."""

    machine: Machine
    versions: dict[str, str]
    absent: dict[str, str]
    rows: tuple[Row, ...]
    sizes: tuple[Size, ...]
    urls: int
    requests: int
    rounds: int
    at_once: int


def table(rows: Iterable[Row]) -> str:
    """A row a client, as text."""
    by_name = {row.client: row for row in rows}
    first = by_name.get("detour")
    head = f"{'':<10}{'URLs/s':>9} {'user':>7} {'system':>7} {'total':>7}  {'least–most':>14}"
    return "\n".join([f"{head} {'× detour':>9}", *(_line(row, first) for row in by_name.values())])


def _line(row: Row, first: Row | None) -> str:
    span = f"{row.least:.0f}–{row.most:.0f}"
    ratio = f"{row.total / first.total:.2f}" if first else "-"
    figures = f"{row.rate:9,.0f} {row.user:7.0f} {row.system:7.0f} {row.total:7.0f}  {span:>14}"
    return f"{row.client:<10}{figures} {ratio:>9}"


def growth(sizes: Iterable[Size]) -> str:
    """What a longer list needs, as text."""
    return "\n".join(
        f"{size.count:>9,} URLs: {size.memory / 1e6:6.1f} MB at the most, {size.cpu:5.0f} µs CPU a URL, "
        f"{size.seconds:,.0f} s"
        for size in sizes
    )
