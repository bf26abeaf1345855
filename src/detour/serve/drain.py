"""The end of a server, as deadlines."""

from __future__ import annotations

import time

STEP = 0.05  # seconds between two looks while draining
GRACE = 1.0  # seconds beyond the drain timeout before a child is killed


class Draining:
    """The two deadlines of a drain: until when connections are accepted, and until when they may last."""

    def __init__(self, delay: float, timeout: float) -> None:
        self._accept_until = time.monotonic() + delay
        self._end = self._accept_until + timeout + GRACE
        self.told = self.ending = False

    def end_soon(self) -> None:
        """All workers are gone: what is left has little to do."""
        self.ending, self._end = True, time.monotonic() + GRACE

    def accepts(self, now: float) -> bool:
        return now < self._accept_until

    def overdue(self, now: float) -> bool:
        return now >= self._end
