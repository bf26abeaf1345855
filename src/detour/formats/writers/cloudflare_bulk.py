"""Cloudflare bulk redirects (CSV): exact URLs, and paths with all that is below them.

There is no order: the longest path answers, an exact host before those below it. A rule whose order says
otherwise has no words here; nor has anything that looks at more than the URL. Every line names its host.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from detour.core.rule import Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Way, keeps_query, spell, widened
from detour.formats.writers.writing import Cannot, Unsaid, Writing, Written, left_out, unsaid

SAYS: frozenset[str] = frozenset()


class _Row(msgspec.Struct, frozen=True):
    source: str
    target: str
    status: int
    keeps_query: bool
    below: bool  # include subpaths
    keeps_rest: bool


def write(rules: Iterable[Rule], now: float) -> Written:
    """A list as CSV; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[_Row](SAYS, now)
    rows: list[_Row] = []
    below: set[str] = set()  # the sources of rows that take what is below them
    told: list[Unsaid] = []
    said: list[Rule] = []
    for rule, found in writing.each(rules, _row):
        if any(_goes_ahead(row, below) for row in found):
            told.append(left_out(rule, "its place behind a rule that Cloudflare would look at later"))
            continue
        said.append(widened(rule))
        rows += found
        below.update(row.source for row in found if row.below)
        for row in found:
            if row.below:
                told.append(unsaid(rule, f"not {row.source} itself", "a subpath match takes it too"))
    written = writing.written("".join(f"{_line(row)}\n" for row in rows))
    return msgspec.structs.replace(written, unsaid=(*written.unsaid, *told), said=tuple(said))


def _line(row: _Row) -> str:
    """A line of CSV (RFC 4180); nothing in a URL needs more than quotes around a comma."""
    urls = (f'"{url}"' if "," in url else url for url in (row.source, row.target))
    flags = ("TRUE" if flag else "FALSE" for flag in (row.keeps_query, False, row.below, row.keeps_rest))
    return ",".join((*urls, str(row.status), *flags))


def _goes_ahead(row: _Row, below: set[str]) -> bool:
    """Whether Cloudflare would prefer `row` to one that answers first here: one that it is below."""
    ends = (place for place, char in enumerate(row.source) if char == "/")
    return any(row.source[:end] in below for end in ends)


def _row(way: Way) -> _Row | Cannot:
    rule = way.rule
    if rule.template is None:
        return Cannot("an answer that is no redirect")
    if not way.host or way.host.startswith("*") or way.port or way.query_regex or rule.ignore_case:
        return Cannot("a pattern that does not name one host and its path alone")
    if rule.template.query is not None and keeps_query(rule):
        return Cannot("a query in the Location beside the request's")
    source = f"{way.scheme}://{way.host}" if way.scheme else way.host
    if way.exact is not None:
        target = spell(rule.template, str, dict.fromkeys(way.unmatched, ""))
        if isinstance(target, Slot) or not target.startswith("http"):
            return Cannot("a Location that is computed, or names no scheme and host")
        return _Row(source + way.exact, target, rule.status, keeps_query(rule), False, False)
    if way.prefix is None or not way.prefix.endswith("/"):
        return Cannot("a pattern that is more than a path with all that is below it")
    parts = rule.template.path
    rest = parts[-1] if isinstance(parts[-1], Slot) and (parts[-1].name,) == way.groups else None
    if rest is not None and (rule.template.query or not str(parts[0]).endswith("/")):
        return Cannot("a Location in which the rest does not stand at the end, behind a slash")
    path = (str(parts[0]).rstrip("/"),) if rest is not None and len(parts) == 2 else parts
    target = spell(msgspec.structs.replace(rule.template, path=path), str, dict.fromkeys(way.unmatched, ""))
    if isinstance(target, Slot) or not target.startswith("http"):
        return Cannot("a Location that is computed, or names no scheme and host")
    below = source + way.prefix.rstrip("/")
    return _Row(below, target, rule.status, keeps_query(rule), True, rest is not None)
