"""The data folders that the dialect tests read, and the rules of a file as an import would have them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from detour.core.index import IndexWriter
from detour.core.matcher import RuleSet, Settings
from detour.core.message import Request
from detour.core.rule import Rule, Terms
from detour.core.url import URL, decode_query, normalize
from detour.errors import Fault
from detour.formats.imports import Import, read_import

DATA = Path(os.environ.get("DETOUR_DATA", Path(__file__).parents[3] / "shared" / "data"))


def data_file(*parts: str) -> Path:
    """A file of $DETOUR_DATA; skips the test where it is absent."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not in $DETOUR_DATA ({DATA})")
    return path


class Read(msgspec.Struct, frozen=True):
    """An imported file: what is wrong with it, and its rules."""

    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]
    ruleset: RuleSet

    @property
    def rules(self) -> Sequence[Rule]:
        return self.ruleset.rules


def read_job(job: Import, text: str) -> Read:
    """What an import makes of a file."""
    writer = IndexWriter()
    outcome = read_import(job, text, writer.add)
    return Read(outcome.faults, outcome.warnings, RuleSet.written(writer, Settings()))


def imported(dialect: str, text: str) -> Read:
    """What an import rule without further keys makes of a file."""
    return read_job(Import("legacy", "_redirects", dialect, (), None, False, (), False, None, Terms()), text)


class Site:
    """The rules of one file, to be asked."""

    def __init__(self, dialect: str, text: str, faults: int = 0) -> None:
        read = imported(dialect, text)
        assert len(read.faults) == faults, read.faults
        self.rules = read.ruleset

    def answer(self, url: str) -> tuple[int, str | None] | None:
        """Status and absolute Location for a GET of `url`; None where no line answers."""
        decision = self.rules.decide(Request.of("GET", url), now=0.0)
        if decision.rule is None:
            return None
        if decision.location is None:
            return decision.status, None
        return decision.status, str(URL.parse(decision.location, url))


def same_url(one: str, other: str) -> bool:
    """Whether two URLs differ in spelling only: of percent-triplets, or of form data in the query."""
    return _essence(one) == _essence(other)


def _essence(text: str) -> tuple[object, ...]:
    url = URL.parse(text)
    return url.origin, normalize(url.path), decode_query(url.query or ""), url.fragment
