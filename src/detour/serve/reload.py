"""When rules are compiled again, and whether the outcome may take effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from detour.errors import RuleError, ServeError
from detour.serve import child
from detour.serve.compilation import Compilation, RuleSource
from detour.serve.diagnostics import say
from detour.serve.snapshot import Manifest
from detour.serve.watch import Watch, with_folders

# A file cut short by a full disk or a broken generator often still parses.
_WORTH_GUARDING = 100  # rules


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
        release: Callable[[], Iterable[child.Closeable]],
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
        try:
            manifest = self._judge(compilation)
        except (RuleError, ServeError) as error:
            self._refuse(compilation, error)
            return None
        self._watch.follow(manifest.files, compilation.began)
        self.manifest = manifest
        return manifest, compilation.descriptor, compilation.began

    def stop(self) -> None:
        """Give up what is being compiled."""
        if self._compilation is not None:
            self._compilation.abandon()
            self._compilation = None

    def _judge(self, compilation: Compilation) -> Manifest:
        manifest = compilation.manifest()
        before, after = self.manifest.rules, manifest.rules
        if not self._insists and shrinks_too_much(before, after):
            raise ServeError(f"{before} rules became {after}; send SIGHUP to take them nevertheless")
        return manifest

    def _refuse(self, compilation: Compilation, error: Exception) -> None:
        self.failures += 1
        say(f"not reloaded, the rules of before stay in force:\n{error}")
        # The remedy may be a file that does not exist yet: watch where it would appear.
        self._watch.follow(with_folders(self.manifest.files), compilation.began)
        compilation.abandon()
