"""Kubernetes Gateway API: HTTPRoutes (YAML), one for each set of hosts, one rule for each redirect.

There is no order: an exact path answers before a prefix, the longer prefix before the shorter one, then what
asks for more. A prefix is of whole segments and matches itself (`/v1` as well as `/v1/7`), the request's
query is always kept, and a Location has no captures but the rest behind a prefix. A hostname that a route
names answers from its own rules or not at all, so rules for any host are written for each. http and https
are listeners of the Gateway, which a route names by `sectionName`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from detour.core.rule import FieldCondition, Rule
from detour.core.template import Slot, Template
from detour.formats.writers.gateway_order import (
    NOTHING,
    Asks,
    Order,
    Path,
    above,
    asks,
    covers,
    ends_of,
    hides,
)
from detour.formats.writers.ways import Way, takes_itself, widened
from detour.formats.writers.writing import ALL, Cannot, Unsaid, Writing, Written, left_out, unsaid
from detour.formats.writers.yaml_text import yaml_text

SAYS = frozenset({"methods", "header", "query"})

Node = dict[str, Any]
Place = tuple[str, str]  # a host, "" for any; a scheme, "" for both


def write(rules: Iterable[Rule], now: float) -> Written:
    """HTTPRoutes; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[Way, Node]](SAYS, now)
    told: list[Unsaid] = []
    said: list[Rule] = []
    written: list[tuple[Way, Node]] = []
    order = Order()
    exact: set[tuple[str | None, Place]] = set()  # paths that are answered for whatever else is asked
    for rule, found in writing.each(rules, _rule):
        if any(order.goes_ahead(way) for way, _ in found):
            told.append(left_out(rule, "its place behind a rule that a Gateway would look at later"))
            continue
        said.append(_as_said(rule))
        for way, _ in found:
            told += _wider(way, exact)
        for way, _ in found:
            order.add(way)
            if asks(way) == NOTHING:
                exact.add((way.exact, _place(way)))
        written += found
    routes = _routes(written)
    text = "---\n".join(
        yaml_text(_route(number, place, nodes)) for number, (place, nodes) in enumerate(routes.items())
    )
    outcome = writing.written(text, tuple(_notes(routes)))
    return msgspec.structs.replace(outcome, unsaid=(*outcome.unsaid, *told), said=tuple(said))


def _as_said(rule: Rule) -> Rule:
    """The rule as a Gateway answers: a prefix takes itself, and no query is dropped."""
    wide = widened(rule)
    if not _drops_query(rule):
        return wide
    return msgspec.structs.replace(wide, terms=msgspec.structs.replace(wide.terms, query="keep"))


def _drops_query(rule: Rule) -> bool:
    return rule.template is not None and rule.terms.query == "drop"


def _wider(way: Way, exact: set[tuple[str | None, Place]]) -> Iterator[Unsaid]:
    """What else a written rule matches or keeps; `exact`: what earlier ones answer anyway."""
    if _drops_query(way.rule):
        kept = (ALL, "the request's query is added to the Location")
        yield unsaid(way.rule, "dropping the request's query", "it is written, and the query is kept", kept)
    if takes_itself(way) and way.prefix is not None:
        itself = way.prefix.rstrip("/")
        if (itself, _place(way)) not in exact:
            yield unsaid(way.rule, f"not {itself} itself", f"PathPrefix {itself} matches it too")


def _routes(written: list[tuple[Way, Node]]) -> dict[Place, list[Node]]:
    """The rules of each host and scheme: its own, and those of all that includes it, because a Gateway looks
    at one hostname only."""
    own: dict[str, list[int]] = {}
    for number, (way, _) in enumerate(written):
        own.setdefault(way.host, []).append(number)
    routes: dict[Place, list[tuple[Way, Node]]] = {}
    for host in own:
        numbers = sorted(number for one in above(host) for number in own.get(one, ()))
        for way, node in _reached(written[number] for number in numbers):
            routes.setdefault((host, way.scheme), []).append((way, node))
    return {place: list(_without_repeats(found)) for place, found in routes.items()}


def _reached(found: Iterable[tuple[Way, Node]]) -> Iterator[tuple[Way, Node]]:
    """The rules of a host without those of a wider one that a rule of a narrower one hides."""
    earlier: dict[Path, set[tuple[str, str, Asks]]] = {}
    for way, node in found:
        own = way.exact if way.exact is not None else way.prefix or ""
        over = {(way.exact, way.prefix), *((None, own[:end]) for end in ends_of(own))}
        hidden = (
            host != way.host and covers(way.host, host) and hides(scheme, asked, way)
            for path in over
            for host, scheme, asked in earlier.get(path, ())
        )
        if not any(hidden):
            yield way, node
            earlier.setdefault((way.exact, way.prefix), set()).add((way.host, way.scheme, asks(way)))


def _without_repeats(found: list[tuple[Way, Node]]) -> Iterator[Node]:
    """The rules of a route without the exact paths that a prefix of theirs answers alike."""
    exact = Counter(way.exact for way, _ in found)
    plain = [(way, node) for way, node in found if asks(way) == NOTHING]
    below = {(way.prefix or "").rstrip("/"): node for way, node in reversed(plain) if takes_itself(way)}
    for way, node in found:
        prefix = below.get(way.exact) if way.exact is not None and exact[way.exact] == 1 else None
        if prefix is None or asks(way) != NOTHING or prefix["filters"] != node["filters"]:
            yield node


def _notes(routes: Iterable[Place]) -> Iterator[str]:
    yield "`parentRefs` names your Gateway"
    if any(scheme for _, scheme in routes):
        yield "`sectionName` names its listeners: `http` for http, `https` for https"


def _route(number: int, place: Place, rules: list[Node]) -> Node:
    host, scheme = place
    hosts = {"hostnames": [host]} if host else {}
    parent = {"name": "gateway", **({"sectionName": scheme} if scheme else {})}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": f"redirects-{number}"},
        "spec": {"parentRefs": [parent], **hosts, "rules": rules},
    }


def _place(way: Way) -> Place:
    return way.host, way.scheme


def _rule(way: Way) -> tuple[Way, Node] | Cannot:
    rule = way.rule
    if rule.template is None:
        return Cannot("an answer that is no redirect")
    if way.port or way.query_regex or rule.ignore_case or (way.host_regex and not way.host):
        return Cannot("a pattern with a port, a query, or without regard to case")
    match = _match(way)
    if isinstance(match, Cannot):
        return match
    redirect = _redirect(way, rule.template)
    if isinstance(redirect, Cannot):
        return redirect
    asked = {**match, **_fields(rule)}
    methods = sorted(rule.terms.methods) if rule.terms.methods is not None else [None]
    matches = [asked if method is None else {**asked, "method": method} for method in methods]
    return way, {"matches": matches, "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}


def _match(way: Way) -> Node | Cannot:
    if way.exact is not None:
        return {"path": {"type": "Exact", "value": way.exact}}
    if way.prefix is not None and way.prefix.endswith("/"):
        return {"path": {"type": "PathPrefix", "value": way.prefix.rstrip("/") or "/"}}
    return Cannot("a pattern that is more than a path, or a path with all that is below it")


def _fields(rule: Rule) -> Node:
    kinds: dict[str, list[Node]] = {}
    for one in rule.terms.when:
        assert isinstance(one, FieldCondition)
        kind = "headers" if one.of == "header" else "queryParams"
        regex = ".*" if one.values is None else "|".join(one.values)
        exact = one.values is not None and len(one.values) == 1
        kinds.setdefault(kind, []).append(
            {"type": "Exact" if exact else "RegularExpression", "name": one.name, "value": regex}
        )
    return {**kinds}


def _redirect(way: Way, template: Template) -> Node | Cannot:
    if template.query is not None or template.fragment is not None:
        return Cannot("a query or a fragment in the Location")
    origin = _origin(template)
    if isinstance(origin, Cannot):
        return origin
    path = _path(way, template)
    if isinstance(path, Cannot):
        return path
    return {**origin, **path, "statusCode": way.rule.status}


def _origin(template: Template) -> Node | Cannot:
    scheme = {"scheme": template.scheme} if template.scheme else {}
    if not template.authority or template.authority == (Slot("url.hostname", "authority"),):
        return scheme
    if template.chooses_host:
        return Cannot("a host that the request chooses")
    host, _, port = "".join(map(str, template.authority)).partition(":")
    return {**scheme, "hostname": host, **({"port": int(port)} if port else {})}


def _path(way: Way, template: Template) -> Node | Cannot:
    parts = template.path
    if all(isinstance(part, str) for part in parts):
        return {"path": {"type": "ReplaceFullPath", "replaceFullPath": "".join(map(str, parts))}}
    if parts == (Slot("url.path", "path"),):
        return {}
    start, rest = (parts[0], parts[1]) if len(parts) == 2 else ("", None)
    if (
        isinstance(start, str)
        and isinstance(rest, Slot)
        and way.groups == (rest.name,)
        and start.endswith("/")
    ):
        return {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": start.rstrip("/") or "/"}}
    return Cannot("a Location with captures other than the rest behind a prefix")
