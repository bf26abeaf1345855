"""Netlify `_redirects`: one line a rule, in their order; every line forced (`!`), as rules are.

A line names no method, no header and no time; its `to` drops the request's query where it has one itself.
What answers without redirecting is written as a 404.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from detour.core.rule import FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Gap, Way, keeps_query, spell, widened
from detour.formats.writers.writing import Cannot, Unsaid, Writing, Written, unsaid

SAYS = frozenset({"query"})
_SLASHES = "one slash at the end of a path is of no account: `/a` is `/a/`"


def write(rules: Iterable[Rule], now: float) -> Written:
    """A `_redirects` file; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[str](SAYS, now)
    lines: list[str] = []
    told: list[Unsaid] = []
    said: list[Rule] = []
    for rule, found in writing.each(rules, _line):
        lines += dict.fromkeys(found)
        wide = widened(rule)
        said.append(wide)
        if wide is not rule:
            told.append(unsaid(rule, f"not {rule.pattern[:-2]} itself", "`/*` takes it too"))
    written = writing.written("".join(f"{line}\n" for line in lines), (_SLASHES,))
    return msgspec.structs.replace(written, unsaid=(*written.unsaid, *told), said=tuple(said))


def _line(way: Way) -> str | Cannot:
    rule = way.rule
    source = _source(way)
    if isinstance(source, Cannot):
        return source
    asked = [_parameter(one) for one in rule.terms.when if isinstance(one, FieldCondition)]
    if None in asked:
        return Cannot("a query parameter with any value, or one of several")
    words = [source, *filter(None, asked)]
    if rule.template is None:
        return " ".join([*words, "/404.html", "404!"])
    slots = {gap.name: ":splat" if gap.kind == "rest" else f":{_name(gap.name)}" for gap in _gaps(way)}
    slots |= dict.fromkeys(way.unmatched, "")
    to = spell(rule.template, str, slots)
    if isinstance(to, Slot):
        return Cannot(f"{{{to.name}}} in the Location")
    if "?" in to.partition("#")[0] and keeps_query(rule):
        return Cannot("a query in the Location beside the request's")
    if "?" not in to and rule.terms.query == "drop":
        return Cannot("dropping the request's query")
    if to.startswith("//"):
        return Cannot("a Location without a scheme")
    return " ".join([*words, to, f"{rule.status}!"])


def _gaps(way: Way) -> list[Gap]:
    return [piece for piece in way.path if isinstance(piece, Gap)]


def _source(way: Way) -> str | Cannot:
    """`from`: a path, behind its origin where there is one."""
    if way.query_regex or not way.path or way.rule.ignore_case:
        return Cannot("a pattern that is more than text, segments and a rest")
    path = "".join(
        piece if isinstance(piece, str) else "*" if piece.kind == "rest" else f":{_name(piece.name)}"
        for piece in way.path
    )
    if way.prefix is not None and not way.prefix.endswith("/"):
        return Cannot("a rest that begins within a segment")
    if way.host and way.host.startswith("*"):
        return Cannot("every host below another")
    if way.host_regex and not way.host:
        return Cannot("a host that is a regular expression")
    if not way.host:
        return Cannot("one scheme of any host") if way.scheme else path
    port = f":{way.port}" if way.port else ""
    return f"{way.scheme}://{way.host}{port}{path}" if way.scheme else Cannot("a host in both schemes")


def _name(name: str) -> str:
    return f"p{name}" if name.isdigit() else name


def _parameter(one: FieldCondition) -> str | None:
    if one.values is None or len(one.values) != 1:
        return None
    return f"{one.name}={one.values[0]}"
