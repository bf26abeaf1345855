"""Results in the order of the input although they finish in another one, as far as few have to wait."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_HELD = 1000


class InOrder(Generic[T]):
    """Hands on what it is given by its number, from 0; with `most` held back, the first of them goes."""

    def __init__(self, hand_on: Callable[[T], object], most: int = _MOST_HELD) -> None:
        self._hand_on, self._most = hand_on, most
        self._held: list[tuple[int, int, T]] = []
        self._next = self._came = 0

    def add(self, number: int, one: T) -> None:
        """Take one, and hand on what is due."""
        self._came += 1  # parts equals: what is held cannot be compared
        heappush(self._held, (number, self._came, one))
        while self._held and (self._held[0][0] <= self._next or len(self._held) > self._most):
            self._hand_on_first()

    def flush(self) -> None:
        """Hand on what is held: nothing comes any more."""
        while self._held:
            self._hand_on_first()

    def _hand_on_first(self) -> None:
        number, _, one = heappop(self._held)
        self._next = max(self._next, number + 1)
        self._hand_on(one)
