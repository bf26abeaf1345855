"""The native rule file (TOML) to rules. Every fault is reported at once; a file with one yields nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from detour.core.host_choice import check_host_choice
from detour.core.index import IndexWriter
from detour.core.keys import file_parsed
from detour.core.matcher import RuleSet, Settings
from detour.core.pattern import Pattern
from detour.core.rule import Example, Rule
from detour.core.settings import ListenerSettings, ServerSettings
from detour.core.template import Template
from detour.errors import Fault, KeyFault, PatternError, RuleError, TemplateError
from detour.formats.conversion import Converter, Document, Partial
from detour.formats.imports import Import, read_import
from detour.formats.rule_keys import examples_of, terms_of
from detour.formats.table_faults import TABLE_FAULTS, plain_host, rule_faults
from detour.formats.tables import DefaultsTable, RuleTable
from detour.formats.toml_places import Path

_TOP = ("defaults", "listener", "rule", "server")
# The keys that decide what the lines of an import are, or whether they can be read at all.
_OF_LINES = ("import", "dialect", "hosts", "location_hosts", "ignore_case")


class Reading(msgspec.Struct, frozen=True):
    """What a rule file says: the rules, and warnings worth printing (one line each)."""

    ruleset: RuleSet
    warnings: tuple[str, ...] = ()


class Compiled(msgspec.Struct, frozen=True):
    """What a rule file says beside its rules: about the server, by examples, and warnings."""

    settings: Settings
    examples: tuple[Example, ...]
    warnings: tuple[str, ...]


TextOf = Callable[[str], str | Fault | None]


def imported_files(document: Document) -> tuple[str, ...]:
    """The files a rule file imports, as it names them; for the door that opens files."""
    tables = document.data.get("rule", ())
    names = (
        (table.get("import") for table in tables if isinstance(table, dict))
        if isinstance(tables, list)
        else ()
    )
    return tuple(dict.fromkeys(name for name in names if name and isinstance(name, str)))


def read(document: Document, files: Mapping[str, str | Fault]) -> Reading:
    """The rules of `document`; `files` holds the texts of what it imports, by the name it uses.

    A fault stands there for a file that cannot be read. Raises `RuleError` with every fault of the
    file and of its imports.
    """
    writer = IndexWriter()
    compiled = compile_rules(document, files.get, writer)
    return Reading(RuleSet.written(writer, compiled.settings, compiled.examples), compiled.warnings)


def compile_rules(document: Document, text_of: TextOf, writer: IndexWriter) -> Compiled:
    """Hand the rules of `document` to `writer`, in order; `text_of` is asked for each import in its turn.

    Raises `RuleError` as `read` does; what `writer` got until then is worth nothing.
    """
    return _Reader(document, text_of, writer).read()


class _Reader:
    def __init__(self, document: Document, text_of: TextOf, writer: IndexWriter) -> None:
        self.converter = Converter(document, TABLE_FAULTS)
        self.document = document
        self.text_of = text_of
        self.warnings: list[str] = []
        self.names: dict[str, Path] = {}
        self.writer = writer
        self.examples: list[Example] = []
        self.defaults = Partial(DefaultsTable(), frozenset())

    def read(self) -> Compiled:
        data = self.document.data
        for key in data:
            if key not in _TOP:
                self.converter.unknown(key, _TOP, ())
        self.defaults = self.converter.partial(DefaultsTable, data.get("defaults", {}), ("defaults",))
        server = self.converter.table(ServerSettings, data.get("server", {}), ("server",))
        listeners = [
            self.converter.table(ListenerSettings, table, path) for path, table in self._many("listener")
        ]
        for path, table in self._many("rule"):
            self._rule(table, path)
        if self.converter.faults or server is None:
            raise RuleError(tuple(sorted(self.converter.faults)))
        settings = Settings(server, tuple(listener for listener in listeners if listener is not None))
        return Compiled(settings, tuple(self.examples), tuple(self.warnings))

    def _many(self, key: str) -> Iterator[tuple[Path, Any]]:
        tables = self.document.data.get(key, [])
        if isinstance(tables, list):
            yield from (((key, number), table) for number, table in enumerate(tables))
        else:
            self.converter.fault(
                (key,), f"`{key}` is no list of tables", f"write [[{key}]], with two brackets"
            )

    def _rule(self, data: Any, path: Path) -> None:
        before = len(self.converter.faults)
        written = self.converter.partial(RuleTable, data, path)
        table = written.table
        keys: Collection[str] = data if isinstance(data, dict) else ()
        inherited = self.defaults.faulty.difference(keys) if table.location is not None else frozenset()
        faulty = written.faulty | inherited
        found = (*self._name_faults(table, path), *rule_faults(table, self.defaults.table, keys))
        faulty = self.converter.note(found, faulty, path)
        if table.import_ is not None:
            self._imported(table, faulty, path)
        else:
            self._native(table, faulty, path, before)
        self.examples += examples_of(table, self.document, path)

    def _name_faults(self, table: RuleTable, path: Path) -> Iterator[KeyFault]:
        first = self.names.setdefault(table.name, path)
        if first != path:
            line = self.document.span(first).line
            yield KeyFault(("name",), f"the name `{table.name}` is taken (line {line})", "names are unique")

    def _native(self, table: RuleTable, faulty: frozenset[str], path: Path, before: int) -> None:
        """Add the rule, unless it has had faults since there were `before`."""
        default = DefaultsTable() if table.pass_ else self.defaults.table
        ignore_case = default.ignore_case if table.ignore_case is None else table.ignore_case
        pattern = self._pattern(table, ignore_case, path)
        template = None if pattern is None else self._template(table, pattern, faulty, path)
        if pattern is None or len(self.converter.faults) > before:
            return
        rule = Rule(
            name=table.name,
            series=table.name,
            span=self.document.span(path),
            pattern=pattern.text,
            template=template,
            status=table.status or (404 if table.pass_ else default.status),
            terms=terms_of(table, self.defaults.table),
            ignore_case=ignore_case,
            takes_query=template is not None and template.takes_query(_of_query(pattern)),
        )
        self.writer.add(rule, file_parsed(pattern))

    def _pattern(self, table: RuleTable, ignore_case: bool, path: Path) -> Pattern | None:
        if table.pattern is None:
            return None
        try:
            return Pattern.parse(table.pattern, ignore_case=ignore_case)
        except PatternError as error:
            self.converter.fault((*path, "pattern"), error.fact, error.remedy)
            return None

    def _template(
        self, table: RuleTable, pattern: Pattern, faulty: frozenset[str], path: Path
    ) -> Template | None:
        if table.location is None or "location_hosts" in faulty:
            return None
        hosts = self.defaults.table.location_hosts if table.location_hosts is None else table.location_hosts
        groups = frozenset(group.name for group in pattern.groups)
        try:
            template = Template.parse(table.location, groups, hosts)
            check_host_choice(template, pattern)
        except TemplateError as error:
            self.converter.fault((*path, "location"), error.fact, error.remedy)
            return None
        return template

    def _imported(self, table: RuleTable, faulty: frozenset[str], path: Path) -> None:
        """Read the lines, also where the rule has other faults: theirs are told beside them."""
        if table.import_ is None or table.dialect is None or not faulty.isdisjoint(_OF_LINES):
            return
        text = self.text_of(table.import_)
        if not isinstance(text, str):
            fact = text.fact if text else "it is not there"
            remedy = text.remedy if text else "write its path, relative to this file"
            self.converter.fault((*path, "import"), f"cannot read {table.import_}: {fact}", remedy)
            return
        job = Import(
            name=table.name,
            file=posixpath.join(posixpath.dirname(self.document.name), table.import_),
            dialect=table.dialect,
            hosts=tuple(plain_host(host) or host for host in table.hosts),
            status=table.status,
            pass_on_fault=table.on_fault == "pass",
            location_hosts=table.location_hosts or (),
            ignore_case=bool(table.ignore_case),
            query=table.query,
            terms=terms_of(table, self.defaults.table),
        )
        outcome = read_import(job, text, self.writer.add)
        self.converter.faults += outcome.faults
        self.warnings += outcome.warnings


def _of_query(pattern: Pattern) -> set[str]:
    """The names of what a pattern captures from the query."""
    return {group.name for group in pattern.groups if group.component == "query"}
