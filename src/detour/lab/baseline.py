"""Which faults are known: a document of an earlier run, or any part of one that has names and verdicts."""

from __future__ import annotations

import msgspec

from detour.errors import LabError
from detour.lab.result import Cell, Results
from detour.lab.verdict import VERDICTS


class _Often(msgspec.Struct, frozen=True):
    request: str
    credentials: str


class _Cell(_Often, frozen=True):
    case: str
    varying: tuple[_Often, ...] = ()


class _Client(msgspec.Struct, frozen=True):
    name: str
    cells: tuple[_Cell, ...] = ()


class _Held(msgspec.Struct, frozen=True):
    clients: tuple[_Client, ...]


Fault = tuple[str, str, str]  # client, case, verdict


def held(document: bytes, name: str) -> frozenset[Fault]:
    """The bold verdicts that a document holds; raises `LabError`, `name` is the document's."""
    try:
        read = msgspec.json.decode(document, type=_Held)
    except msgspec.DecodeError as error:
        raise LabError(f"{name}: is no result of `detour lab --format json`: {error}") from None
    return frozenset(
        (client.name, cell.case, verdict)
        for client in read.clients
        for cell in client.cells
        for verdict in _bold(cell)
    )


def new_faults(results: Results, known: frozenset[Fault]) -> list[Fault]:
    """The bold verdicts of a run that a baseline does not hold, in the order of the run."""
    faults = (
        (client.name, cell.case, verdict)
        for client in results.clients
        for cell in client.cells
        for verdict in _bold(cell)
    )
    return [fault for fault in faults if fault not in known]


def _bold(cell: Cell | _Cell) -> list[str]:
    """Those that any run of the cell had."""
    pairs = ((cell.request, cell.credentials), *((one.request, one.credentials) for one in cell.varying))
    found = {verdict for pair in pairs for verdict in pair}
    return sorted(verdict for verdict in found if verdict in VERDICTS and VERDICTS[verdict].bold)
