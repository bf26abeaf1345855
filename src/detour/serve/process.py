"""Processes of one server: how children begin and end, how signals reach the parent, what both can share.

A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group at once. Only the parent acts on
them, and tells its children over their channels: otherwise workers would be gone before the drain has
begun. In the parent, signals are something to wait for, together with descriptors and a time: its only
clockwork.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NoReturn, Protocol, Self

from detour.serve.log import say

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)  # by the parent
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # by children


class Closeable(Protocol):
    """Something with descriptors that a child must not keep open."""

    def close(self) -> None: ...


def fork(body: Callable[[], int], release: Iterable[Closeable] = (), *, mortal: bool = False) -> int:
    """Run `body` in a child whose exit status it returns; the child's process id.

    `release` is closed in the child: what belongs to the parent and to its siblings. A `mortal`
    child dies of SIGTERM; the others end when their channel says so, or ends.
    """
    gc.freeze()  # a collection in the child would touch, and so copy, every page it shares with us
    # A signal between the fork and `_begin` would go through the parent's pipe, or be lost.
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    process = -1
    try:
        process = os.fork()
    finally:
        if process:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            gc.unfreeze()
    if process:
        return process
    status = 1
    try:
        _begin(release, mortal)
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        status = body()
    except BaseException as error:
        _report(error)
    _end(status)


def _begin(release: Iterable[Closeable], mortal: bool) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in _IGNORED:
        # At once the right one: ignoring a signal forgets those that wait (POSIX, Signal Actions).
        dies = mortal and number == signal.SIGTERM
        signal.signal(number, signal.SIG_DFL if dies else signal.SIG_IGN)
    for held in release:
        held.close()


def _report(error: BaseException) -> None:
    say(f"process {os.getpid()} failed: {error!r}; please report this\n{traceback.format_exc()}")


def _end(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    # Never back into the caller's frames, which are the parent's: a CLI, or somebody's test suite.
    os._exit(status)


def reap(process: int) -> int | None:
    """The exit status of `process` once it has ended (negative: the signal that ended it), else None."""
    try:
        ended, status = os.waitpid(process, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if ended else None


def kill(process: int) -> None:
    """End `process` at once."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the number has gone into the pipe."""


class Signals:
    """Within this context SIGTERM, SIGINT, SIGHUP and SIGCHLD arrive through `wait`. Main thread only."""

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        self._before = {number: signal.signal(number, _noted) for number in _HANDLED}
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
