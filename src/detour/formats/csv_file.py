"""Plain CSV: `source,target[,status]`, in Detour's own syntax.

- One redirect a line; cells are apart by commas and may be quoted (RFC 4180). Blank lines, and
  lines that begin with `#`, are skipped.
- The first row may be a header: a name for the source (`source`, `from`, `old`, …), one for the
  target (`target`, `to`, `new`, …), perhaps `status` or `code`, in any order and case. Other
  columns are a fault: they might say something about the redirect.
- `source` is a native pattern: `/path`, `//host/path` or a whole URL, so `/users/:id/*` works.
- `target` is a native template: `/people/{id}/{0}`.
- `status` is 301, 302, 303, 307 or 308. Without one the import's `status` counts, then 307: a row
  that says nothing else is temporary and keeps the method. A row without a target and with 404, 410
  or 451 is a `pass`.

The order is the file's: the first row that matches answers, also where a later one says more.

A query in a source asks for parameters: `/old?id=7` answers every request for `/old` that has an
`id` of exactly `7`, whatever else stands in its query and in which order. This is what people mean
who list addresses of pages, and it survives a tracking parameter. A query with pattern syntax
(`/old?id=:id`) is matched whole, as in any native pattern. Either way the request's query has done
its work and is not added to the Location; without a query in the source it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from detour.core.pattern_string import split_pattern
from detour.core.pattern_syntax import TokenKind
from detour.core.rule import ParameterCapture
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.url import decode_query
from detour.errors import TemplateError
from detour.formats.bulk_rows import cells, rows
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import PartError

DEFAULT_STATUS = 307

SOURCE_NAMES = frozenset(
    (
        *("source", "from", "old", "pattern", "path", "src", "origin", "request"),
        *("source_url", "from_url", "old_url", "source_path", "from_path", "old_path", "redirect_from"),
    )
)
TARGET_NAMES = frozenset(
    (
        *("target", "to", "new", "location", "destination", "dest", "url", "redirect"),
        *("target_url", "to_url", "new_url", "destination_url", "target_path", "new_path", "redirect_to"),
    )
)
STATUS_NAMES = frozenset(("status", "code", "status_code", "statuscode", "http_status", "type"))

_STATUSES: dict[str, int | None] = {
    "": None,
    **{str(status): status for status in (*REDIRECT_STATUSES, *PASS_STATUSES)},
}


class _Columns(msgspec.Struct, frozen=True):
    """Where the cells of a row stand; `status` None: nowhere."""

    source: int = 0
    target: int = 1
    status: int | None = 2
    count: int = 3


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each row of a CSV text, in file order, restated; a row that cannot be is a fault."""
    columns: _Columns | None = None
    for number, _, line in rows(text):
        if line.startswith("#"):
            continue
        row: list[str] = []
        try:
            row = cells(line)
            if columns is None and (columns := _header(row)) is not None:
                continue
            columns = columns or _Columns()
            if any(row):
                yield _restated(number, row, columns)
        except PartError as refusal:
            columns = columns or _Columns()
            pattern = row[columns.source] if len(row) > columns.source else None
            yield LineFault(number, refusal.fact, refusal.remedy, pattern)


def _header(row: Sequence[str]) -> _Columns | None:
    """The columns a header names, None when the row is none; raises `TemplateError` for unknown names."""
    names = [name.lower().replace(" ", "_").replace("-", "_") for name in row]
    source = _place(names, SOURCE_NAMES)
    target = _place(names, TARGET_NAMES)
    if source is None or target is None:
        return None
    status = _place(names, STATUS_NAMES)
    for place, name in enumerate(names):
        if place not in (source, target, status) and name:
            raise TemplateError(
                f"the column `{row[place]}` means nothing here",
                "keep source, target and status; conditions belong in a rule of their own",
            )
    return _Columns(source, target, status, len(names))


def _place(names: Sequence[str], wanted: frozenset[str]) -> int | None:
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _restated(number: int, row: list[str], columns: _Columns) -> Draft:
    source, target, code = _three(row, columns)
    status = _status(code)
    parameters: tuple[ParameterCapture, ...] = ()
    query: Literal["keep", "drop"] = "keep"
    if "?" in source:
        source, parameters, query = _query(source)
    if status in PASS_STATUSES and not target:
        return Draft(number, source, None, status, parameters)
    _check_target(target, status)
    return Draft(number, source, target, status, parameters, query=query)


def _three(row: list[str], columns: _Columns) -> tuple[str, str, str]:
    if len(row) > columns.count and any(row[columns.count :]):
        raise TemplateError(
            f"{len(row)} cells where {columns.count} belong", "quote a cell that holds a comma"
        )
    if len(row) <= max(columns.source, columns.target):
        other = re.search(r"[;\t|]", row[0])
        remedy = "put commas between the cells" if other else "write `source,target[,status]`"
        raise TemplateError("the row has no target", remedy)
    place = columns.status
    code = row[place] if place is not None and place < len(row) else ""
    return row[columns.source], row[columns.target], code


def _status(code: str) -> int | None:
    try:
        return _STATUSES[code]
    except KeyError:
        raise TemplateError(f"{code!r} is no redirect status", "use 301, 302, 303, 307 or 308") from None


def _check_target(target: str, status: int | None) -> None:
    if not target:
        raise TemplateError("the row has no target", "write one, or the status 404, 410 or 451")
    if status in PASS_STATUSES:
        raise TemplateError(f"a {status} leads nowhere", "drop the target, or write a redirect status")


def _query(source: str) -> tuple[str, tuple[ParameterCapture, ...], Literal["keep", "drop"]]:
    """The pattern without a query that has no pattern syntax, its parameters, what becomes of the query."""
    tokens = split_pattern(source).get("query")
    if tokens is None:
        return source, (), "keep"
    text = source[tokens[0].index - tokens[-1].index :]  # counted from the end: a pattern's query ends it
    pairs = decode_query(text)
    plain = all(token.kind is TokenKind.TEXT for token in tokens[:-1])
    if not plain or not pairs or len(dict(pairs)) < len(pairs):
        return source, (), "drop"
    bare = source[: -len(text) - 1].removesuffix("\\")  # a query may begin with `?` or `\\?`
    return bare, tuple(ParameterCapture(name, value) for name, value in pairs), "drop"
