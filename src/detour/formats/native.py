"""The native rule file (TOML) to rules. Every fault is reported at once; a file with one yields nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from detour.core.host_choice import check_host_choice, takes_query
from detour.core.index import IndexWriter
from detour.core.keys import file_parsed
from detour.core.matcher import RuleSet, Settings
from detour.core.pattern import Pattern
from detour.core.rule import Rule
from detour.core.settings import ListenerSettings, ServerSettings, listener_faults
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.template import Template
from detour.errors import PatternError, RuleError, TemplateError
from detour.formats.conversion import Converter, Document, nearest
from detour.formats.imports import Import, read_import
from detour.formats.rule_keys import terms_of
from detour.formats.tables import DefaultsTable, RuleTable
from detour.formats.toml_places import Path

T = TypeVar("T", bound=msgspec.Struct)

_TOP = ("defaults", "listener", "rule", "server")


class Reading(msgspec.Struct, frozen=True):
    """What a rule file says: the rules, and warnings worth printing (one line each)."""

    ruleset: RuleSet
    warnings: tuple[str, ...] = ()


class Compiled(msgspec.Struct, frozen=True):
    """What a rule file says beside its rules: about the server, and warnings."""

    settings: Settings
    warnings: tuple[str, ...]


TextOf = Callable[[str], str | None]


def imported_files(document: Document) -> tuple[str, ...]:
    """The files a rule file imports, as it names them; for the door that opens files."""
    tables = document.data.get("rule", ())
    names = (
        (table.get("import") for table in tables if isinstance(table, dict))
        if isinstance(tables, list)
        else ()
    )
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def read(document: Document, files: Mapping[str, str]) -> Reading:
    """The rules of `document`; `files` holds the texts of what it imports, by the name it uses.

    Raises `RuleError` with every fault of the file and of its imports.
    """
    writer = IndexWriter()
    compiled = compile_rules(document, files.get, writer)
    return Reading(RuleSet.written(writer, compiled.settings), compiled.warnings)


def compile_rules(document: Document, text_of: TextOf, writer: IndexWriter) -> Compiled:
    """Hand the rules of `document` to `writer`, in order; `text_of` is asked for each import in its turn.

    Raises `RuleError` as `read` does; what `writer` got until then is worth nothing.
    """
    return _Reader(document, text_of, writer).read()


class _Reader:
    def __init__(self, document: Document, text_of: TextOf, writer: IndexWriter) -> None:
        self.converter = Converter(document)
        self.document = document
        self.text_of = text_of
        self.warnings: list[str] = []
        self.names: dict[str, Path] = {}
        self.writer = writer
        self.defaults = DefaultsTable()

    def read(self) -> Compiled:
        data = self.document.data
        for key in data:
            if key not in _TOP:
                self.converter.fault((key,), f"unknown key `{key}`", nearest(key, _TOP))
        self.defaults = self._one(DefaultsTable, "defaults")
        server = self._one(ServerSettings, "server")
        listeners = tuple(
            listener
            for path, table in self._many("listener")
            if (listener := self.converter.table(ListenerSettings, table, path)) is not None
        )
        self._check_listeners(listeners)
        for path, table in self._many("rule"):
            self._rule(table, path)
        if self.converter.faults:
            raise RuleError(tuple(sorted(self.converter.faults)))
        return Compiled(Settings(server, listeners), tuple(self.warnings))

    def _one(self, kind: type[T], key: str) -> T:
        return self.converter.table(kind, self.document.data.get(key, {}), (key,)) or kind()

    def _many(self, key: str) -> Iterator[tuple[Path, Any]]:
        tables = self.document.data.get(key, [])
        if isinstance(tables, list):
            yield from (((key, number), table) for number, table in enumerate(tables))
        else:
            self.converter.fault((key,), f"`{key}` is one table", f"write [[{key}]], with two brackets")

    def _check_listeners(self, listeners: tuple[ListenerSettings, ...]) -> None:
        for number, listener in enumerate(listeners):
            for key, fact, remedy in listener_faults(listener):
                self.converter.fault(("listener", number, key), fact, remedy)

    def _rule(self, data: Any, path: Path) -> None:
        table = self.converter.table(RuleTable, data, path)
        if isinstance(data, dict):
            self._check_name(data.get("name"), path)
        if table is None:
            self._check_partly(data, path)
            return
        before = len(self.converter.faults)
        self._check_shape(table, path)
        if len(self.converter.faults) != before:
            return
        if table.import_ is not None:
            self._imported(table, path)
        else:
            self._native(table, path)

    def _check_partly(self, data: Any, path: Path) -> None:
        """Also in a table with other faults, say what is wrong with pattern and location."""
        texts = data if isinstance(data, dict) else {}
        pattern, location = texts.get("pattern"), texts.get("location")
        parsed = self._pattern(pattern, False, path) if isinstance(pattern, str) else None
        if parsed is not None and isinstance(location, str):
            self._template(RuleTable(name="", location=location, location_hosts=("*",)), parsed, path)

    def _check_name(self, name: Any, path: Path) -> None:
        if not isinstance(name, str):
            return
        first = self.names.setdefault(name, path)
        if first != path:
            line = self.document.span(first).line
            self.converter.fault(
                (*path, "name"), f"the name `{name}` is taken (line {line})", "names are unique"
            )

    def _check_shape(self, table: RuleTable, path: Path) -> None:
        """Exactly one of `location`, `pass`, `import`; and what goes with each."""
        fault = self.converter.fault
        kinds = [
            key
            for key, set_ in (("location", table.location), ("pass", table.pass_), ("import", table.import_))
            if set_
        ]
        if len(kinds) != 1:
            fault(
                path,
                f"a rule with {' and '.join(kinds) or 'no location'}",
                "one of `location`, `pass = true`, `import`",
            )
        elif table.import_ is None and table.pattern is None:
            fault(path, "`pattern` is missing", 'say what the rule matches: pattern = "/old/*"')
        elif table.import_ is not None and table.pattern is not None:
            fault((*path, "pattern"), "an import with a pattern", "its lines have their own; drop `pattern`")
        elif table.import_ is not None and table.dialect is None:
            fault((*path, "import"), "`dialect` is missing", 'say which format: dialect = "netlify"')
        elif table.import_ is None and (table.dialect or table.hosts):
            fault(path, "`dialect` and `hosts` are for imports", "drop them, or `import` a file")
        if table.start and table.end and table.start >= table.end:
            fault(
                (*path, "until"),
                "`until` is not after `from`: the rule never answers",
                "swap or correct them",
            )

    def _native(self, table: RuleTable, path: Path) -> None:
        before = len(self.converter.faults)
        default = self.defaults
        ignore_case = default.ignore_case if table.ignore_case is None else table.ignore_case
        pattern = self._pattern(table.pattern or "", ignore_case, path)
        template = None if pattern is None or table.pass_ else self._template(table, pattern, path)
        terms = terms_of(self.converter, table, self.defaults, path)
        status = self._status(table, path)
        if len(self.converter.faults) != before or pattern is None:
            return
        rule = Rule(
            name=table.name,
            series=table.name,
            span=self.document.span(path),
            pattern=pattern.text,
            template=template,
            status=status,
            terms=terms,
            ignore_case=ignore_case,
            takes_query=template is not None and takes_query(template, pattern),
        )
        self.writer.add(rule, file_parsed(pattern))

    def _pattern(self, text: str, ignore_case: bool, path: Path) -> Pattern | None:
        try:
            return Pattern.parse(text, ignore_case=ignore_case)
        except PatternError as error:
            self.converter.fault((*path, "pattern"), error.fact, error.remedy)
            return None

    def _template(self, table: RuleTable, pattern: Pattern, path: Path) -> Template | None:
        hosts = self.defaults.location_hosts if table.location_hosts is None else table.location_hosts
        groups = frozenset(group.name for group in pattern.groups)
        try:
            template = Template.parse(table.location or "", groups, hosts)
            check_host_choice(template, pattern)
        except TemplateError as error:
            self.converter.fault((*path, "location"), error.fact, error.remedy)
            return None
        return template

    def _status(self, table: RuleTable, path: Path) -> int:
        if table.pass_:
            if table.status is not None and table.status not in PASS_STATUSES:
                self.converter.fault(
                    (*path, "status"),
                    f"a `pass` rule with status {table.status}",
                    "404, 410 or 451; or give a location",
                )
            return table.status or 404
        status = table.status or self.defaults.status
        cache = table.cache if table.cache is not None else self.defaults.cache
        if status not in REDIRECT_STATUSES:
            self.converter.fault(
                (*path, "status"),
                f"status {status} does not redirect",
                "301, 302, 303, 307 or 308; or `pass = true`",
            )
        elif REDIRECT_STATUSES[status].permanent and cache is None:
            self.converter.fault(
                (*path, "status"),
                f"a {status} without `cache`: browsers may keep it for ever",
                'state how long it may be kept: cache = "7d" (or use 307)',
            )
        return status

    def _imported(self, table: RuleTable, path: Path) -> None:
        assert table.import_ is not None
        text = self.text_of(table.import_)
        if text is None:
            self.converter.fault(
                (*path, "import"), f"cannot read {table.import_}", "a path relative to this file"
            )
            return
        job = Import(
            name=table.name,
            file=posixpath.join(posixpath.dirname(self.document.name), table.import_),
            dialect=table.dialect or "",
            hosts=table.hosts,
            status=table.status,
            pass_on_fault=table.on_fault == "pass",
            location_hosts=table.location_hosts or (),
            ignore_case=bool(table.ignore_case),
            query=table.query,
            terms=terms_of(self.converter, table, self.defaults, path),
        )
        outcome = read_import(job, text, self.writer.add)
        self.converter.faults += outcome.faults
        self.warnings += outcome.warnings
