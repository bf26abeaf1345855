"""The order in which a client is asked."""

from __future__ import annotations

from collections.abc import Callable

from detour.lab.cases import CASES
from detour.lab.plan import Plan, Verdicts

FOUR = CASES[:4]
KEPT: Verdicts = ("kept", "none sent")
LOST: Verdicts = ("lost", "none sent")


def order(plan: Plan, verdict: Callable[[str, int], Verdicts]) -> list[int]:
    """Which of FOUR are asked, one after the other; `verdict` says what comes of a case's n-th run."""
    asked = []
    while (case := plan.next()) is not None:
        plan.settle(case, verdict(case.id, plan.trials(case)))
        asked.append(FOUR.index(case))
    return asked


def test_every_case_is_asked_twice_there_and_back() -> None:
    assert order(Plan(FOUR), lambda *_: KEPT) == [0, 1, 2, 3, 3, 2, 1, 0]


def test_one_that_differs_is_asked_five_times() -> None:
    asked = order(Plan(FOUR), lambda case, n: LOST if case == FOUR[1].id and n else KEPT)
    assert asked == [0, 1, 2, 3, 3, 2, 1, 0, 1, 1, 1]


def test_a_difference_in_credentials_counts() -> None:
    asked = order(Plan(FOUR[:1]), lambda _, n: ("kept", "leaked" if n else "dropped"))
    assert asked == [0] * 5


def test_what_is_unsupported_is_asked_twice_too() -> None:
    assert order(Plan(FOUR[:2]), lambda case, _: ("unsupported", "none sent")) == [0, 1, 1, 0]


def test_each_can_be_asked_once() -> None:
    assert order(Plan(FOUR, twice=1), lambda *_: KEPT) == [0, 1, 2, 3]


def test_what_is_settled_is_not_asked_again() -> None:
    settled = [(FOUR[0].id, KEPT), (FOUR[0].id, KEPT), (FOUR[1].id, KEPT), ("gone", KEPT)]
    assert order(Plan(FOUR[:3], settled), lambda *_: KEPT) == [1, 2, 2]


def test_how_many_runs_are_left_is_known() -> None:
    plan = Plan(FOUR, [(FOUR[0].id, KEPT), (FOUR[0].id, LOST), (FOUR[1].id, ("unsupported", "none sent"))])
    assert plan.left == 3 + 1 + 2 + 2
