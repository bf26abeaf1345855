"""vercel.json: one entry of `redirects` for each rule, in their order.

Vercel adds the request's query to every destination; an entry names no method and no time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from detour.core.rule import ClientCondition, Condition, FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Gap, Way, quoted, spell
from detour.formats.writers.writing import Cannot, Writing, Written

SAYS = frozenset({"header", "cookie", "query", "unless"})

Node = dict[str, Any]
_SPECIAL = re.compile(r"[:(){}*+?\\.]")


def write(rules: Iterable[Rule], now: float) -> Written:
    """A vercel.json; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[Node](SAYS, now)
    entries = [entry for _, found in writing.each(rules, _entry) for entry in found]
    return writing.written(json.dumps({"redirects": entries}, indent=2, ensure_ascii=False) + "\n")


def _entry(way: Way) -> Node | Cannot:
    rule = way.rule
    if rule.template is None:
        return Cannot("an answer that is no redirect")
    if not way.path or way.query_regex or way.port or rule.ignore_case:
        return Cannot("a pattern that is more than text, segments and a rest")
    if any(isinstance(one, ClientCondition) for one in (*rule.terms.when, *rule.terms.unless)):
        return Cannot("clients' addresses")
    if any(":" in part for part in rule.template.authority if isinstance(part, str)):
        return Cannot("a port in the Location")
    slots = {gap.name: f":{_name(gap.name)}" for gap in _gaps(way)} | dict.fromkeys(way.unmatched, "")
    destination = spell(rule.template, lambda text: re.sub(r"[:()]", r"\\\g<0>", text), slots)
    if isinstance(destination, Slot):
        return Cannot(f"{{{destination.name}}} in the Location")
    if rule.terms.query == "drop":
        return Cannot("dropping the request's query")
    destination = destination.replace("https\\:", "https:").replace("http\\:", "http:")
    entry: Node = {"source": _source(way), "destination": destination, "statusCode": rule.status}
    has = [*_host(way), *(_condition(one) for one in rule.terms.when)]
    missing = [_condition(one) for one in rule.terms.unless]
    return entry | ({"has": has} if has else {}) | ({"missing": missing} if missing else {})


def _gaps(way: Way) -> list[Gap]:
    return [piece for piece in way.path if isinstance(piece, Gap)]


def _source(way: Way) -> str:
    kinds = {"segment": "", "rest": "(.*)"}
    return "".join(
        _SPECIAL.sub(r"\\\g<0>", piece)
        if isinstance(piece, str)
        else f":{_name(piece.name)}{kinds[piece.kind]}"
        for piece in way.path
    )


def _name(name: str) -> str:
    return f"p{name}" if not name or name.isdigit() else name


def _host(way: Way) -> Iterator[Node]:
    if way.host and not way.host.startswith("*"):
        yield {"type": "host", "value": quoted(way.host)}
    elif way.host_regex:
        yield {"type": "host", "value": way.host_regex}
    if way.scheme:
        yield {"type": "header", "key": "x-forwarded-proto", "value": way.scheme}


def _condition(one: Condition) -> Node:
    assert isinstance(one, FieldCondition)
    node = {"type": one.of, "key": one.name}
    return node if one.values is None else {**node, "value": "|".join(map(quoted, one.values))}
