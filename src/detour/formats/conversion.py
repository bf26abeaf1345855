"""A TOML text as typed tables, with every fault at its line.

msgspec stops at the first fault and gives no line, so each key is converted by itself; the types
and what they say about a wrong value stay msgspec's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from detour.core.settings import Seconds
from detour.errors import Fault, RuleError, Span
from detour.formats.toml_places import Path, places

T = TypeVar("T", bound=msgspec.Struct)

_TOML_ERROR = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

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
        except tomllib.TOMLDecodeError as error:
            raise RuleError((_syntax_fault(name, text, str(error)),)) from None
        return cls(name, data, places(text))

    def span(self, path: Path) -> Span:
        """Where `path`, or the nearest table around it, was written."""
        while path and path not in self.places:
            path = path[:-1]
        return Span(self.name, self.places.get(path, 1))


def _syntax_fault(name: str, text: str, message: str) -> Fault:
    found = _TOML_ERROR.match(message)
    if found is None:
        return Fault(Span(name, 1), f"not TOML: {message}", "see https://toml.io")
    line = int(found[2] or text.count("\n") + 1)
    return Fault(
        Span(name, line, int(found[3] or 0)), f"not TOML: {found[1]}", "strings need quotes, tables [[rule]]"
    )


class Converter:
    """Turns a document's tables into typed ones; gathers faults instead of stopping at one."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def fault(self, path: Path, fact: str, remedy: str) -> None:
        """Note a fault at what was written at `path`."""
        self.faults.append(Fault(self.document.span(path), fact, remedy))

    def table(self, kind: type[T], data: Any, path: Path) -> T | None:
        """The table at `path` as a `kind`; None, with its faults noted, when it is not one."""
        if not isinstance(data, Mapping):
            self.fault(path, f"`{path[-1]}` is not a table", f"write [{path[0]}] above its keys")
            return None
        before = len(self.faults)
        fields = _fields(kind)
        values = {}
        for key, value in data.items():
            if key not in fields:
                self.fault((*path, key), f"unknown key `{key}`", nearest(key, fields))
                continue
            values[fields[key].name] = self._value(fields[key].type, value, (*path, key))
        for key, field in fields.items():
            if field.required and key not in data:
                self.fault(path, f"`{key}` is missing", f"every such table needs a `{key}`")
        return kind(**values) if len(self.faults) == before else None

    def _value(self, kind: Any, value: Any, path: Path) -> Any:
        inner = _table_type(kind)
        if inner is not None and isinstance(value, Mapping):
            return self.table(inner, value, path)
        if inner is not None and isinstance(value, list):
            return tuple(self.table(inner, item, (*path, number)) for number, item in enumerate(value))
        try:
            return msgspec.convert(
                value, kind, dec_hook=_decode, builtin_types=(datetime, date, time), strict=True
            )
        except msgspec.ValidationError as error:
            self.fault(path, f"`{_key(path)}`: {_plain(str(error))}", _remedy(_key(path), value))
            return None


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The keys of a table; worked out once, because msgspec evaluates every annotation anew."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _key(path: Path) -> str:
    return str(next(part for part in reversed(path) if isinstance(part, str)))


@cache
def _table_type(kind: Any) -> type[msgspec.Struct] | None:
    """The one table type that `kind` admits: itself, or within Annotated, Optional or tuple."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if get_origin(kind) is None:
        return None
    return next((found for found in map(_table_type, get_args(kind)) if found), None)


def _decode(kind: type, value: Any) -> Any:
    if kind is Seconds:
        if not isinstance(value, str):
            raise ValueError(f"a duration is a text, got {value!r}")
        return Seconds.parse(value)
    raise NotImplementedError(kind)


def nearest(key: str, fields: Collection[str]) -> str:
    """The remedy for an unknown key: the nearest known one, or all of them."""
    near = SYNONYMS.get(key) if SYNONYMS.get(key) in fields else None
    near = near or next(iter(get_close_matches(key, fields, 1, 0.6)), None)
    return f"did you mean `{near}`?" if near else "known here: " + ", ".join(sorted(fields))


def _plain(message: str) -> str:
    """msgspec's message without its JSON words and paths."""
    message = message.partition(" - at `")[0].replace(" | null", "")
    for theirs, ours in (
        ("`array`", "a list"),
        ("`object`", "a table"),
        ("`null`", "nothing"),
        ("`str`", "a text"),
    ):
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:]


def _remedy(key: str, value: Any) -> str:
    if key in ("from", "until", "at"):
        if isinstance(value, str):
            return f"`{key}` is a time" + (
                "; did you mean `pattern`?" if key == "from" else ", without quotes"
            )
        return "write the offset: 2026-12-01T00:00:00Z"
    return _REMEDIES.get(key, "see `detour schema`")


_REMEDIES = {
    "name": 'lower case, digits, ".", "_", "-", at most 64: "orders-v1-moved"',
    "status": "one of 301, 302, 303, 307, 308; for a `pass` rule 404, 410 or 451",
    "methods": 'a list: ["GET", "POST"]',
    "share": 'a number between 0 and 1, or { of = 0.1, cookie = "sid" }',
    "cache": 'a duration: "60s", "5m", "2h", "7d"',
    "retry_after": 'a duration: "60s"',
    "query": '"keep" or "drop"',
    "dialect": '"netlify", "cloudflare-pages", "ipfs", "csv", "cloudflare-bulk" or "vercel-bulk"',
    "on_fault": '"refuse" or "pass"',
    "pass": "true",
}
