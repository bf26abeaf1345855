"""A configuration in the one model: what audit, convert and prove work on, whatever it was written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from detour.core.index import IndexWriter
from detour.core.matcher import RuleSet, Settings
from detour.core.rule import Rule, Terms
from detour.errors import Fault, Span
from detour.formats import native
from detour.formats.conversion import Document
from detour.formats.dialects import Dialect, Files
from detour.formats.imports import Import, read_import

NATIVE = "native"
MOST_NOT_UNDERSTOOD = 10_000  # that are listed, of one file


class Layer(msgspec.Struct, frozen=True, eq=False):
    """One configuration that requests pass: what it decides, and how it is written."""

    name: str  # as its owner calls it: `lb`; the file's name unless told otherwise
    dialect: str  # `native`, or a name in DIALECTS
    comment: str  # what begins a comment in it; "" where it has none
    ruleset: RuleSet  # the rules, in the order in which the first match answers
    texts: Mapping[str, str]  # of the file and of what it includes, by the path that spans name
    not_understood: tuple[Fault, ...] = ()  # has to do with redirects, and cannot be expressed
    warnings: tuple[str, ...] = ()  # one line each
    implicit: Mapping[Span, str] = msgspec.field(default_factory=dict)  # see `Draft.implicit`

    @property
    def rules(self) -> Iterator[Rule]:
        """Every rule in order, `pass` rules too; decoded one after the other."""
        return iter(self.ruleset.rules)


def read_layer(name: str, dialect: Dialect, files: Files) -> Layer:
    """The rules of a foreign configuration. Nothing is refused: what cannot be expressed is listed, and a
    `pass` rule stands in its place where that can be said."""
    writer = IndexWriter()
    job = Import(
        name=name,
        file=files.entry,
        dialect=dialect.name,
        hosts=(),
        status=None,
        pass_on_fault=True,
        location_hosts=(),
        ignore_case=False,
        query=None,
        terms=Terms(),
        any_host=True,
        most_faults=MOST_NOT_UNDERSTOOD,
    )
    outcome = read_import(job, files.text, writer.add, files.texts)
    return Layer(
        name=name,
        dialect=dialect.name,
        comment=dialect.comment,
        ruleset=RuleSet.written(writer, Settings()),
        texts=files.texts,
        not_understood=outcome.passed,
        warnings=outcome.notes,
        implicit=outcome.implicit,
    )


def read_native(name: str, document: Document, files: Mapping[str, str | Fault], text: str) -> Layer:
    """The rules of a native file and of what it imports (`files`, by the name it uses).

    Raises `RuleError` with every fault.
    """
    reading = native.read(document, files)
    texts = {path: found for path, found in files.items() if isinstance(found, str)}
    return Layer(
        name=name,
        dialect=NATIVE,
        comment="#",
        ruleset=reading.ruleset,
        texts={**texts, document.name: text},
        warnings=reading.warnings,
    )
