"""netlify.toml: its `[[redirects]]`.

Read (netlify/build, packages/redirect-parser/src/netlify_config_parser.js): `from` (older: `origin`), `to`
(`destination`), `status` (a number or a text of one), `query` (`params`, `parameters`), `conditions`,
`signed` (`sign`, `signing`). Each table means what a line of `_redirects` with the same parts means, so
all that is said there of matching holds here.

`force` is of no account: Detour has no files that a rule could be forced over. `headers` and `rate_limit`
concern a proxy, not a redirect. The tables of `[[headers]]`, `[[edge_functions]]` and `[context.…]` are not
read. On Netlify the lines of `_redirects` go before this file's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from detour.errors import TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.netlify import DEFAULT_STATUS, read_line
from detour.formats.redirects_file import Line
from detour.formats.toml_places import places

__all__ = ["DEFAULT_STATUS", "detect", "read"]

_NAMES = {
    "from": ("from", "origin"),
    "to": ("to", "destination"),
    "query": ("query", "params", "parameters"),
    "signed": ("signed", "sign", "signing"),
}
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*redirects[ \t]*\]\]", re.MULTILINE)


def detect(text: str) -> bool:
    """Whether a text has tables of redirects, as Netlify's configuration does."""
    return _TABLE.search(text) is not None


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each table of redirects, in file order, restated; one that cannot be is a fault."""
    try:
        tables = tomllib.loads(text).get("redirects", [])
    except ValueError as error:  # tomllib's own, and that of a number with thousands of digits
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        yield LineFault(line, f"not TOML: {error}", "correct it")
        return
    except RecursionError:
        yield LineFault(1, "not TOML: nested too deep", "write flat tables")
        return
    lines = places(text)
    first = lines.get(("redirects",), 1)
    if not isinstance(tables, list):
        yield LineFault(first, "`redirects` is no list of tables", "write [[redirects]]")
        return
    for number, table in enumerate(tables):
        line = lines.get(("redirects", number), first)
        try:
            yield read_line(_line(line, table))
        except TemplateError as refusal:
            yield LineFault(line, refusal.fact, refusal.remedy)


def _line(number: int, table: Any) -> Line:
    """A table as a line of `_redirects`; raises `TemplateError`."""
    if not isinstance(table, dict):
        raise TemplateError("a redirect that is no table", 'write from = "…" and to = "…"')
    source = _text(table, "from")
    if not source:
        raise TemplateError("a redirect without `from`", 'write from = "/old"')
    to = _text(table, "to")
    if to and not to.startswith(("/", "http://", "https://")):
        raise TemplateError(f"`to` is {to!r}, neither a path nor a URL", f'write to = "/{to}"')
    _table(table, "headers")  # of a proxy, but Netlify refuses the table where it is none
    query = [f"{name}={_value(value)}" for name, value in _table(table, "query").items()]
    conditions = tuple(_conditions(table))
    status = tuple(_status(table)) or ((str(DEFAULT_STATUS),) if conditions and to else ())
    tokens = (source, *query, *((to,) if to else ()), *status, *conditions)
    return Line(number, " ".join(tokens), tokens)


def _named(table: Mapping[str, Any], name: str) -> Any:
    return next((table[one] for one in _NAMES.get(name, (name,)) if one in table), None)


def _text(table: Mapping[str, Any], name: str) -> str:
    found = _named(table, name)
    if found is not None and not isinstance(found, str):
        raise TemplateError(f"`{name}` is {found!r}, no text", "write it in quotes")
    return found or ""


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = _named(table, name)
    if found is not None and not isinstance(found, dict):
        raise TemplateError(f"`{name}` is {found!r}, no table", f'write {name} = {{ key = "value" }}')
    return found or {}


def _value(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _status(table: Mapping[str, Any]) -> Iterator[str]:
    status = table.get("status")
    if status is None:
        return
    if isinstance(status, bool) or not re.fullmatch(r"[0-9]{3}!?", str(status)):
        raise TemplateError(f"`status` is {status!r}", "write a number of three digits")
    yield str(status)


def _conditions(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in _table(table, "conditions").items():
        yield f"{name.capitalize()}={_value(value)}"
    if signed := _text(table, "signed"):
        yield f"signed={signed}"
