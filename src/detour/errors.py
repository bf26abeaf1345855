"""Every exception Detour raises, on one screen.

    DetourError
    ├── URLError          not a URL (WHATWG URL)
    ├── PatternError      not a URL Pattern that Detour can run
    ├── TemplateError     not a Location template, or it names what the pattern does not capture
    ├── NodeError         a value in a YAML or JSON text that is not what belongs there; carries its line
    ├── RuleError         a rule file with faults; carries all of them
    ├── SnapshotError     a file of compiled rules that is not whole, or not of this version
    ├── RequestError      the client broke HTTP; carries the status to answer with
    ├── ServeError        the server cannot start or go on (port taken, certificate unreadable)
    └── LabError          the lab cannot run (no openssl, an address in use, a journal of others)

An expected end is a value, not an exception: no match, a loop, a refused method are results.
A message is one line: the place, the fact, the remedy.
"""

from __future__ import annotations

from typing import Self

import msgspec


class Span(msgspec.Struct, frozen=True, order=True):
    """Where something was written: `file`, `line` and `column` (both from 1; 0 when unknown)."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing wrong with a rule file: its place, the fact, and what to do about it."""

    span: Span
    fact: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.span}: {self.fact}; {self.remedy}"


class KeyFault(msgspec.Struct, frozen=True):
    """One thing wrong with a table, in terms of the keys it rests on; its place is the first of them."""

    keys: tuple[str, ...]
    fact: str
    remedy: str


class DetourError(Exception):
    """Anything Detour refuses to do; the message is one line for a person."""


class _FactError(DetourError):
    """A fact and its remedy, before anybody knows the place."""

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(f"{fact}; {remedy}")
        self.fact = fact
        self.remedy = remedy


class URLError(_FactError):
    """A text that the WHATWG URL parser does not accept."""


class PatternError(_FactError):
    """A pattern that is not URL Pattern syntax, or that RE2 cannot run in linear time."""


class TemplateError(_FactError):
    """A template that cannot yield a Location, or not a safe one."""


class NodeError(_FactError):
    """A value in a YAML or JSON text that is not what belongs there, or a text that is neither."""

    def __init__(self, line: int, fact: str, remedy: str) -> None:
        super().__init__(fact, remedy)
        self.line = line


class RuleError(DetourError):
    """A rule file with faults: `faults` holds all of them, in the order they were written; `files` the names
    of the files whose change may mend them, missing ones included (empty: unknown)."""

    def __init__(self, faults: tuple[Fault, ...], files: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
        self.files = files

    @classmethod
    def of_file(cls, name: str, fact: str, remedy: str) -> Self:
        """A file that cannot be used at all: one fault, of the whole of it."""
        return cls((Fault(Span(name), fact, remedy),))


class SnapshotError(_FactError):
    """A file of compiled rules that is cut short, damaged, foreign, or of another version."""


class RequestError(DetourError):
    """The client broke HTTP; `status` is what the server answers before it closes."""

    def __init__(self, fact: str, status: int = 400) -> None:
        super().__init__(fact)
        self.status = status


class ServeError(DetourError):
    """The server cannot start, or cannot go on: a port taken, a certificate unreadable."""


class LabError(DetourError):
    """The lab cannot run: no openssl, an address that cannot be bound, a journal that is not its own."""
