"""Lines to a descriptor that may be slow, from a loop that must not wait.

Lines queue up to a bound and are counted as dropped beyond it; a thread writes them in batches. A
lock shared by all workers keeps their batches whole on a pipe, where a write above PIPE_BUF may be
torn apart (POSIX write()); the kernel gives it back when its holder dies. The descriptor is
never made non-blocking: that would change it for every program that shares it.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable

_MOST_HELD = 1 << 20  # octets waiting
_BATCH = 1 << 16  # octets in one write
_GATHER = 0.05  # seconds in which lines become one batch


class LineWriter:
    """Writes lines to `descriptor` in the background; `write` never blocks."""

    def __init__(
        self, descriptor: int, lock: int | None = None, dropped: Callable[[], None] | None = None
    ) -> None:
        self._descriptor = descriptor
        self._lock = lock
        self._dropped = dropped
        self._lines: list[bytes] = []
        self._held = 0
        self._guard = threading.Condition()
        self._closing = False
        self._broken = False
        self._thread: threading.Thread | None = None

    def write(self, line: bytes) -> None:
        """Queue one line, newline included; drops it, and counts that, when too much waits already."""
        with self._guard:
            if self._broken or self._held + len(line) > _MOST_HELD:
                if self._dropped is not None:
                    self._dropped()
                return
            self._lines.append(line)
            self._held += len(line)
            if self._thread is None:
                self._start()
            elif len(self._lines) == 1:
                self._guard.notify()

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, for at most `seconds`."""
        with self._guard:
            self._closing = True
            self._guard.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="line-writer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._guard:
                while not self._lines and not self._closing:
                    self._guard.wait()
                if not self._closing:
                    self._guard.wait(_GATHER)
                lines, self._lines, self._held = self._lines, [], 0
                done = self._closing and not lines
            if done or not self._write_out(lines):
                return

    def _write_out(self, lines: list[bytes]) -> bool:
        try:
            for batch in batches(lines, _BATCH):
                self._write_whole(batch)
        except OSError:
            self._broken = True  # nobody reads any more: from now on every line is dropped and counted
            return False
        return True

    def _write_whole(self, batch: bytes) -> None:
        if self._lock is not None:
            fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            rest = memoryview(batch)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        finally:
            if self._lock is not None:
                fcntl.lockf(self._lock, fcntl.LOCK_UN)


def batches(lines: list[bytes], size: int) -> list[bytes]:
    """`lines` joined into pieces of at most `size` octets, never cutting a line."""
    pieces: list[list[bytes]] = [[]]
    octets = 0
    for line in lines:
        if octets and octets + len(line) > size:
            pieces.append([])
            octets = 0
        pieces[-1].append(line)
        octets += len(line)
    return [b"".join(piece) for piece in pieces if piece]
