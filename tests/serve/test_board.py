"""What the admin process can read: the parent's numbers and everybody's counters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from detour.core.matcher import RuleSet
from detour.serve import stats
from detour.serve.board import Board, Readings
from detour.serve.metrics import expose
from detour.serve.stats import Bank, SlotTable, answer_slot


@pytest.fixture
def readings() -> Iterator[Readings]:
    bank = Bank()
    bank.grow(stats.FIRST_RULE_SLOT)
    yield Readings(Board(), [bank])
    bank.close()


def test_it_is_ready_when_somebody_answers_and_nobody_drains(readings: Readings) -> None:
    board = readings.board
    assert not readings.serving
    board["ready"], board["workers_alive"] = 1, 2
    assert readings.serving
    board["workers_alive"] = 0
    assert not readings.serving
    board["workers_alive"], board["draining"] = 1, 1
    assert not readings.serving


def test_an_unknown_number_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Board()["misspelt"]


def test_totals_are_sums_over_all_workers() -> None:
    banks = [Bank(), Bank()]
    table = SlotTable()
    slots = table.assign(["a"])
    for bank, count in zip(banks, (3, 4), strict=True):
        bank.grow(table.size)
        bank.map()[slots["a"]] = count
        bank.map()[answer_slot("GET", 307)] = count
    readings = Readings(Board(), banks)
    readings.replace(RuleSet.of(()), slots)
    assert readings.hits("a") == 7
    assert readings.hits("unknown") == 0
    assert list(readings.answers()) == [("GET", 307, 7)]
    assert b'detour_answers_total{method="GET",status="307"} 7.0' in expose(readings)
    for bank in banks:
        bank.close()
