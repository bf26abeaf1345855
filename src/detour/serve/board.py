"""What the parent tells the admin process about itself: a few numbers in one shared page.

The parent alone writes; the page is inherited by fork and survives both sides' replacement.
"""

from __future__ import annotations

import mmap

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
