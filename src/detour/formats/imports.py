"""Imported files: lines of other dialects as rules, at the place of their import in the order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from detour.core.pattern import Pattern
from detour.core.rule import Rule
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.template import Template
from detour.errors import Fault, PatternError, Span, TemplateError
from detour.formats import cloudflare_pages, ipfs, netlify
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
)


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


def read_import(job: Import, text: str) -> Imported:
    """Read `text` as `job` says. Faults of `on_fault = "pass"` become `pass` rules and warnings."""
    dialect = next(dialect for dialect in DIALECTS if dialect.name == job.dialect)
    rules: list[Rule] = []
    faults: list[Fault] = []
    warnings: list[str] = []
    notes: dict[str, list[int]] = {}
    for line in dialect.read(text):
        outcome = _rules(line, job, dialect) if isinstance(line, Draft) else line
        if isinstance(line, Draft) and line.note:
            notes.setdefault(line.note, []).append(line.line)
        if not isinstance(outcome, LineFault):
            rules += outcome
            continue
        fault = Fault(Span(job.file, outcome.line), outcome.fact, outcome.remedy)
        if job.pass_on_fault:
            warnings.append(f"{fault} (the line passes)")
            rules += _passing(outcome, job, dialect)
        else:
            faults.append(fault)
    warnings += [f"{job.file}:{lines[0]}: {note}{_and_more(lines)}" for note, lines in notes.items()]
    return Imported(tuple(rules), tuple(faults), tuple(warnings))


def _and_more(lines: list[int]) -> str:
    return f" (and {len(lines) - 1} more such lines)" if len(lines) > 1 else ""


def _passing(fault: LineFault, job: Import, dialect: Dialect) -> list[Rule]:
    """The rule that stands in for a line that cannot be expressed: its pattern answers 404."""
    if fault.pattern is None:
        return []
    rules = _rules(Draft(fault.line, fault.pattern), job, dialect)
    return rules if isinstance(rules, list) else []


def _rules(draft: Draft, job: Import, dialect: Dialect) -> list[Rule] | LineFault:
    """One rule, or one for each of the import's hosts when the line names none."""
    patterns = [draft.pattern]
    if job.hosts and draft.pattern.startswith("/") and not draft.pattern.startswith("//"):
        patterns = [f"//{host}{draft.pattern}" for host in job.hosts]
    try:
        return [_rule(draft, pattern, job, dialect) for pattern in patterns]
    except (PatternError, TemplateError) as error:
        return LineFault(draft.line, error.fact, error.remedy, draft.pattern)


def _rule(draft: Draft, text: str, job: Import, dialect: Dialect) -> Rule:
    pattern = Pattern.parse(text, ignore_case=job.ignore_case)
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
