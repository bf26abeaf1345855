"""What a key may be, in plain words: made from its type, so that no type is described twice."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import cache
from typing import Any

from msgspec import inspect

from detour.formats.toml_places import Path

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST = 60  # characters of a value that are shown

# Where an example says more than the type does.
_EXAMPLES = {
    "name": 'lower case, digits, ".", "_", "-", at most 64: "orders-v1-moved"',
    "pattern": 'a text: "/old/*" or "https://example.com/old/*"',
    "location": 'a text: "/new/{0}" or "https://example.com/new/{0}"',
    "methods": 'a list: ["GET", "POST"]',
    "share": 'a number between 0 and 1, or { of = 0.1, cookie = "sid" }',
    "headers": 'a table of texts: { X-Team = "orders" }',
    "when.client": 'a list of networks: ["10.0.0.0/8"]',
    "unless.client": 'a list of networks: ["10.0.0.0/8"]',
    "location_hosts": 'a list of hosts: ["eu.example.com", "us.example.com"]',
    "hosts": 'a list of hosts: ["www.example.com"]',
    "expect.request": 'method and URL: "GET https://example.com/old"',
    "cors.origins": 'a list of origins: ["https://app.example.com"]',
    "cert": 'a list of files: ["cert.pem,key.pem"]',
    "trusted": 'a list of networks: ["10.0.0.0/8"]',
    "health": 'a path: "/healthz"',
}


def dotted(path: Path) -> str:
    """The name of a key as its table has it: `status`, `when.header.X-Beta`."""
    names = [part for part in path if isinstance(part, str)]
    return ".".join(names[1:] or names)


def shown(value: Any) -> str:
    """A TOML value in a message: itself where it is short, else what it is."""
    if isinstance(value, (list, dict)):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = value.isoformat() if isinstance(value, (date, time)) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def remedy(kind: Any, path: Path, value: Any) -> str:
    """What to write at `path`, which is of type `kind`, instead of `value`."""
    if path[-1] in ("from", "until", "at"):
        if isinstance(value, date):
            midnight = "" if isinstance(value, datetime) else "T00:00:00"
            return f"write the offset: {value.isoformat()}{midnight}Z for UTC"
        if isinstance(value, str) and _DATE.match(value):
            return "write it without quotes and with its offset: 2026-12-01T00:00:00Z"
        if path[-1] == "from" and isinstance(value, str):
            return "`from` is a time; did you mean `pattern`?"
    return f"write {expected(kind, path)}"


def expected(kind: Any, path: Path) -> str:
    """What the key at `path`, which is of type `kind`, takes."""
    return _EXAMPLES.get(dotted(path)) or _said(_info(kind), path)


@cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _said(info: inspect.Type, path: Path) -> str:
    match info:
        case inspect.Metadata(type=inner):
            return _said(inner, path)
        case inspect.UnionType(types=types):
            return ", or ".join(_said(one, path) for one in types if not isinstance(one, inspect.NoneType))
        case inspect.LiteralType(values=values):
            return ("one of " if len(values) > 1 else "") + ", ".join(map(_literal, values))
        case inspect.VarTupleType(item_type=inspect.StructType()):
            return f"its tables under {_header((*path, 0))}"
        case inspect.StructType():
            return f"a table, under {_header(path)}"
        case inspect.VarTupleType(item_type=inspect.IntType()):
            return "a list of them"  # after the number itself
        case inspect.VarTupleType():
            return "a list of texts"
        case inspect.DictType():
            return "a table of names and values"
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least}" + (f" to {most}" if most is not None else "")
    return _SCALARS[type(info)]


_SCALARS = {
    inspect.StrType: "a text in quotes",
    inspect.BoolType: "true or false",
    inspect.FloatType: "a number between 0 and 1",
    inspect.CustomType: 'a duration: "30s", "5m", "2h" or "7d"',
    inspect.DateTimeType: "an instant with its offset: 2026-12-01T00:00:00Z",
}


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _header(path: Path) -> str:
    """The line above the keys of the table at `path`."""
    name = ".".join(part for part in path if isinstance(part, str))
    return f"[[{name}]]" if isinstance(path[-1], int) else f"[{name}]"
