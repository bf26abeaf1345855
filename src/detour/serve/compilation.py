"""One compilation of the rules: a child at low priority reads the files and leaves a snapshot behind.

The same at the start and at every reload, so the parent stays small and never waits for a parser.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from detour.errors import RuleError, ServeError
from detour.serve import child
from detour.serve.snapshot import Loaded, Manifest, read_manifest, write_faults, write_rules
from detour.serve.stats import anonymous_file

_NICE = 10


class RuleSource(Protocol):
    """Where rules come from: a file, or a store."""

    @property
    def files(self) -> tuple[str, ...]:
        """What to watch before anything was read: the rule file."""
        ...

    def load(self) -> Loaded:
        """Read the rules; raises `RuleError` with every fault. Runs in a child of its own."""
        ...


class Compilation:
    """A running or ended compile child, and the file it writes to."""

    def __init__(
        self, source: RuleSource, overrides: Mapping[str, Any], release: Iterable[child.Closeable] = ()
    ) -> None:
        self.descriptor = anonymous_file("detour-rules")
        self.began = time.time()
        self._status: int | None = None
        self._process = child.fork(lambda: _compile(self.descriptor, source, overrides), release, mortal=True)

    def ended(self) -> bool:
        """Whether the child has ended; never waits."""
        if self._status is None:
            self._status = child.reap(self._process)
        return self._status is not None

    def manifest(self) -> Manifest:
        """What was compiled; raises `RuleError` with the faults, `ServeError` when the child broke."""
        if self._status is not None and self._status < 0:
            raise ServeError(f"the process that compiles the rules was killed (signal {-self._status})")
        return read_manifest(self.descriptor)

    def abandon(self) -> None:
        """Stop the child if it runs, and close the file."""
        if not self.ended():
            child.kill(self._process)
            os.waitpid(self._process, 0)
        os.close(self.descriptor)


def _compile(descriptor: int, source: RuleSource, overrides: Mapping[str, Any]) -> int:
    os.nice(_NICE)
    try:
        loaded = source.load()
    except RuleError as error:
        write_faults(descriptor, error.faults)
        return 1
    write_rules(descriptor, loaded, overrides)
    return 0
