"""What the admin process can read: the board, everybody's counters, and the rules it was sent.

The board is what the parent tells about itself: a few numbers in one shared page. The parent alone writes;
the page is inherited by fork and survives both sides' replacement.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from detour.core.matcher import RuleSet
from detour.serve.stats import METHOD_NAMES, STATUSES, Bank, answer_slot

# An ASGI application; its types are the framework's affair.
ASGI = Callable[..., Any]
Application = Callable[["Readings"], ASGI]

_FIELDS = (
    "started",  # seconds since the epoch
    "ready",  # 1 from the first moment every worker answers
    "draining",
    "workers",  # wanted
    "workers_alive",
    "worker_deaths",
    "generation",  # of the rules that every worker answers from
    "rules",
    "reloads",  # that took effect
    "reload_failures",  # faults, refused shrinks, unreadable certificates
    "last_reload",  # seconds since the epoch, 0 before the first
)
_PLACES = {name: index for index, name in enumerate(_FIELDS)}


class Board:
    """Named numbers; reading one that does not exist raises `KeyError`."""

    def __init__(self) -> None:
        self._view = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")

    def __getitem__(self, name: str) -> float:
        return float(self._view[_PLACES[name]])

    def __setitem__(self, name: str, value: float) -> None:
        self._view[_PLACES[name]] = value

    def as_dict(self) -> dict[str, float]:
        """Every number by its name."""
        return {name: self[name] for name in _FIELDS}


class Readings:
    """Numbers of the moment; `replace` swaps rules and slots at a reload."""

    def __init__(self, board: Board, banks: Sequence[Bank]) -> None:
        self.board = board
        self._banks = banks
        self.replace(RuleSet.of(()), {})

    def replace(self, rules: RuleSet, slots: Mapping[str, int]) -> None:
        """From now on these rules, their hits in these slots; maps what has grown."""
        self.rules = rules
        self._slots = slots
        self._views = [bank.map() for bank in self._banks]
        self._last: tuple[str, int] | None = None

    def total(self, slot: int) -> int:
        """The sum of one slot over all workers."""
        return sum(view[slot] for view in self._views)

    def hits(self, series: str) -> int:
        """How often the rules counted under `series` have answered; 0 for an unknown name."""
        slot = self._slots.get(series)
        return 0 if slot is None else self.total(slot)

    def answers(self) -> Iterator[tuple[str, int, int]]:
        """(method, status, count) for every pair that occurred."""
        for method in METHOD_NAMES:
            for status in STATUSES:
                count = self.total(answer_slot(method, status))
                if count:
                    yield method, status, count

    def place_of(self, name: str) -> int | None:
        """Where the rule `name` stands in file order; at once for the one `remember`ed."""
        if self._last is not None and self._last[0] == name:
            return self._last[1]
        return self.rules.rules.place_of(name)

    def remember(self, name: str, place: int) -> None:
        """The page just shown ends with this rule: whoever asks for the next one will name it."""
        self._last = name, place

    @property
    def serving(self) -> bool:
        """Whether requests should be sent here: started, not draining, somebody answers."""
        board = self.board
        return bool(board["ready"]) and not board["draining"] and board["workers_alive"] > 0
