"""The tables for people, and the JSON that is kept."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.scale.cells import Cell, CellFile, Refusal
from bench.scale.kinds import KINDS, Kind

NOISE = """\
CPU is user and system time of the peer's processes by the answers received: µs on random rules, and beside
it on the first, the middle and the last rule and on a miss. `× 1` compares it with one rule of the same row
and kind, `× nginx` compares answers a second with nginx on as many rules. Every connection always has a
request open, so latency is mostly the queue. `busy` under about 95%: the load was the limit, and neither
answers/s nor latency says much about the peer; CPU may come out a little high. `others` is what anybody else
used of the peer's core in the worst round: above a few per cent, measure again on a quiet machine. Compare
rows of one run only."""

Place = tuple[str, int, str]


class Report(msgspec.Struct, frozen=True):
    """All of one measurement, as it lands in bench/results."""

    setting: object
    cells: list[Cell]
    refusals: list[Refusal]


def keep(cells: CellFile) -> Path:
    """Write the JSON beside the lines."""
    path = cells.path.with_suffix(".json")
    report = Report(cells.setting, cells.cells, cells.refusals)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return path


def print_report(cells: CellFile) -> None:
    """Machine, a table a kind, refusals, versions, and how far to trust it all."""
    setting = cells.setting
    print(setting.machine)
    loads = f"{setting.rounds} rounds of {setting.seconds:g} s, {setting.connections} connections"
    print(f"{loads}, a core each side")
    for kind in KINDS:
        mine = [cell for cell in cells.cells if cell.kind == kind.name]
        refused = [one for one in cells.refusals if one.kind == kind.name]
        if mine or refused:
            print("", _table(kind, mine), sep="\n")
        for one in refused:
            print(f"{one.row:<12}{one.count:>10,}  {one.reason}")
    print()
    for row, said in setting.versions.items():
        print(f"{row}: {said}")
    print("", NOISE, sep="\n")


def _table(kind: Kind, cells: list[Cell]) -> str:
    head = f"{'':<12}{'rules':>10} {'random':>9} {'least–most':>16} {'× 1':>6} "
    head += "".join(f"{hit:>9}" for hit in ("first", "middle", "last", "miss"))
    head += f" {'answers/s':>10} {'× nginx':>8} {'p50 ms':>8} {'p99 ms':>8} {'compile':>8} {'load s':>7}"
    head += f" {'MB':>7} {'private':>7} {'busy':>5} {'errors':>6} {'others':>6}"
    places = {(cell.row, cell.count, cell.hit): cell for cell in cells}
    lines = [_line(cell, places) for cell in cells if cell.hit == "random"]
    return "\n".join([f"{kind.name}: {kind.title}; CPU µs a redirect", head, *lines])


def _line(cell: Cell, places: dict[Place, Cell]) -> str:
    one, nginx = places.get((cell.row, 1, "random")), places.get(("nginx", cell.count, "random"))
    beside = [places.get((cell.row, cell.count, hit)) for hit in ("first", "middle", "last", "miss")]
    return (
        f"{cell.row:<12}{cell.count:>10,} {cell.cost:9,.1f} {f'{cell.least:.1f}–{cell.most:.1f}':>16}"
        f" {_ratio(cell.cost, one.cost if one else None):>6} "
        + "".join(f"{other.cost:9,.1f}" if other else f"{'-':>9}" for other in beside)
        + f" {cell.rate:10,.0f} {_ratio(cell.rate, nginx.rate if nginx else None):>8}"
        f" {cell.p50 / 1e3:8.2f} {cell.p99 / 1e3:8.2f} {cell.compiled:8.2f} {cell.loaded:7.2f}"
        f" {cell.resident / 1e6:7.0f} {cell.private / 1e6:7.0f}"
        f" {cell.busy:5.0%} {_errors(cell, places):6} {cell.others:6.1%}"
    )


def _errors(cell: Cell, places: dict[Place, Cell]) -> int:
    """Of all hits of the line."""
    return sum(
        one.errors for (row, count, _), one in places.items() if (row, count) == (cell.row, cell.count)
    )


def _ratio(figure: float, to: float | None) -> str:
    return f"{figure / to:.2f}" if to else "-"
