"""How far a long command is: a bar on stderr where that is a terminal, and nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

_PAUSE = 0.1  # seconds between two pictures
_CLEAR_LINE = "\r\x1b[2K"  # ECMA-48 EL


class Bar:
    """A bar while the block lasts, drawn by whoever advances it; lines go above it, ten times a second."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._progress: Progress | None = None
        self._drawn = 0.0
        self._above: list[str] = []
        self._out: TextIO = sys.stdout

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._progress = _progress(self._total)
            self._progress.start()
            self._progress.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._write_above()
            self._progress.stop()
            self._progress = None

    def advance(self, outcomes: Mapping[str, int]) -> None:
        """Show how many there are of each outcome."""
        now = time.monotonic()
        if self._progress is None or now - self._drawn < _PAUSE:
            return
        self._drawn = now
        self._write_above()
        failed = f"{outcomes['failed']:,} failed" if outcomes["failed"] else ""
        done = sum(outcomes.values())
        self._progress.update(self._progress.task_ids[0], completed=done, failed=failed)
        self._progress.refresh()

    def write(self, out: TextIO, text: str) -> None:
        """Write lines to `out`, above the bar where both are on a terminal."""
        if self._progress is not None and out.isatty():
            self._out = out
            self._above.append(text)
        else:
            out.write(text)

    def _write_above(self) -> None:
        text, self._above = "".join(self._above), []
        if text:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._out.write(text)
            self._out.flush()


def _progress(total: int | None) -> Progress:
    # Imported here only: most runs draw nothing.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        TextColumn("checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.add_task("checking", total=total, failed="")
    return progress
