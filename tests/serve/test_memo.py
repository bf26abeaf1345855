"""What a memo keeps, and what a flood of targets does to it."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from detour.serve.memo import Entry, Memo
from detour.serve.wire import Answer

ANSWER = Entry(inf, b"", b"", 0, 0, "", Answer(307, b"", b""))


def key(number: int) -> tuple[bytes, bytes]:
    return b"GET /%d HTTP/1.1" % number, b"\nHost: example.com"


def test_a_key_is_known_from_the_second_time_on() -> None:
    memo = Memo(8)
    assert [memo.asked_before(key(1)) for _ in range(3)] == [False, True, True]


def test_without_a_memo_nothing_is_known() -> None:
    memo = Memo(0)
    memo.asked_before(key(1))
    assert not memo.asked_before(key(1))


def test_of_a_flood_of_distinct_keys_hardly_any_is_taken_for_known() -> None:
    memo = Memo(8)
    taken = sum(memo.asked_before(key(number)) for number in range(200_000))
    assert taken < 2_000  # one in 255 would be 784


def test_keys_that_are_asked_for_again_and_again_are_soon_all_known() -> None:
    memo, lot = Memo(8), Random(1)
    for _ in range(60_000):
        memo.asked_before(key(lot.randrange(10_000)))
    known = sum(memo.asked_before(key(number)) for number in range(10_000))
    assert known > 8_000


@pytest.mark.parametrize("limit", [0, 1, 8])
def test_a_memo_never_holds_more_than_two_generations(limit: int) -> None:
    memo = Memo(limit)
    for number in range(100):
        memo.keep(key(number), ANSWER)
        assert len(memo) <= 2 * limit


def test_what_is_asked_for_again_outlives_a_flood() -> None:
    memo = Memo(8)
    memo.keep(key(0), ANSWER)
    for number in range(1, 100):
        memo.keep(key(number), ANSWER)
        assert memo.find(key(0)) is ANSWER
