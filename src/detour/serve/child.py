"""Children of the parent: how they begin, what they ignore, and how they end."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol

from detour.serve.diagnostics import say

# A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group at once. Only the parent
# acts on them, and tells its children over their channels: otherwise workers would be gone before
# the drain has begun.
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RESET = (signal.SIGCHLD,)


class Closeable(Protocol):
    """Something with descriptors that a child must not keep open."""

    def close(self) -> None: ...


def fork(body: Callable[[], int], release: Iterable[Closeable] = (), *, mortal: bool = False) -> int:
    """Run `body` in a child whose exit status it returns; the child's process id.

    `release` is closed in the child: what belongs to the parent and to its siblings. A `mortal`
    child dies of SIGTERM; the others end when their channel says so, or ends.
    """
    gc.freeze()  # a collection in the child would touch, and so copy, every page it shares with us
    process = os.fork()
    if process:
        gc.unfreeze()
        return process
    status = 1
    try:
        _begin(release, mortal)
        status = body()
    except BaseException as error:
        _report(error)
    _end(status)


def _begin(release: Iterable[Closeable], mortal: bool) -> None:
    signal.set_wakeup_fd(-1)
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    if mortal:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
