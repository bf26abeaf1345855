"""What the tests of the lab ask with: the planted liars as rows, and a run over chosen cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from detour.lab.case import Case
from detour.lab.cases import BY_ID
from detour.lab.client import Client
from detour.lab.journal import Journal
from detour.lab.result import Cell, ClientResult, Results
from detour.lab.run import Manner, Run, Told

MANNER, NOBODY = Manner(), Told()
LIARS = Path(__file__).with_name("liars.py")


def liar(name: str) -> Client:
    """One of the liars as a row."""
    return Client(
        name=name,
        language="Python",
        follows="by hand",
        version=("{python}", "--version"),
        command=("{python}", str(LIARS), name),
        environment={"PYTHONPATH": "{programs}"},
    )


def cases(*ids: str, timeout: float = 5.0) -> list[Case]:
    """These cases, with another time to live."""
    return [msgspec.structs.replace(BY_ID[one], timeout=timeout) for one in ids]


def asked(
    clients: Sequence[Client],
    asked: Sequence[Case],
    manner: Manner = MANNER,
    told: Told = NOBODY,
    journal: Journal | None = None,
) -> Results:
    """A whole run."""
    return Run(clients, asked, manner, told, journal).results("test")


def cell(results: Results, client: str, case: str) -> Cell:
    """What a client made of a case."""
    found = next(one for one in results.clients if one.name == client)
    return next(one for one in found.cells if one.case == case)


def present(results: Results) -> ClientResult:
    """What the one client that was asked did; skips the test where it is absent."""
    (found,) = results.clients
    if found.absent:
        pytest.skip(f"{found.name}: {found.absent}")
    return found


def verdicts(found: ClientResult) -> dict[str, str]:
    """On the request of each case; "-" for one that was not asked."""
    done = {one.case: one.request for one in found.cells}
    return {**dict.fromkeys(found.not_asked, "-"), **done}
