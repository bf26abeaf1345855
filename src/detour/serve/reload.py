"""How rules and certificates are read, at the start and again when their files change.

Files are watched by asking the system a few times a second. `stat` follows links, so a ConfigMap
(`file -> ..data/file`, `..data -> ..2026_…`) shows another inode when its link is swapped, an editor's
rename shows one too, and network and bind mounts, which send no notifications, are seen like any other.
A handful of `stat` calls costs nothing.

Rules are compiled by a child at low priority, which reads the files and leaves a snapshot behind: the same
at the start and at every reload, so the parent stays small and never waits for a parser. What is faulty,
or shrank like an accident, changes nothing that is being served.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from detour.errors import RuleError, ServeError, SnapshotError
from detour.serve.certificate import TLS, paths_of, renew
from detour.serve.log import say
from detour.serve.process import Closeable, fork, kill, reap
from detour.snapshot import Manifest, Writer, anonymous_file, read_directory

INTERVAL = 0.25  # seconds between two looks
_CLOCK_STEP = 20_000_000  # ns; a file's time may lag the clock by a kernel tick
_NICE = 10  # of the child that compiles
# A file cut short by a full disk or a broken generator often still parses.
_WORTH_GUARDING = 100  # rules

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


class RuleSource(Protocol):
    """Where rules come from: a file, or a store."""

    @property
    def files(self) -> tuple[str, ...]:
        """What to watch before anything was read: the rule file."""
        ...

    def compile(self, descriptor: int, overrides: Mapping[str, Any]) -> None:
        """Write the rules into the empty file `descriptor` as a snapshot; `overrides` replace keys of
        `[server]`. Raises `RuleError` with every fault. Runs in a child of its own."""
        ...


class Compilation:
    """A running or ended compile child, and the file it writes to."""

    def __init__(
        self, source: RuleSource, overrides: Mapping[str, Any], release: Iterable[Closeable] = ()
    ) -> None:
        self.descriptor = anonymous_file("detour-rules")
        self.began = time.time()
        self._status: int | None = None
        self._process = fork(lambda: _compile(self.descriptor, source, overrides), release, mortal=True)

    def ended(self) -> bool:
        """Whether the child has ended; never waits."""
        if self._status is None:
            self._status = reap(self._process)
        return self._status is not None

    def manifest(self) -> Manifest:
        """What was compiled; raises `RuleError` with the faults, `ServeError` when the child broke."""
        if self._status is not None and self._status < 0:
            raise ServeError(f"the process that compiles the rules was killed (signal {-self._status})")
        try:
            directory = read_directory(self.descriptor)
        except SnapshotError:
            ended = "the rules were not written: the process that compiles them ended early"
            raise ServeError(ended) from None
        if directory.manifest is None:
            raise RuleError(directory.faults, directory.files)
        return directory.manifest

    def abandon(self) -> None:
        """Stop the child if it runs, and close the file."""
        if not self.ended():
            kill(self._process)
            os.waitpid(self._process, 0)
        os.close(self.descriptor)


def _compile(descriptor: int, source: RuleSource, overrides: Mapping[str, Any]) -> int:
    os.nice(_NICE)
    try:
        source.compile(descriptor, overrides)
    except RuleError as error:
        Writer(descriptor).refuse(error)
        return 1
    return 0


def shrinks_too_much(before: int, after: int) -> bool:
    """Whether a set of `before` rules that becomes one of `after` looks like an accident."""
    return before > _WORTH_GUARDING and after * 2 < before


class Reloading:
    """The rules in force as the parent knows them, and the compilation of the next ones."""

    def __init__(
        self,
        source: RuleSource,
        overrides: Mapping[str, Any],
        first: tuple[Manifest, float],
        release: Callable[[], Iterable[Closeable]],
    ) -> None:
        self._source = source
        self._overrides = overrides
        self._release = release
        self.manifest, since = first
        self._watch = Watch(())
        self._watch.follow(self.manifest.files, since)
        self._compilation: Compilation | None = None
        self._asked = False  # by SIGHUP, for the compilation after this one
        self._insists = False  # SIGHUP asked for the one that runs
        self.failures = 0

    def ask(self) -> None:
        """Compile as soon as nothing else is compiled, whether anything changed or not."""
        self._asked = True

    def look(self) -> None:
        """Begin to compile when it was asked for, or when the files changed and rest. Call at intervals."""
        changed = self._watch.changed()
        if self._compilation is None and (changed or self._asked):
            self._insists, self._asked = self._asked, False
            self._watch.accept()
            self._compilation = Compilation(self._source, self._overrides, self._release())

    def outcome(self) -> tuple[Manifest, int, float] | None:
        """Manifest, snapshot descriptor (the caller's from now on) and beginning of an accepted compilation.

        None while there is none; faults are said and counted here, and change nothing.
        """
        compilation = self._compilation
        if compilation is None or not compilation.ended():
            return None
        self._compilation = None
        # The files in force, too: they are what a refusal may go back to.
        files = [*self._source.files, *self.manifest.files]
        try:
            manifest = compilation.manifest()
            files += manifest.files
            self._forbid_accident(manifest)
        except RuleError as error:
            self._refuse(compilation, error, (*files, *error.files))
            return None
        except ServeError as error:
            self._refuse(compilation, error, files)
            return None
        self._watch.follow(manifest.files, compilation.began)
        self.manifest = manifest
        return manifest, compilation.descriptor, compilation.began

    def stop(self) -> None:
        """Give up what is being compiled."""
        if self._compilation is not None:
            self._compilation.abandon()
            self._compilation = None

    def _forbid_accident(self, manifest: Manifest) -> None:
        before, after = self.manifest.rules, manifest.rules
        if not self._insists and shrinks_too_much(before, after):
            raise ServeError(f"{before} rules became {after}; send SIGHUP to take them nevertheless")

    def _refuse(self, compilation: Compilation, error: Exception, files: Iterable[str]) -> None:
        self.failures += 1
        say(f"not reloaded, the rules of before stay in force:\n{error}")
        self._watch.follow(dict.fromkeys(files), compilation.began)
        compilation.abandon()


class Vault:
    """`renew` at intervals; a certificate that cannot be used is said, and the one before it stays."""

    def __init__(self, offered: Iterable[TLS | None]) -> None:
        self._offered = [tls for tls in offered if tls is not None]
        self._watch = Watch({path for tls in self._offered for path in paths_of(tls.entries)})
        self._asked = False
        self.failures = 0

    def ask(self) -> None:
        """Read all files at the next `renew`, changed or not."""
        self._asked = True

    def renew(self) -> bool:
        """Whether the certificates were read anew: then the workers must do so, too."""
        if not self._offered or not (self._watch.changed() or self._asked):
            return False
        self._asked = False
        self._watch.accept()
        try:
            renew(self._offered)
        except ServeError as error:
            self.failures += 1
            say(f"certificates not reloaded, those of before stay in use:\n{error}")
            return False
        say("certificates reloaded")
        return True
