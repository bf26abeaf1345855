"""Notice that files changed, and that they have come to rest, by asking the system a few times a second.

`stat` follows links, so a ConfigMap (`file -> ..data/file`, `..data -> ..2026_…`) shows another inode
when its link is swapped, an editor's rename shows one too, and network and bind mounts, which send
no notifications, are seen like any other. A handful of `stat` calls costs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

INTERVAL = 0.25  # seconds between two looks
_CLOCK_STEP = 20_000_000  # ns; a file's time may lag the clock by a kernel tick

Print = tuple[int, int, int, int]  # device, inode, size, time of change in ns


def fingerprint(path: str) -> Print | None:
    """What identifies the present content of `path`; None when it cannot be looked at."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


class Watch:
    """A set of paths, as they were when last accepted and as they were at the last look."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)
        self._accepted = self._look()
        self._last = self._accepted

    def changed(self) -> bool:
        """Look once. True when something differs from what was accepted, and not from the look before."""
        now = self._look()
        rests, self._last = now == self._last, now
        return rests and now != self._accepted

    def accept(self) -> None:
        """Take the files as they are now for known, whatever becomes of them."""
        self._accepted = self._last = self._look()

    def follow(self, paths: Iterable[str], since: float) -> None:
        """Watch `paths` instead. What was known stays known; a path that is new and was written after
        `since` (seconds since the epoch, when its reading began) counts as changed."""
        known = self._accepted
        self._paths = tuple(paths)
        self._last = self._look()
        self._accepted = {
            path: known[path] if path in known else _unless_newer(seen, since)
            for path, seen in self._last.items()
        }

    def _look(self) -> dict[str, Print | None]:
        return {path: fingerprint(path) for path in self._paths}


def _unless_newer(seen: Print | None, since: float) -> Print | None:
    newer = seen is not None and seen[3] >= int(since * 1e9) - _CLOCK_STEP
    return (-1, -1, -1, time.time_ns()) if newer else seen


def with_folders(paths: Iterable[str]) -> tuple[str, ...]:
    """`paths` and the folders they lie in: a file that appears beside them is seen, too."""
    known = tuple(paths)
    folders = {os.path.dirname(path) or "." for path in known}
    return (*known, *sorted(folders))
