"""Counters that outlive the worker that counts.

Each worker has one *bank*: an anonymous file of unsigned 64-bit slots, mapped shared by the worker
(its only writer), by the parent that owns it, and by the admin process that reads it. A total is
the sum over all banks. A bank is handed to the worker's successor, so a death loses no count, and
only ever grows, so a reload moves no slot.

Slots below `FIRST_RULE_SLOT` are fixed; above, the parent's `SlotTable` gives each series of hits
(a rule's name, or its import's) one slot. Banks and table together are the parent's `Ledger`.
"""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence

from detour.core.message import METHODS
from detour.snapshot import anonymous_file

METHOD_NAMES: tuple[str, ...] = (*sorted(METHODS), "other")
# Every status the server sends; 0 stands for one that is missing here.
STATUSES: tuple[int, ...] = (
    200, 204, 301, 302, 303, 307, 308, 400, 403, 404, 405, 408, 410, 413, 414, 421, 429, 431, 451,
    500, 501, 503, 505, 0,
)  # fmt: skip

_FIRST_ANSWER = 16  # room for counters to come, so that ANSWERS stays where it is
CONNECTIONS_OPENED = 0
CONNECTIONS_CLOSED = 1
REFUSED_HEADS = 2
LOST_ANSWERS = 3  # reset by the client before the answer was flushed
LOG_LINES_DROPPED = 4
FIRST_RULE_SLOT = _FIRST_ANSWER + len(METHOD_NAMES) * len(STATUSES)

_METHOD_INDEX = {name: index for index, name in enumerate(METHOD_NAMES)}
_STATUS_INDEX = {status: index for index, status in enumerate(STATUSES)}
_SLOT = 8  # octets
_MOST_SERIES = 1 << 16  # that keep their slots, present or not


def answer_slot(method: str, status: int) -> int:
    """The slot that counts answers with `status` to `method`; an unknown method counts as "other"."""
    row = _METHOD_INDEX.get(method, len(METHOD_NAMES) - 1)
    return _FIRST_ANSWER + row * len(STATUSES) + _STATUS_INDEX.get(status, len(STATUSES) - 1)


class Counters:
    """One worker's slots: `view[slot] += 1` counts. Single writer."""

    def __init__(self, view: memoryview, slots: Mapping[str, int]) -> None:
        self.view = view
        self._slots = slots

    @classmethod
    def private(cls, series: Iterable[str] = ()) -> Counters:
        """Counters over memory of this process alone."""
        table = SlotTable()
        slots = table.assign(tuple(series))
        return cls(memoryview(bytearray(table.size * _SLOT)).cast("Q"), slots)

    def hit_slot(self, series: str) -> int | None:
        """The slot that counts hits of `series`; None for a series without one."""
        return self._slots.get(series)


class SlotTable:
    """Which series has which slot; the parent's. A name keeps its slot while the table has room.

    When it has none (`capacity` series), names that are no longer in the rule set give up theirs. A
    slot given up is free only from the next `assign` on: by then no worker counts on it any more.
    """

    def __init__(self, capacity: int = _MOST_SERIES) -> None:
        self._capacity = capacity
        self._slots: dict[str, int] = {}
        self._given_up: list[int] = []
        self._free: list[int] = []
        self.size = FIRST_RULE_SLOT  # slots that a bank must have

    def assign(self, series: Sequence[str]) -> dict[str, int]:
        """The slot of each of `series`, new ones included."""
        if len(self._slots.keys() | set(series)) > self._capacity:
            self._forget(set(series))
        for name in series:
            if name not in self._slots:
                self._slots[name] = self._free.pop() if self._free else self._extend()
        return {name: self._slots[name] for name in series}

    def reclaim(self) -> list[int]:
        """Make the slots given up before free; the caller zeroes them in every bank, then assigns."""
        reclaimed, self._given_up = self._given_up, []
        self._free += reclaimed
        return reclaimed

    def _extend(self) -> int:
        self.size += 1
        return self.size - 1

    def _forget(self, present: set[str]) -> None:
        for name in [name for name in self._slots if name not in present]:
            self._given_up.append(self._slots.pop(name))


class Bank:
    """The shared file of one worker's slots. Whoever holds the descriptor can map it."""

    def __init__(self, name: str = "detour-counters") -> None:
        self.descriptor = anonymous_file(name)
        self._octets = 0

    def grow(self, slots: int) -> None:
        """Make room for `slots` slots; never shrinks, and leaves half as much again."""
        if slots * _SLOT > self._octets:
            self._octets = -(-slots * _SLOT * 3 // 2 // mmap.PAGESIZE) * mmap.PAGESIZE
            os.ftruncate(self.descriptor, self._octets)

    def map(self) -> memoryview:
        """All slots as they are now, shared; map again after a `grow` (in any process)."""
        octets = os.fstat(self.descriptor).st_size
        return memoryview(mmap.mmap(self.descriptor, octets, mmap.MAP_SHARED)).cast("Q")

    def settle(self) -> None:
        """Its worker is dead: the connections it had open are closed."""
        view = self.map()
        view[CONNECTIONS_CLOSED] = view[CONNECTIONS_OPENED]

    def zero(self, slots: Iterable[int]) -> None:
        """Start `slots` at 0 again."""
        view = self.map()
        for slot in slots:
            view[slot] = 0

    def close(self) -> None:
        os.close(self.descriptor)


class Ledger:
    """Who counts where, the parent's: a bank for each worker, always large enough for the newest rules."""

    def __init__(self, workers: int, capacity: int = _MOST_SERIES) -> None:
        self._table = SlotTable(capacity)
        self.banks = tuple(Bank() for _ in range(workers))

    def assign(self, series: Sequence[str], *, settled: bool = True) -> dict[str, int]:
        """The slot of each of `series`, where it was before; every bank has room for it.

        Unless `settled`, somebody may still count by an assignment before the last: no slot is used again.
        """
        reclaimed = self._table.reclaim() if settled else []
        slots = self._table.assign(series)
        for bank in self.banks:
            bank.grow(self._table.size)
            bank.zero(reclaimed)
        return slots


def pack_slots(series: Sequence[str], slots: Mapping[str, int]) -> bytes:
    """The slots of `series`, in order, for another process that knows `series`."""
    return array("Q", [slots[name] for name in series]).tobytes()


def unpack_slots(series: Sequence[str], packed: bytes) -> dict[str, int]:
    """The inverse of `pack_slots`; raises `ValueError` when they do not belong together."""
    slots = array("Q")
    slots.frombytes(packed)
    return dict(zip(series, slots, strict=True))
