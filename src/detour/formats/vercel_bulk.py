"""Vercel's bulk redirects: CSV, a JSON list, or JSON Lines, told apart by their first character.

Format (Vercel's documentation, "Bulk Redirects" and its "Getting Started"; fixtures of
vercel/vercel, packages/client and packages/cli):

    source,destination,permanent,statusCode,caseSensitive,query

- CSV has a header row, in any order of columns. JSON holds the same names: `[{…}, {…}]`, or one
  object a line. `sensitive` is an older name of `caseSensitive`, `preserveQueryParams` the command
  line's name of `query`. Other names are a fault.
- `source` is a path without query; `destination` a path or a whole URL; both at most 2,048
  characters.
- `statusCode` is 301, 302, 303, 307 or 308 and goes before `permanent`: true is 308, false 307.
  With neither the default is 307.
- Booleans are `true` and `false`, in CSV also `t` and `f`, and nothing for the default, false.

Matching: the whole path, without case unless `caseSensitive`. There are no wildcards: `/api/*` and
`/blog/:slug` (both stand in Vercel's own samples) answer only a request for exactly that, and a
note says so. The request's query is dropped unless `query`.

What Vercel does not document, and how it is read here:

- Of two rows for one path the first answers. A slash at the end counts.
- With `query`, a query that the destination has of its own stands first, the request's after it.
- Every spelling of a path matches, as in Detour's own rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError
from detour.formats.bulk_rows import BYTE_ORDER_MARK, PLAIN_PATH, cells, is_plain, restated, rows
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import PartError, literal, path_pattern

DEFAULT_STATUS = 307

MAX_LENGTH = 2048  # characters of a source and of a destination

_ALIASES = {"sensitive": "caseSensitive", "preserveQueryParams": "query"}
_BOOLEANS = {"": None, "true": True, "t": True, "false": False, "f": False}
_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(PLAIN_PATH)
_HEAD = 16_384  # characters, to tell the dialect by
_OBJECT = re.compile(r"(?:\[\s*)?\{([^\[\]{}]*)\}")
_KEY = re.compile(r'"(\w+)"\s*:')
_WILDCARD = re.compile(r"\*|(?<=/):\w")
_NOTE = "bulk redirects have no wildcards: an asterisk or `:name` stands for itself"


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One redirect, as Vercel names its fields."""

    source: str
    destination: str
    permanent: bool | None = None
    statusCode: int | None = None
    caseSensitive: bool | None = None
    query: bool | None = None


_NAMES = _Row.__struct_fields__


def detect(text: str) -> bool:
    """Whether a header names a column that only Vercel has, or the first object is a redirect of Vercel's."""
    head = text[:_HEAD].removeprefix(BYTE_ORDER_MARK).lstrip()
    if found := _OBJECT.match(head):
        return {"source", "destination"} <= set(_KEY.findall(found[1]))
    names = [_ALIASES.get(name.strip(), name.strip()) for name in head.partition("\n")[0].split(",")]
    return {"source", "destination"} <= set(names) <= set(_NAMES) and len(names) > 2


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each redirect, in file order, restated; one that cannot be is a fault."""
    start = _after_space(text, int(text.startswith(BYTE_ORDER_MARK)))
    form = {"[": _list, "{": _lines}.get(text[start : start + 1], _table)
    for number, row in form(text):
        yield row if isinstance(row, LineFault) else _restated(number, row)


# ---- the three forms: (line, row or fault)


def _table(text: str) -> Iterator[tuple[int, _Row | LineFault]]:
    names: list[str] | None = None
    for number, _, line in rows(text):
        try:
            row = cells(line)
            if names is None:
                names = [_ALIASES.get(name, name) for name in row]
                yield from ((number, fault) for fault in _header_faults(number, names))
                if not {"source", "destination"} <= set(names):
                    return
            elif any(row):
                yield number, _of_cells(names, row)
        except PartError as refusal:
            yield number, LineFault(number, refusal.fact, refusal.remedy)
            if names is None:
                return


def _header_faults(number: int, names: list[str]) -> Iterator[LineFault]:
    if not {"source", "destination"} <= set(names):
        remedy = "begin the file with a header: source,destination,permanent,statusCode,caseSensitive,query"
        yield LineFault(number, "the first row names no `source` and `destination`", remedy)
        return
    for place, name in enumerate(names):
        if name and name not in _NAMES:
            yield LineFault(number, f"unknown column `{name}`", f"known here: {', '.join(_NAMES)}")
        elif name and name in names[:place]:
            yield LineFault(number, f"the column `{name}` comes twice", "keep one of them")


def _of_cells(names: list[str], row: list[str]) -> _Row:
    if len(row) > len(names) and any(row[len(names) :]):
        raise TemplateError(f"{len(row)} cells under {len(names)} names", "quote a cell that holds a comma")
    values = dict(zip(names, row, strict=False))
    return _Row(
        values.get("source", ""),
        values.get("destination", ""),
        _boolean("permanent", values.get("permanent", "")),
        _number(values.get("statusCode", "")),
        _boolean("caseSensitive", values.get("caseSensitive", "")),
        _boolean("query", values.get("query", "")),
    )


def _boolean(name: str, text: str) -> bool | None:
    try:
        return _BOOLEANS[text if text in _BOOLEANS else text.lower()]
    except KeyError:
        raise TemplateError(f"`{name}` is {text!r}", "write true or false, t or f, or nothing") from None


def _number(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise TemplateError(f"`statusCode` is {text!r}", "write 301, 302, 303, 307 or 308")


# Python refuses to read thousands of digits, and its decoder passes that on.
_TOO_LARGE = "not a redirect: a number of thousands of digits", "write 301, 302, 303, 307 or 308"


def _lines(text: str) -> Iterator[tuple[int, _Row | LineFault]]:
    for number, _, line in rows(text):
        try:
            yield number, _of_json(number, json.loads(line))
        except json.JSONDecodeError as error:
            yield number, _not_json(number, error, "write one object a line, or a list in brackets")
        except ValueError:
            yield number, LineFault(number, *_TOO_LARGE)
        except RecursionError:
            yield number, LineFault(number, "not a redirect: nested too deep", "write flat objects")


def _list(text: str) -> Iterator[tuple[int, _Row | LineFault]]:
    """The objects of a JSON list, decoded one by one; behind what is not JSON nothing can be told."""
    decode = json.JSONDecoder().raw_decode
    line, counted = 1, 0
    place = _after_space(text, text.index("[") + 1)
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, end = decode(text, place)
            yield line, _of_json(line, value)
            place = _after_comma(text, _after_space(text, end))
        except json.JSONDecodeError as error:
            yield line, _not_json(error.lineno, error, "correct the JSON: what follows cannot be read")
            return
        except ValueError:
            yield line, LineFault(line, *_TOO_LARGE)
            return
        except RecursionError:
            yield line, LineFault(line, "not a redirect: nested too deep", "write flat objects")
            return
    if (rest := _after_space(text, place + 1)) < len(text):
        line = text.count("\n", 0, rest) + 1
        yield line, LineFault(line, "text behind the list's end", "write one list, or one object a line")


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _after_comma(text: str, place: int) -> int:
    """Where the next value, or the list's end, begins; raises `JSONDecodeError`."""
    if text[place : place + 1] == "]":
        return place
    if text[place : place + 1] != ",":
        raise json.JSONDecodeError("a comma or a bracket is missing", text, place)
    place = _after_space(text, place + 1)
    if text[place : place + 1] == "]":
        raise json.JSONDecodeError("a comma before the bracket", text, place)
    return place


def _not_json(number: int, error: json.JSONDecodeError, remedy: str) -> LineFault:
    return LineFault(number, f"not JSON: {error.msg} (column {error.colno})", remedy)


def _of_json(number: int, value: Any) -> _Row | LineFault:
    if isinstance(value, dict) and not value.keys().isdisjoint(_ALIASES):
        value = {_ALIASES.get(name, name): known for name, known in value.items()}
    try:
        return msgspec.convert(value, _Row)
    except msgspec.ValidationError as error:
        fact, _, path = str(error).partition(" - at `$.")
        named = f"`{path[:-1]}`: " if path else ""
        return LineFault(number, f"{named}{fact}", f"known here: {', '.join(_NAMES)}")


# ---- a row, restated


def _restated(number: int, row: _Row) -> Draft | LineFault:
    pattern = None
    try:
        pattern = _pattern(row.source)
        return Draft(
            number,
            pattern,
            _location(row.destination),
            _status(row),
            note=_NOTE if pattern != row.source and _WILDCARD.search(row.source) else "",
            query="keep" if row.query else "drop",
            ignore_case=not row.caseSensitive,
        )
    except PartError as refusal:
        return LineFault(number, refusal.fact, refusal.remedy, pattern, ignore_case=not row.caseSensitive)


def _pattern(source: str) -> str:
    if len(source) > MAX_LENGTH:
        raise PatternError(f"a source of {len(source)} characters", f"Vercel takes at most {MAX_LENGTH}")
    if _PLAIN.fullmatch(source) and is_plain(source):
        return source
    if not source.startswith("/"):
        remedy = "write the path alone" if "://" in source else f"write `/{source}`"
        raise PatternError(f"the source {source!r} is not a path", remedy)
    if found := re.search(r"[?#]", source):
        raise PatternError(
            f"the source {source!r} has a {found[0]!r}, and no path does",
            f"write `{source[: found.start()]}`",
        )
    return path_pattern(literal(source))


def _location(destination: str) -> str:
    if len(destination) > MAX_LENGTH:
        raise TemplateError(
            f"a destination of {len(destination)} characters", f"Vercel takes at most {MAX_LENGTH}"
        )
    return restated(destination)


def _status(row: _Row) -> int | None:
    status = row.statusCode
    if status is None:
        return None if row.permanent is None else 308 if row.permanent else 307
    if status not in REDIRECT_STATUSES:
        raise TemplateError(f"{status} is no redirect status", "use 301, 302, 303, 307 or 308")
    return status
