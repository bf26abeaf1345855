"""Signals as something to wait for, together with descriptors and a time: the parent's only clockwork."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable
from types import FrameType
from typing import Self

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the number has gone into the pipe."""


class Signals:
    """Within this context the signals above arrive through `wait`. Main thread only."""

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        self._before = {number: signal.signal(number, _noted) for number in HANDLED}
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.close()

    def wait(self, seconds: float, descriptors: Iterable[int] = ()) -> list[int]:
        """The signals that came; returns early when one does, or when a descriptor can be read."""
        poll = select.poll()
        for descriptor in (self._reader, *descriptors):
            poll.register(descriptor, select.POLLIN)
        poll.poll(max(0, seconds) * 1000)
        try:
            return list(os.read(self._reader, 4096))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Close the pipe; a child does this."""
        os.close(self._reader)
        os.close(self._writer)
