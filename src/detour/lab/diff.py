"""What changed between two runs: PURE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.lab.result import Cell, ClientResult, Results

Way = Literal["better", "worse", "other"]
WAYS: tuple[Way, ...] = ("better", "worse", "other")
_ARRIVES = frozenset({"kept", "rewritten"})


class CellChange(msgspec.Struct, frozen=True):
    """A cell that came out otherwise."""

    case: str
    old: str
    new: str
    way: Way
    why: str  # of the new one


class ClientChange(msgspec.Struct, frozen=True):
    """What became of a client. `status`: whether it was asked in both runs, or since when."""

    client: str
    status: Literal["asked", "new", "gone"]
    old_version: str
    new_version: str
    cells: tuple[CellChange, ...] = ()
    compared: int = 0  # cells of both runs
    raced: int = 0  # of them: cells of a race, which are not compared

    def count(self, way: Way) -> int:
        """How many cells went that way."""
        return sum(cell.way == way for cell in self.cells)

    @property
    def told(self) -> bool:
        """Whether anything differs."""
        return self.status != "asked" or self.old_version != self.new_version or bool(self.cells)


class Difference(msgspec.Struct, frozen=True):
    """The document of `detour lab diff --json`."""

    old: str  # date
    new: str
    clients: tuple[ClientChange, ...]  # those of whom anything differs


def difference(old: Results, new: Results) -> Difference:
    """What differs, client by client in the order of `new`, those that are gone at the end."""
    before = {client.name: client for client in old.clients}
    found = [_client(before.pop(client.name, None), client) for client in new.clients]
    gone = [ClientChange(one.name, "gone", one.version, "") for one in before.values() if not one.absent]
    return Difference(old.date, new.date, tuple(one for one in (*found, *gone) if one.told))


def _client(old: ClientResult | None, new: ClientResult) -> ClientChange:
    was, now = old is not None and not old.absent, not new.absent
    if old is None or not was or not now:
        status: Literal["asked", "new", "gone"] = "new" if now else "gone" if was else "asked"
        return ClientChange(new.name, status, old.version if old else "", new.version)
    before = {cell.case: cell for cell in old.cells}
    both = [(before[cell.case], cell) for cell in new.cells if cell.case in before]
    cells = (_cell(*pair) for pair in both if _differs(*pair))
    raced = sum(old_cell.race or new_cell.race for old_cell, new_cell in both)
    return ClientChange(new.name, "asked", old.version, new.version, tuple(cells), len(both), raced)


def _differs(old: Cell, new: Cell) -> bool:
    """Two cells that vary differ only when they vary between other verdicts; those of a race never do."""
    if old.race or new.race:
        return False
    if old.varying and new.varying:
        return _kinds(old) != _kinds(new)
    return _verdicts(old) != _verdicts(new)


def _kinds(cell: Cell) -> set[tuple[str, str]]:
    return {(one.request, one.credentials) for one in cell.varying}


def _cell(old: Cell, new: Cell) -> CellChange:
    judgement = new.shown.judgement
    why = "; ".join(filter(None, (judgement.why, judgement.credentials_why)))
    return CellChange(new.case, _verdicts(old), _verdicts(new), _way(old, new), why)


def _way(old: Cell, new: Cell) -> Way:
    """Fewer faults are better, then arriving is better than being refused, then settled than varying."""
    for was, now in (
        (old.bold, new.bold),
        (not _arrives(old), not _arrives(new)),
        (bool(old.varying), bool(new.varying)),
    ):
        if was != now:
            return "better" if was else "worse"
    return "other"


def _arrives(cell: Cell) -> bool:
    return cell.request in _ARRIVES


def _verdicts(cell: Cell) -> str:
    return f"{cell.request}, {cell.credentials}{' (varying)' if cell.varying else ''}"


def lines(found: Difference) -> Iterator[str]:
    """The difference as text."""
    for client in found.clients:
        yield f"{client.client}: {_said(client)}"
        for cell in client.cells:
            yield f"  {cell.way:6}  {cell.case}: {cell.old} → {cell.new}; {cell.why}"
    counted = {way: sum(client.count(way) for client in found.clients) for way in WAYS}
    yield f"{found.old} → {found.new}: " + ", ".join(f"{count} {way}" for way, count in counted.items())


def _said(client: ClientChange) -> str:
    if client.status == "new":
        return f"new, {client.new_version}"
    if client.status == "gone":
        return f"gone, was {client.old_version}"
    same = client.old_version == client.new_version
    version = client.new_version if same else f"{client.old_version} → {client.new_version}"
    counts = [f"{client.count(way)} {way}" for way in WAYS if client.count(way)]
    raced = f" ({client.raced} of a race, not compared)" if client.raced else ""
    return f"{version}: {', '.join(counts) or 'no cell changed'}, of {client.compared} cells{raced}"
