"""Imported files: lines of other dialects as rules, at the place of their import in the order."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from detour.core.keys import Filing, file
from detour.core.rule import ClientCondition, Rule, Terms, network
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.template import Template
from detour.errors import Fault, PatternError, Span, TemplateError
from detour.formats.dialects import Dialect, Files, named
from detour.formats.draft import OR_PASS, Draft, LineFault

MAX_FAULTS = 100  # of one file, that are listed
_MOST_KNOWN = 100_000  # of one file, that are told apart: beyond, each counts


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
    any_host: bool = False  # whether a capture may choose the Location's host: to be judged, not served
    most_faults: int = MAX_FAULTS


class Imported(msgspec.Struct, frozen=True):
    """What is wrong with an imported file, and what is worth a warning."""

    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]
    passed: tuple[Fault, ...] = ()  # with `on_fault = "pass"`: what cannot be expressed
    notes: tuple[str, ...] = ()  # the warnings that are no faults
    implicit: Mapping[Span, str] = msgspec.field(default_factory=dict)  # see `Draft.implicit`


class _Faults:
    """The first faults of a file, by line, and how many there are in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.first: list[Fault] = []
        self._more = 0
        self._more_from = Span()
        self._known: set[tuple[Span, str]] = set()

    def add(self, fault: Fault) -> bool:
        """Count a fault, once where a line of several rules yields it again; whether it is a new one."""
        if (fault.span, fault.fact) in self._known:
            return False
        if len(self._known) < _MOST_KNOWN:
            self._known.add((fault.span, fault.fact))
        self._count(fault)
        return True

    def _count(self, fault: Fault) -> None:
        if len(self.first) < self._most:
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
            Fault(self._more_from, fact, f"the first {self._most} are listed; correct these"),
        )


Add = Callable[[Rule, Filing], None]
_NOTHING: Mapping[str, str] = MappingProxyType({})


def read_import(job: Import, text: str, add: Add, included: Mapping[str, str] = _NOTHING) -> Imported:
    """Hand each rule of `text` to `add`, in order; a million of them are never held at once.

    Faults of `on_fault = "pass"` become `pass` rules and warnings. Of the faults the first `most_faults`
    are kept, then one that says how many more there are. `included`: the texts that `text` may include.
    """
    return _Importer(job, add).read(Files(job.file, {**included, job.file: text}))


class _Importer:
    def __init__(self, job: Import, add: Add) -> None:
        self.job = job
        self.add = add
        dialect = named(job.dialect)
        assert dialect is not None  # the tables of a rule file know no other
        self.dialect = dialect
        self.faults = _Faults(job.most_faults)
        self.faulty = self.passing = (
            0  # lines that cannot be expressed; those that a `pass` rule stands in for
        )
        self.notes: dict[tuple[str, str], tuple[int, int]] = {}  # (file, note): first line, count
        self.implicit: dict[Span, str] = {}
        self.terms: dict[Any, Terms] = {}

    def read(self, files: Files) -> Imported:
        for line in self.dialect.read(files):
            outcome = self._take(line) if isinstance(line, Draft) else line
            if isinstance(outcome, LineFault):
                self._fault(outcome)
        faults = self.faults.listed()
        told = tuple(
            f"{file}:{first}: {note}{_and_more(count)}" for (file, note), (first, count) in self.notes.items()
        )
        if self.job.pass_on_fault:
            return Imported((), (*map(str, faults), *self._count(), *told), faults, told, self.implicit)
        return Imported(faults, told, (), told, self.implicit)

    def _fault(self, found: LineFault) -> None:
        remedy = found.remedy
        passes = self.job.pass_on_fault and self._passes(found)
        if self.job.pass_on_fault:
            told = _stand_in(found) if passes else "nothing stands in for it"
            remedy = f"{remedy.removesuffix(OR_PASS)} ({told})"
        if self.faults.add(Fault(Span(found.file or self.job.file, found.line), found.fact, remedy)):
            self.faulty += 1
            self.passing += passes

    def _passes(self, found: LineFault) -> bool:
        """Let what the line matches answer 404, where that can be said."""
        if found.pattern is None:
            return False
        draft = Draft(
            found.line,
            found.pattern,
            parameters=found.parameters,
            ignore_case=found.ignore_case,
            file=found.file,
            methods=found.methods,
            when=found.when,
            unless=found.unless,
        )
        return self._take(draft) is None

    def _count(self) -> Iterator[str]:
        if self.faulty > 1:
            fact = f"{self.faulty} lines cannot be expressed; a 404 stands in for {self.passing}"
            yield f"{self.job.file}: {fact}"

    def _take(self, draft: Draft) -> LineFault | None:
        """One rule, or one for each of the import's hosts when the line names none."""
        if self.job.query is None:
            draft = _keeping(draft)
        patterns: tuple[str, ...] = (draft.pattern,)
        if self.job.hosts and draft.pattern.startswith("/") and not draft.pattern.startswith("//"):
            patterns = tuple(f"//{host}{draft.pattern}" for host in self.job.hosts)
        try:
            made = [self._rule(draft, pattern) for pattern in patterns]
        except (PatternError, TemplateError) as error:
            return _refused(draft, error)
        for rule, filing in made:
            self.add(rule, filing)
        if draft.note:
            known = (draft.file or self.job.file, draft.note)
            first, count = self.notes.get(known, (draft.line, 0))
            self.notes[known] = min(first, draft.line), count + 1
        if draft.implicit:
            self.implicit[made[0][0].span] = draft.implicit
        return None

    def _rule(self, draft: Draft, pattern: str) -> tuple[Rule, Filing]:
        job = self.job
        ignore_case = job.ignore_case or draft.ignore_case
        filing = file(pattern, ignore_case)
        template = None
        if draft.location is not None:
            groups = filing.groups
            if draft.parameters:
                groups = groups.union(one.group for one in draft.parameters if one.group)
            template = Template.parse(draft.location, groups, job.location_hosts, any_host=job.any_host)
        rule = Rule(
            f"{job.name}:{draft.file}:{draft.line}" if draft.file else f"{job.name}:{draft.line}",
            job.name,
            Span(draft.file or job.file, draft.line),
            pattern,
            template,
            _status(draft, job, self.dialect),
            self._terms(draft),
            ignore_case,
            draft.parameters,
            _takes_query(draft, template),
        )
        return rule, filing

    def _terms(self, draft: Draft) -> Terms:
        """The import's terms and the line's own; lines that say the same share one value."""
        said = (draft.query, draft.methods, draft.when, draft.unless, draft.cache, draft.headers)
        terms = self.terms.get(said)
        if terms is None:
            terms = self.terms[said] = _both(self.job, draft)
        return terms


_QUERY = "?{url.query}"


def _keeping(draft: Draft) -> Draft:
    """A Location that ends with the request's query keeps the query: one form of both, which more languages
    have a word for."""
    location = draft.location
    if location is None or draft.parameters or not location.endswith(_QUERY):
        return draft
    before = location.removesuffix(_QUERY)
    if "?" in before or "#" in before:
        return draft
    return msgspec.structs.replace(draft, location=before, query="keep")


def _networks(condition: ClientCondition) -> None:
    """Raises `PatternError` where one of the networks is none."""
    for text in condition.networks:
        try:
            network(text)
        except ValueError:
            raise PatternError(
                f"{text!r} is no address and no network", "write it as in 192.0.2.0/24, without host bits"
            ) from None


def _both(job: Import, draft: Draft) -> Terms:
    """Conditions of both hold; what else the import says comes before what the line says. Raises
    `PatternError`."""
    terms = job.terms
    for condition in (*draft.when, *draft.unless):
        if isinstance(condition, ClientCondition):
            _networks(condition)
    keys = {field: getattr(terms, field) for field in terms.__struct_fields__}
    del keys["depends"], keys["settled"]
    keys["query"] = job.query or draft.query
    keys["when"] = (*terms.when, *draft.when)
    keys["unless"] = (*terms.unless, *draft.unless)
    keys["headers"] = terms.headers or draft.headers
    if terms.cache is None:
        keys["cache"] = draft.cache
    if draft.methods is not None:
        keys["methods"] = draft.methods if terms.methods is None else terms.methods & draft.methods
    return Terms.of(**keys)


def _refused(draft: Draft, error: PatternError | TemplateError) -> LineFault:
    return LineFault(
        draft.line,
        error.fact,
        error.remedy,
        draft.pattern,
        draft.parameters,
        draft.ignore_case,
        draft.file,
        draft.methods,
        draft.when,
        draft.unless,
    )


def _stand_in(found: LineFault) -> str:
    """What is covered by the `pass` rule in place of a faulty line."""
    asked = [f"{one.name}={'…' if one.value is None else one.value}" for one in found.parameters]
    return f"until then {found.pattern} answers 404" + (f" with {' '.join(asked)}" if asked else "")


def _and_more(count: int) -> str:
    return f" (and {count - 1} more such lines)" if count > 1 else ""


def _status(draft: Draft, job: Import, dialect: Dialect) -> int:
    if draft.location is None:
        return draft.status if draft.status in PASS_STATUSES else 404
    wanted = job.status if job.status in REDIRECT_STATUSES else dialect.default_status
    return draft.status or wanted


def _takes_query(draft: Draft, template: Template | None) -> bool:
    if template is None or draft.location is None or "{" not in draft.location:
        return False
    return template.takes_query(one.group for one in draft.parameters if one.group)
