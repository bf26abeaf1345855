"""Answers that depend on nothing but the request line and Host, ready to be sent again.

Two generations: what is asked for again moves from the old one to the young one, and when the young
one is full it becomes the old one. A flood of targets that nobody asks for twice costs what is
popular no more than one look-up in the old generation, and memory is bounded.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from detour.serve.wire import Answer

GENERATION = 4096  # entries
TARGET_LIMIT = 512  # octets of a request target that is worth remembering


class Entry(NamedTuple):
    """A prepared answer; a tuple, because the hot path unpacks it in one step."""

    until: float  # good before this instant, seconds since the epoch
    before: bytes
    after: bytes
    slot: int  # the counter of answers with this method and status
    hit: int  # the counter of the rule's hits; 0: none
    twin: str  # the scheme of a Location that changes nothing else of the target URI; "": it does
    answer: Answer


class Memo:
    """At most two generations of entries; `limit` 0 remembers nothing."""

    __slots__ = ("_limit", "_old", "young")

    def __init__(self, limit: int = GENERATION) -> None:
        self._limit = limit
        self.young: dict[Hashable, Entry] = {}
        self._old: dict[Hashable, Entry] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def find(self, key: Hashable) -> Entry | None:
        """The entry under `key`, which is young from now on."""
        entry = self.young.get(key)
        if entry is None and (entry := self._old.get(key)) is not None:
            self.keep(key, entry)
        return entry

    def keep(self, key: Hashable, entry: Entry) -> None:
        """Remember `entry`, at the cost of the old generation when the young one is full."""
        if len(self.young) >= self._limit:
            self.young, self._old = {}, self.young
        if self._limit:
            self.young[key] = entry
