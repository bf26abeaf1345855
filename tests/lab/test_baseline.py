"""Which faults a baseline holds."""

from __future__ import annotations

import msgspec
import pytest

from detour.errors import LabError
from detour.lab.baseline import held, new_faults
from detour.lab.case import Outcome
from detour.lab.result import Cell, ClientResult, Often, Results
from detour.lab.trial import Trial
from detour.lab.verdict import Judgement


def results(*cells: Cell, client: str = "one") -> Results:
    return Results("", "", "", (), (ClientResult(client, "", "", cells=cells),))


def cell(case: str, request: str, credentials: str = "none sent", *varying: Often) -> Cell:
    shown = Trial("one", case, Judgement(request, credentials, ""), Outcome("answered"), (), 0.0)
    return Cell(case, request, credentials, 2, shown, varying)


LOST = cell("a", "lost")
LEAKED = cell("b", "kept", "leaked")
FICKLE = cell("c", "lost", "none sent", Often("lost", "none sent", 1), Often("altered", "none sent", 4))


def test_without_a_baseline_every_bold_verdict_is_new() -> None:
    run = results(LOST, LEAKED, cell("d", "kept"), cell("e", "refused", "forwarded"))
    assert new_faults(run, frozenset()) == [("one", "a", "lost"), ("one", "b", "leaked")]


def test_what_the_baseline_holds_is_not_new() -> None:
    known = held(msgspec.json.encode(results(LOST)), "baseline")
    assert new_faults(results(LOST, LEAKED), known) == [("one", "b", "leaked")]


def test_another_fault_in_the_same_cell_is_new() -> None:
    known = held(msgspec.json.encode(results(cell("a", "altered"))), "baseline")
    assert new_faults(results(LOST), known) == [("one", "a", "lost")]


def test_a_fault_of_another_client_is_new() -> None:
    known = held(msgspec.json.encode(results(LOST, client="other")), "baseline")
    assert new_faults(results(LOST), known) == [("one", "a", "lost")]


def test_every_fault_of_a_cell_that_varies_counts() -> None:
    assert new_faults(results(FICKLE), frozenset()) == [("one", "c", "altered"), ("one", "c", "lost")]
    assert new_faults(results(FICKLE), held(msgspec.json.encode(results(FICKLE)), "baseline")) == []


def test_a_baseline_may_be_cut_down_to_names_and_verdicts() -> None:
    cut = b'{"case": "a", "request": "lost", "credentials": "none sent"}'
    written = b'{"clients": [{"name": "one", "cells": [%s]}, {"name": "two"}]}' % cut
    assert held(written, "baseline") == {("one", "a", "lost")}


@pytest.mark.parametrize("written", [b"", b"{}", b"[]", b'{"clients": [{}]}'])
def test_what_is_no_baseline_is_refused(written: bytes) -> None:
    with pytest.raises(LabError, match="known: is no result of `detour lab --format json`"):
        held(written, "known")
