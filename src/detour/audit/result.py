"""What a report is made of: one result for each thing that was asked, and the pieces of text that follow."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Protocol

import msgspec

from detour.audit.finding import SEVERITIES, Finding
from detour.audit.folding import folded
from detour.errors import Span

Outcome = Literal["passed", "failed", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "skipped")


class Result(msgspec.Struct, frozen=True):
    """What became of one case: a request of a contract, a URL of a list, a line of a rule file."""

    name: str  # one line; as in `POST https://host/path`
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    span: Span | None = None  # where the case was written
    seconds: float = 0.0
    detail: str = ""  # why it failed or was skipped, besides what was found; may be several lines
    way: str = ""  # what came of the case, in one line: `GET http://a/ → 307 http://b/ → 200`


class Report(Protocol):
    """Pieces of one text, in order: `start`, `add` for each result, `finish`; no passed result is kept."""

    def start(self) -> str:
        """What comes before the first result."""

    def add(self, result: Result) -> str:
        """One result; "" where the format only counts it."""

    def finish(self) -> str:
        """What comes after the last result."""


class Tally:
    """How many results of each outcome, and findings of each severity, a report has been given.

    `as_told`: findings as a person is told them, each fact once.
    """

    def __init__(self, as_told: bool = False) -> None:
        self._as_told = as_told
        self.outcomes: Counter[str] = Counter()
        self.severities: Counter[str] = Counter()

    def add(self, result: Result) -> None:
        """Count one result."""
        self.outcomes[result.outcome] += 1
        told = [one.finding for one in folded(result.findings)] if self._as_told else result.findings
        for finding in told:
            self.severities[finding.severity] += 1

    def counts(self) -> dict[str, int]:
        """The numbers, zeros included: outcomes, then severities from the gravest down."""
        counted = {outcome: self.outcomes[outcome] for outcome in OUTCOMES}
        return counted | {f"{name}s": self.severities[name] for name in reversed(SEVERITIES)}

    def __str__(self) -> str:
        """One line for a person: `3 passed, 1 failed, 1 error`; outcomes always, severities where any."""
        said = [f"{self.outcomes[outcome]} {outcome}" for outcome in OUTCOMES[:2]]
        said += [f"{self.outcomes['skipped']} skipped"] * bool(self.outcomes["skipped"])
        for name in reversed(SEVERITIES):
            number = self.severities[name]
            said += [f"{number} {name}{'s' * (number > 1)}"] * bool(number)
        return ", ".join(said)
