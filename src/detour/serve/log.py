"""What the server writes: the access log on stdout, and lines for a person on stderr.

The access log is JSON, so that nothing a client sends can begin another line. Every line for a person begins
`detour: ` and leaves in one write.

A descriptor may be slow, and a loop must not wait for it: lines queue up to a bound and are counted as
dropped beyond it; a thread writes them in batches. A lock shared by all workers keeps their batches whole
on a pipe, where a write above PIPE_BUF may be torn apart (POSIX write()); the kernel gives it back when its
holder dies. The descriptor is never made non-blocking: that would change it for every program that shares it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from detour.serve.forwarded import Asker
from detour.serve.wire import Answer

STDOUT, STDERR = 1, 2
# A supervisor that waits for ever on a full pipe replaces no worker: after this long the line is dropped.
_PATIENCE = 0.2
_MOST_HELD = 1 << 20  # octets waiting
_BATCH = 1 << 16  # octets in one write
_GATHER = 0.05  # seconds in which lines become one batch

_encode = msgspec.json.Encoder().encode


class AccessLine(msgspec.Struct, frozen=True):
    """What was asked and answered; None where the client broke HTTP before it said."""

    time: datetime
    client: str
    method: str | None
    scheme: str
    host: str | None
    target: str | None
    status: int
    rule: str | None
    location: str | None
    bytes: int  # sent: head and content


def access_line(
    now: float, asker: Asker, method: str | None, target: str | None, answer: Answer, sent: int
) -> bytes:
    """The line, its end included; `now` in seconds since the epoch."""
    line = AccessLine(
        time=datetime.fromtimestamp(now, UTC),
        client=asker.client,
        method=method,
        scheme=asker.scheme,
        host=asker.host,
        target=target,
        status=answer.status,
        rule=answer.rule or None,
        location=answer.location or None,
        bytes=sent,
    )
    return _encode(line) + b"\n"


def format_lines(text: str) -> bytes:
    """`text` as octets, every line of it prefixed, newline included."""
    return "".join(f"detour: {line}\n" for line in text.splitlines()).encode("utf-8", "backslashreplace")


class Voice:
    """Says lines to a person, at once and in order, and waits for nobody longer than 0.2 s a text.

    What is not taken by then is lost, and the next text that is taken begins with their number.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.lost = 0  # lines

    def say(self, text: str) -> None:
        """Write `text`, each of its lines prefixed; gives up quietly when the descriptor is closed."""
        lines = format_lines(text).splitlines(keepends=True)
        if self.lost:
            lines.insert(0, format_lines(f"lines lost before this one, because nobody read: {self.lost}"))
        said = self._write_out(lines, time.monotonic() + _PATIENCE)
        if self.lost and said:
            said, self.lost = said - 1, 0
        self.lost += len(text.splitlines()) - said

    def _write_out(self, lines: list[bytes], deadline: float) -> int:
        """How many of `lines` were taken in time."""
        taken = 0
        with contextlib.suppress(OSError):
            for batch in batches(lines, select.PIPE_BUF):
                rest = batch
                while rest:
                    if not _writable(self._descriptor, deadline - time.monotonic()):
                        return taken
                    # A pipe that can be written to takes so much without blocking (POSIX write()).
                    rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
                taken += batch.count(b"\n")
        return taken


say = Voice(STDERR).say


def _writable(descriptor: int, seconds: float | None = None) -> bool:
    """Wait until something can be written, or will fail, but no longer than `seconds` (None: for ever)."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(None if seconds is None else max(0, seconds) * 1000))


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
        written = 0
        try:
            for batch in batches(lines, _BATCH):
                self._write_whole(batch)
                written += batch.count(b"\n")
        except OSError:
            self._give_up(len(lines) - written)
            return False
        return True

    def _give_up(self, lost: int) -> None:
        """Nobody reads any more: from now on every line is dropped and counted."""
        with self._guard:
            self._broken = True
            lost += len(self._lines)
            self._lines = []
            if self._dropped is not None:
                for _ in range(lost):
                    self._dropped()

    def _write_whole(self, batch: bytes) -> None:
        if self._lock is not None:
            fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            rest = memoryview(batch)
            while rest:
                # Somebody who shares the descriptor may have made it non-blocking.
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(self._descriptor, rest) :]
                    continue
                _writable(self._descriptor)
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
