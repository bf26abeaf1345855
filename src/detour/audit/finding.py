"""What a check finds, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.errors import Span

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")  # ascending


class Seen(msgspec.Struct, frozen=True):
    """What becomes of a request of one method, where that depends on the method."""

    request: str  # `POST http://host/path`
    becomes: str  # `302 to http://host/other, as GET, without its content`


class Edit(msgspec.Struct, frozen=True):
    """What to write into the file: `lines` in place of the `count` lines from `span` on; 0: ahead of it."""

    span: Span
    count: int
    lines: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: the fact, where it is, the request that shows it, and what to do instead."""

    check: str  # its name, in kebab-case
    severity: Severity
    message: str  # one line: the fact
    remedy: str  # what to do instead: a line for each thing; an indented line belongs to the one before
    span: Span | None = None  # where rules are judged
    url: str = ""  # where a chain is judged: the target URI of the hop
    hop: int = -1  # its place in the chain, from 0
    witness: str = ""  # a request that shows it, as in `POST http://host/path`
    confidence: Literal["is", "suggests"] = "is"
    per_method: tuple[Seen, ...] = ()  # where the outcome depends on the method
    edits: tuple[Edit, ...] = ()  # the lines to write instead, as the remedy shows them


class Check(msgspec.Struct, frozen=True):
    """One thing to look for. Its page in the documentation is made of these texts."""

    name: str  # kebab-case; reads well after "allow"
    severity: Severity  # of its findings, unless one says otherwise
    finds: str  # one sentence
    why: str  # why it matters
    instead: str  # what to do
    references: tuple[str, ...]  # clauses, advisories, issues
    over_chain: Callable[[Chain], Iterable[Finding]] | None = None
    over_rule: Callable[[Place], Iterable[Finding]] | None = None  # each rule of the layers in turn

    def finding(
        self,
        message: str,
        remedy: str = "",
        *,
        severity: Severity | None = None,
        span: Span | None = None,
        url: str = "",
        hop: int = -1,
        witness: str = "",
        confidence: Literal["is", "suggests"] = "is",
        per_method: tuple[Seen, ...] = (),
        edits: tuple[Edit, ...] = (),
    ) -> Finding:
        """A finding of this check, with its severity and its remedy where none is said."""
        return Finding(
            self.name,
            severity or self.severity,
            message,
            remedy or self.instead,
            span,
            url,
            hop,
            witness,
            confidence,
            per_method,
            edits,
        )


def at_least(severity: Severity, findings: Iterable[Finding]) -> list[Finding]:
    """The findings of this severity or above, in their order."""
    least = SEVERITIES.index(severity)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) >= least]
