"""Imported files: lines of other dialects as rules, at the place of their import in the order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from detour.core.keys import Filing, file
from detour.core.rule import Rule, Terms
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.template import Template
from detour.errors import Fault, PatternError, Span, TemplateError
from detour.formats import cloudflare_pages, ipfs, netlify
from detour.formats.draft import OR_PASS, Draft, LineFault


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
    terms: Terms  # what applies to each line: window, methods, conditions, …


class Imported(msgspec.Struct, frozen=True):
    """What is wrong with an imported file, and what is worth a warning."""

    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


Add = Callable[[Rule, Filing], None]


def read_import(job: Import, text: str, add: Add) -> Imported:
    """Hand each rule of `text` to `add`, in order; a million of them are never held at once.

    Faults of `on_fault = "pass"` become `pass` rules and warnings.
    """
    return _Importer(job, add).read(text)


class _Importer:
    def __init__(self, job: Import, add: Add) -> None:
        self.job = job
        self.add = add
        self.dialect = next(dialect for dialect in DIALECTS if dialect.name == job.dialect)
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self.passing: list[bool] = []  # of each faulty line, whether a `pass` rule stands in for it
        self.notes: dict[str, list[int]] = {}
        self.terms = {query: _with_query(job, query) for query in ("keep", "drop")}

    def read(self, text: str) -> Imported:
        for line in self.dialect.read(text):
            outcome = self._take(line) if isinstance(line, Draft) else line
            if isinstance(outcome, LineFault):
                self._fault(outcome)
        told = [f"{self.job.file}:{lines[0]}: {note}{_and_more(lines)}" for note, lines in self.notes.items()]
        return Imported(tuple(self.faults), (*self.warnings, *self._count(), *told))

    def _fault(self, found: LineFault) -> None:
        fault = Fault(Span(self.job.file, found.line), found.fact, found.remedy)
        if not self.job.pass_on_fault:
            self.faults.append(fault)
            return
        told = str(fault).removesuffix(OR_PASS)
        passes = found.pattern is not None and not self._take(
            Draft(found.line, found.pattern, parameters=found.parameters)
        )
        self.passing.append(passes)
        self.warnings.append(f"{told} ({_stand_in(found) if passes else 'nothing stands in for it'})")

    def _count(self) -> Iterator[str]:
        if len(self.passing) > 1:
            faults, passing = len(self.passing), sum(self.passing)
            yield f"{self.job.file}: {faults} lines cannot be expressed; a 404 stands in for {passing}"

    def _take(self, draft: Draft) -> LineFault | None:
        """One rule, or one for each of the import's hosts when the line names none."""
        patterns: tuple[str, ...] = (draft.pattern,)
        if self.job.hosts and draft.pattern.startswith("/") and not draft.pattern.startswith("//"):
            patterns = tuple(f"//{host}{draft.pattern}" for host in self.job.hosts)
        try:
            made = [self._rule(draft, pattern) for pattern in patterns]
        except (PatternError, TemplateError) as error:
            return LineFault(draft.line, error.fact, error.remedy, draft.pattern, draft.parameters)
        for rule, filing in made:
            self.add(rule, filing)
        if draft.note:
            self.notes.setdefault(draft.note, []).append(draft.line)
        return None

    def _rule(self, draft: Draft, pattern: str) -> tuple[Rule, Filing]:
        job = self.job
        filing = file(pattern, job.ignore_case)
        template = None
        if draft.location is not None:
            groups = filing.groups.union(*((one.group,) for one in draft.parameters if one.group))
            template = Template.parse(draft.location, groups, job.location_hosts)
        rule = Rule(
            f"{job.name}:{draft.line}",
            job.name,
            Span(job.file, draft.line),
            pattern,
            template,
            _status(draft, job, self.dialect),
            self.terms[draft.query],
            job.ignore_case,
            draft.parameters,
            _takes_query(draft, template),
        )
        return rule, filing


def _with_query(job: Import, query: Literal["keep", "drop"]) -> Terms:
    return msgspec.structs.replace(job.terms, query=job.query or query)


def _stand_in(found: LineFault) -> str:
    """What is covered by the `pass` rule in place of a faulty line."""
    asked = [f"{one.name}={'…' if one.value is None else one.value}" for one in found.parameters]
    return f"until then {found.pattern} answers 404" + (f" with {' '.join(asked)}" if asked else "")


def _and_more(lines: list[int]) -> str:
    return f" (and {len(lines) - 1} more such lines)" if len(lines) > 1 else ""


def _status(draft: Draft, job: Import, dialect: Dialect) -> int:
    if draft.location is None:
        return draft.status if draft.status in PASS_STATUSES else 404
    wanted = job.status if job.status in REDIRECT_STATUSES else dialect.default_status
    return draft.status or wanted


def _takes_query(draft: Draft, template: Template | None) -> bool:
    groups = {parameter.group for parameter in draft.parameters} | {"url.query"}
    return template is not None and any(slot.name in groups for slot in template.slots)
