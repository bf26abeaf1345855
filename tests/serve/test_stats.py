"""Counters: slots that stay where they are, in memory that outlives who writes it."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.message import METHODS
from detour.serve import stats
from detour.serve.stats import Bank, Counters, Ledger, SlotTable, answer_slot, pack_slots, unpack_slots


def test_every_method_and_status_has_a_slot_of_its_own() -> None:
    slots = [answer_slot(method, status) for method in stats.METHOD_NAMES for status in stats.STATUSES]
    assert len(set(slots)) == len(slots)
    assert min(slots) > stats.LOG_LINES_DROPPED
    assert max(slots) < stats.FIRST_RULE_SLOT


def test_every_method_the_parser_knows_is_counted_by_name() -> None:
    assert set(stats.METHOD_NAMES) == METHODS | {"other"}


def test_an_unknown_method_counts_as_other_and_an_unknown_status_is_not_lost() -> None:
    assert answer_slot("BREW", 307) == answer_slot("other", 307)
    assert answer_slot("GET", 418) == answer_slot("GET", 0)


def test_private_counters_count_hits_by_series() -> None:
    counters = Counters.private(["a", "b"])
    slot = counters.hit_slot("b")
    assert slot is not None
    counters.view[slot] += 1
    assert counters.view[slot] == 1
    assert counters.hit_slot("a") != slot
    assert counters.hit_slot("c") is None


def test_a_successor_goes_on_where_a_worker_died() -> None:
    bank = Bank()
    bank.grow(stats.FIRST_RULE_SLOT)
    child = os.fork()
    if child == 0:
        bank.map()[stats.REFUSED_HEADS] += 5
        os._exit(0)
    os.waitpid(child, 0)
    successor = bank.map()
    successor[stats.REFUSED_HEADS] += 1
    assert bank.map()[stats.REFUSED_HEADS] == 6
    bank.close()


def test_growing_keeps_what_was_counted_and_mappings_that_are_open() -> None:
    bank = Bank()
    bank.grow(10)
    before = bank.map()
    before[7] = 41
    bank.grow(100_000)
    before[7] += 1
    assert bank.map()[7] == 42
    assert len(bank.map()) >= 100_000
    bank.close()


def test_the_connections_of_a_dead_worker_count_as_closed() -> None:
    bank = Bank()
    bank.grow(stats.FIRST_RULE_SLOT)
    view = bank.map()
    view[stats.CONNECTIONS_OPENED], view[stats.CONNECTIONS_CLOSED] = 9, 4
    bank.settle()
    assert view[stats.CONNECTIONS_CLOSED] == 9
    bank.close()


def test_a_name_that_comes_back_has_its_old_slot() -> None:
    table = SlotTable()
    first = table.assign(["a", "b"])
    table.assign(["b", "c"])
    assert table.assign(["a"])["a"] == first["a"]


def test_a_full_table_forgets_absent_names_only_and_frees_their_slots_one_reload_later() -> None:
    table = SlotTable(capacity=2)
    first = table.assign(["a", "b"])
    second = table.assign(["b", "c"])
    assert second["b"] == first["b"]
    assert second["c"] not in first.values()  # a worker may still count there
    assert table.reclaim() == [first["a"]]
    assert table.assign(["b", "d"])["d"] == first["a"]


def test_while_somebody_counts_by_older_rules_no_slot_is_used_again() -> None:
    ledger = Ledger(1, capacity=1)
    before = {ledger.assign([name])[name] for name in ("a", "b")}
    assert ledger.assign(["c"], settled=False)["c"] not in before
    assert ledger.assign(["d"])["d"] in before
    ledger.banks[0].close()


def test_reclaimed_slots_start_at_zero_again() -> None:
    bank = Bank()
    bank.grow(20)
    bank.map()[12] = 99
    bank.zero([12])
    assert bank.map()[12] == 0
    bank.close()


@given(st.lists(st.sets(st.sampled_from("abcdefgh")), max_size=12), st.integers(1, 6))
def test_no_two_present_names_ever_share_a_slot(reloads: list[set[str]], capacity: int) -> None:
    table = SlotTable(capacity)
    for series in reloads:
        table.reclaim()
        slots = table.assign(sorted(series))
        assert slots.keys() == series
        assert len(set(slots.values())) == len(slots)
        assert all(stats.FIRST_RULE_SLOT <= slot < table.size for slot in slots.values())


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 2**64 - 1)))
def test_slots_survive_the_way_to_another_process(slots: dict[str, int]) -> None:
    series = tuple(slots)
    assert unpack_slots(series, pack_slots(series, slots)) == slots


def test_slots_of_other_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        unpack_slots(("a", "b"), pack_slots(("a",), {"a": 1}))
