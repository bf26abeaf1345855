"""A TOML text as typed tables, with every fault at its line.

msgspec stops at the first fault and gives no line, so each key is converted by itself. What is wrong
with a table beyond its types rests on some of its keys, and counts where those are sound: one mistake
is one fault, and no fault hides another.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Annotated, Any, Generic, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec

from detour.core.settings import Seconds
from detour.errors import Fault, KeyFault, RuleError, Span
from detour.formats.toml_places import Path, places
from detour.formats.wording import dotted, expected, remedy, shown

T = TypeVar("T", bound=msgspec.Struct)
TableFaults = Mapping[type, Callable[[Any], Iterable[KeyFault]]]  # what is wrong with a table of a type

_TOML_ERROR = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_WRITTEN_TWICE = re.compile("overwrite|twice|immutable namespace")

# Keys people write for ours, from other tools' configurations.
SYNONYMS = {
    "source": "pattern",
    "path": "pattern",
    "match": "pattern",
    "target": "location",
    "to": "location",
    "destination": "location",
    "dest": "location",
    "url": "location",
    "code": "status",
    "method": "methods",
    "start": "from",
    "end": "until",
    "expires": "until",
    "id": "name",
    "comment": "why",
    "reason": "why",
    "rules": "rule",
    "redirect": "rule",
    "redirects": "rule",
    "listeners": "listener",
}


class Document(msgspec.Struct, frozen=True):
    """A rule file's name, its TOML values, and where they stand."""

    name: str
    data: dict[str, Any]
    places: dict[Path, int]

    @classmethod
    def parse(cls, name: str, text: str) -> Document:
        """Read TOML; raises `RuleError` with the one fault tomllib stops at."""
        try:
            data = tomllib.loads(text)
        except RecursionError:
            fault = Fault(Span(name, 1), "not TOML: nested too deep", "no key takes lists in lists")
            raise RuleError((fault,)) from None
        except ValueError as error:  # tomllib's own, and that of a number with thousands of digits
            raise RuleError((_syntax_fault(name, text, str(error)),)) from None
        return cls(name, data, places(text))

    def span(self, path: Path) -> Span:
        """Where `path`, or the nearest table around it, was written."""
        if path not in self.places:
            path = (*path, 0)  # an array of tables stands where its first one does
        while path and path not in self.places:
            path = path[:-1]
        return Span(self.name, self.places.get(path, 1))


def _syntax_fault(name: str, text: str, message: str) -> Fault:
    found = _TOML_ERROR.match(message)
    if found is None:
        return Fault(Span(name, 1), f"not TOML: {message.partition(';')[0]}", "see https://toml.io")
    line = int(found[2] or text.count("\n") + 1)
    advice = "strings need quotes, tables [[rule]]"
    if _WRITTEN_TWICE.search(found[1]):
        advice = "a key or a table is written twice; keep one, and begin each rule with [[rule]]"
    return Fault(Span(name, line, int(found[3] or 0)), f"not TOML: {found[1]}", advice)


class Partial(msgspec.Struct, Generic[T], frozen=True):
    """A table of which some keys may be faulty: in `table` they are as if not written."""

    table: T
    faulty: frozenset[str]


class Converter:
    """Turns a document's tables into typed ones; gathers faults instead of stopping at one."""

    def __init__(self, document: Document, table_faults: TableFaults) -> None:
        self.document = document
        self.table_faults = table_faults
        self.faults: list[Fault] = []

    def fault(self, path: Path, fact: str, advice: str) -> None:
        """Note a fault at what was written at `path`."""
        self.faults.append(Fault(self.document.span(path), _one_line(fact), _one_line(advice)))

    def note(self, found: Iterable[KeyFault], faulty: Collection[str], path: Path) -> frozenset[str]:
        """Note what was found about the table at `path`, unless it rests on a faulty key.

        Yields the faulty keys, these included.
        """
        fresh = [fault for fault in found if not any(key in faulty for key in fault.keys)]
        for fault in fresh:
            self.fault((*path, *fault.keys[:1]), fault.fact, fault.remedy)
        return frozenset(faulty).union(*(fault.keys for fault in fresh))

    def table(self, kind: type[T], data: Any, path: Path) -> T | None:
        """The table at `path` as a `kind`; None, with its faults noted, when it is not one."""
        before = len(self.faults)
        partial = self.partial(kind, data, path)
        return partial.table if len(self.faults) == before else None

    def partial(self, kind: type[T], data: Any, path: Path) -> Partial[T]:
        """What is sound of the table at `path`; its faults are noted."""
        fields = _fields(kind)
        values: dict[str, Any] = dict.fromkeys(_required(kind), "")
        if not isinstance(data, Mapping):
            self._refuse(kind, data, path)
            return Partial(kind(**values), frozenset(fields))
        faulty = set()
        for key, value in data.items():
            before = len(self.faults)
            field = fields.get(key)
            meant = self.unknown(key, fields, path) if field is None else key
            converted = None if field is None else self._value(field.type, value, (*path, key))
            if len(self.faults) > before:
                faulty.add(meant)
            elif field is not None:
                values[field.name] = converted
        for key in _required(kind):
            if key not in data and key not in faulty:
                faulty.add(key)
                self.fault(path, f"`{key}` is missing", f"write {expected(fields[key].type, (*path, key))}")
        table = kind(**values)
        found = self.table_faults[kind](table) if kind in self.table_faults else ()
        return Partial(table, self.note(found, faulty, path))

    def unknown(self, key: str, known: Collection[str], path: Path) -> str:
        """Note an unknown key of the table at `path`; yields the known one that was probably meant."""
        near = SYNONYMS.get(key) if SYNONYMS.get(key) in known else None
        near = near or next(iter(get_close_matches(key, known, 1, 0.6)), None)
        advice = f"did you mean `{near}`?" if near else "known here: " + ", ".join(sorted(known))
        self.fault((*path, key), f"unknown key `{key}`", advice)
        return near or key

    def _value(self, kind: Any, value: Any, path: Path) -> Any:
        """`value` as a `kind`, key by key and item by item where it has such."""
        inner = _inner(kind, type(value)) if isinstance(value, (dict, list)) else None
        if inner is not None and isinstance(value, list):
            return tuple(self._value(inner, item, (*path, number)) for number, item in enumerate(value))
        if _is_table(inner):
            return self.table(inner, value, path)
        if inner is not None:
            return {key: self._value(inner, item, (*path, key)) for key, item in value.items()}
        try:
            return msgspec.convert(
                value, kind, dec_hook=_decode, builtin_types=(datetime, date, time), strict=True
            )
        except msgspec.ValidationError:
            self._refuse(kind, value, path)
            return None

    def _refuse(self, kind: Any, value: Any, path: Path) -> None:
        verb = "hold" if isinstance(path[-1], int) else "be"
        self.fault(path, f"`{dotted(path)}` cannot {verb} {shown(value)}", remedy(kind, path, value))


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The keys of a table; worked out once, because msgspec evaluates every annotation anew."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


@cache
def _required(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(key for key, field in _fields(kind).items() if field.required)


@cache
def _inner(kind: Any, written: type) -> Any:
    """What a list (`written`: list) or a table (dict) holds where `kind` admits one, else None.

    For a table of known keys that is its own type.
    """
    origin = get_origin(kind)
    if origin in (Annotated, Union, UnionType):
        inside = get_args(kind)[:1] if origin is Annotated else get_args(kind)
        return next((found for one in inside if (found := _inner(one, written)) is not None), None)
    if origin is tuple and written is list:
        return get_args(kind)[0]
    if origin is dict and written is dict:
        return get_args(kind)[1]
    return kind if written is dict and _is_table(kind) else None


def _is_table(kind: Any) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _decode(kind: type, value: Any) -> Any:
    if kind is Seconds and isinstance(value, str):
        return Seconds.parse(value)
    raise ValueError(f"{value!r} is no {kind.__name__}")


def _one_line(text: str) -> str:
    """`text` with whatever does not print, as a quoted key may hold, spelt out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
