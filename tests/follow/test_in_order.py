"""Results come as they finish and are told as they were written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detour.follow.in_order import InOrder


@given(st.permutations(range(30)))
def test_any_order_becomes_the_order_of_the_input(came: list[int]) -> None:
    told: list[int] = []
    order = InOrder(told.append)
    for place, number in enumerate(came, 1):
        order.add(number, number)
        due = next(count for count in range(31) if count not in came[:place])
        assert told == list(range(due))  # nothing waits longer than it has to
    order.flush()
    assert told == list(range(30))


def test_one_that_never_comes_holds_back_no_more_than_the_limit() -> None:
    told: list[int] = []
    order = InOrder(told.append, most=10)
    for number in range(1, 100):
        order.add(number, number)
        assert told == ([] if number <= 10 else list(range(1, number + 1)))
    order.add(0, 0)  # late, and told at once
    assert told[-1] == 0


def test_what_was_interrupted_is_told_as_far_as_it_came() -> None:
    told: list[int] = []
    order = InOrder(told.append)
    for number in (4, 2, 0):
        order.add(number, number)
    assert told == [0]
    order.flush()
    assert told == [0, 2, 4]
