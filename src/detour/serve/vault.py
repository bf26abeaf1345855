"""The certificates of all listeners: watched, and read again when they change or when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from detour.errors import ServeError
from detour.serve.certificate import TLS, paths_of
from detour.serve.diagnostics import say
from detour.serve.watch import Watch


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
            for tls in self._offered:
                tls.reload()
        except ServeError as error:
            self.failures += 1
            say(f"certificates not reloaded, those of before stay in use:\n{error}")
            return False
        say("certificates reloaded")
        return True
