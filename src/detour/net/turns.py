"""Whose turn it is to send: at most so many requests to one host at once, so many in a second.

A request that may go to its host is *ready* and holds its place there until it is done; the others wait
behind it in the order they came.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Generic, TypeVar

W = TypeVar("W")

_CATCH_UP = 0.05  # seconds of a rate that may be made up for after a delay


class Turns(Generic[W]):
    """Works by the host they want to send to; each operation takes constant time."""

    def __init__(self, per_host: int, rate: float | None) -> None:
        self._per_host = per_host
        self._step = 1 / rate if rate else 0.0
        self._next_start = 0.0
        self._under_way: dict[str, int] = {}
        self._waiting: dict[str, deque[W]] = {}
        self._ready: deque[W] = deque()

    def ask(self, host: str, work: W) -> None:
        """Put `work` in line for `host`."""
        count = self._under_way.get(host, 0)
        if count < self._per_host:
            self._under_way[host] = count + 1
            self._ready.append(work)
        else:
            self._waiting.setdefault(host, deque()).append(work)

    def done(self, host: str) -> None:
        """One that was ready or sent for `host` is done: the next in line is ready."""
        waiting = self._waiting.get(host)
        if waiting:
            self._ready.append(waiting.popleft())
            if not waiting:
                del self._waiting[host]
        elif self._under_way[host] == 1:
            del self._under_way[host]
        else:
            self._under_way[host] -= 1

    def next(self) -> W | None:
        """The next that may be sent now, if any."""
        if not self._ready:
            return None
        if self._step:
            now = monotonic()
            if now < self._next_start:
                return None
            self._next_start = max(self._next_start, now - _CATCH_UP) + self._step
        return self._ready.popleft()

    @property
    def any_ready(self) -> bool:
        """Whether one could be sent if the rate allows."""
        return bool(self._ready)

    def until_next(self) -> float:
        """Seconds until the rate allows the next start."""
        return max(0.0, self._next_start - monotonic()) if self._step else 0.0
