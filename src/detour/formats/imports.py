"""Imported files: lines of other dialects as rules, at the place of their import in the order."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from detour.core.pattern import Pattern
from detour.core.rule import Rule
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.template import Template
from detour.errors import Fault, PatternError, Span, TemplateError
from detour.formats import cloudflare_bulk, cloudflare_pages, csv_file, ipfs, netlify, vercel_bulk
from detour.formats.draft import Draft, LineFault


class Dialect(msgspec.Struct, frozen=True):
    """A format that rules can be imported from."""

    name: str
    read: Callable[[str], Iterator[Draft | LineFault]]
    default_status: int


DIALECTS = (
    Dialect("netlify", netlify.read, netlify.DEFAULT_STATUS),
    Dialect("cloudflare-pages", cloudflare_pages.read, cloudflare_pages.DEFAULT_STATUS),
    Dialect("ipfs", ipfs.read, ipfs.DEFAULT_STATUS),
    Dialect("csv", csv_file.read, csv_file.DEFAULT_STATUS),
    Dialect("cloudflare-bulk", cloudflare_bulk.read, cloudflare_bulk.DEFAULT_STATUS),
    Dialect("vercel-bulk", vercel_bulk.read, vercel_bulk.DEFAULT_STATUS),
)

MAX_FAULTS = 100  # of one file, that are listed


class Import(msgspec.Struct, frozen=True):
    """What an import rule says about every line of its file."""

    name: str
    file: str
    dialect: str
    hosts: tuple[str, ...]
    status: int | None
    pass_on_fault: bool
    location_hosts: tuple[str, ...]
    ignore_case: bool
    query: Literal["keep", "drop"] | None  # None: as the line's dialect has it
    shared: dict[str, Any]  # the keys that apply to each line: window, methods, conditions, …


class Imported(msgspec.Struct, frozen=True):
    """The rules of a file, in its order, what is wrong with it, and what is worth a warning."""

    rules: tuple[Rule, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


class _Faults:
    """The first `MAX_FAULTS` faults of a file, by line, and how many there are in all."""

    def __init__(self) -> None:
        self.first: list[Fault] = []
        self._more = 0
        self._more_from = Span()
        self._last: Fault | None = None

    def add(self, fault: Fault) -> None:
        """Count a fault, once where a line of two rules yields it twice."""
        if fault == self._last:
            return
        self._last = fault
        if len(self.first) < MAX_FAULTS:
            insort(self.first, fault)
            return
        if fault < self.first[-1]:
            insort(self.first, fault)
            fault = self.first.pop()
        self._more_from = min(self._more_from, fault.span) if self._more else fault.span
        self._more += 1

    def listed(self) -> tuple[Fault, ...]:
        """The first, and one that counts the others."""
        if not self._more:
            return tuple(self.first)
        fact = f"and {self._more} more from here on"
        return (
            *self.first,
            Fault(self._more_from, fact, f"the first {MAX_FAULTS} are listed; correct these"),
        )


def read_import(job: Import, text: str) -> Imported:
    """Read `text` as `job` says. Faults of `on_fault = "pass"` become `pass` rules and warnings.

    Of the faults of a file the first `MAX_FAULTS` are kept, then one that says how many more there are.
    """
    dialect = next(dialect for dialect in DIALECTS if dialect.name == job.dialect)
    rules: list[Rule] = []
    faults = _Faults()
    notes: dict[str, tuple[int, int]] = {}  # first line, count
    for line in dialect.read(text):
        outcome = _rules(line, job, dialect) if isinstance(line, Draft) else line
        if isinstance(line, Draft) and line.note:
            first, count = notes.get(line.note, (line.line, 0))
            notes[line.note] = min(first, line.line), count + 1
        if not isinstance(outcome, LineFault):
            rules += outcome
            continue
        faults.add(Fault(Span(job.file, outcome.line), outcome.fact, outcome.remedy))
        if job.pass_on_fault:
            rules += _passing(outcome, job, dialect)
    warnings = [f"{fault} (the line passes)" for fault in faults.listed()] if job.pass_on_fault else []
    warnings += [f"{job.file}:{first}: {note}{_and_more(count)}" for note, (first, count) in notes.items()]
    return Imported(tuple(rules), () if job.pass_on_fault else faults.listed(), tuple(warnings))


def _and_more(count: int) -> str:
    return f" (and {count - 1} more such lines)" if count > 1 else ""


def _passing(fault: LineFault, job: Import, dialect: Dialect) -> list[Rule]:
    """The rule that stands in for a line that cannot be expressed: its pattern answers 404."""
    if fault.pattern is None:
        return []
    draft = Draft(fault.line, fault.pattern, ignore_case=fault.ignore_case)
    rules = _rules(draft, job, dialect)
    return rules if isinstance(rules, list) else []


def _rules(draft: Draft, job: Import, dialect: Dialect) -> list[Rule] | LineFault:
    """One rule, or one for each of the import's hosts when the line names none."""
    patterns = [draft.pattern]
    if job.hosts and draft.pattern.startswith("/") and not draft.pattern.startswith("//"):
        patterns = [f"//{host}{draft.pattern}" for host in job.hosts]
    try:
        return [_rule(draft, pattern, job, dialect) for pattern in patterns]
    except (PatternError, TemplateError) as error:
        return LineFault(draft.line, error.fact, error.remedy, draft.pattern, draft.ignore_case)


def _rule(draft: Draft, text: str, job: Import, dialect: Dialect) -> Rule:
    pattern = Pattern.parse(text, ignore_case=job.ignore_case or draft.ignore_case)
    template = None
    if draft.location is not None:
        captured = {group.name for group in pattern.groups}
        captured |= {parameter.group for parameter in draft.parameters if parameter.group}
        template = Template.parse(draft.location, frozenset(captured), job.location_hosts)
    return Rule(
        name=f"{job.name}:{draft.line}",
        series=job.name,
        span=Span(job.file, draft.line),
        pattern=pattern,
        template=template,
        status=_status(draft, job, dialect),
        parameters=draft.parameters,
        takes_query=_takes_query(draft, template),
        **{**job.shared, "query": job.query or draft.query},
    )


def _status(draft: Draft, job: Import, dialect: Dialect) -> int:
    if draft.location is None:
        return draft.status if draft.status in PASS_STATUSES else 404
    wanted = job.status if job.status in REDIRECT_STATUSES else dialect.default_status
    return draft.status or wanted


def _takes_query(draft: Draft, template: Template | None) -> bool:
    groups = {parameter.group for parameter in draft.parameters} | {"url.query"}
    return template is not None and any(slot.name in groups for slot in template.slots)
