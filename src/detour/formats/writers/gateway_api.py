"""Kubernetes Gateway API: HTTPRoutes (YAML), one for each set of hosts, one rule for each redirect.

There is no order: an exact path answers before a prefix, the longer prefix before the shorter one, then what
asks for more. A prefix is of whole segments and matches itself (`/v1` as well as `/v1/7`), the request's
query is always kept, and a Location has no captures but the rest behind a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from detour.core.rule import FieldCondition, Rule
from detour.core.template import Slot, Template
from detour.formats.writers.ways import Way, widened
from detour.formats.writers.writing import Cannot, Unsaid, Writing, Written, left_out, unsaid
from detour.formats.writers.yaml_text import yaml_text

SAYS = frozenset({"methods", "header", "query"})

Node = dict[str, Any]


def write(rules: Iterable[Rule], now: float) -> Written:
    """HTTPRoutes; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[Way, Node]](SAYS, now)
    told: list[Unsaid] = []
    said: list[Rule] = []
    routes: dict[str, list[Node]] = {}
    written: list[Way] = []
    for rule, found in writing.each(rules, _rule):
        if any(_in_front(way, other) for way, _ in found for other in written):
            told.append(left_out(rule, "its place behind a rule that a Gateway would look at later"))
            continue
        said.append(widened(rule))
        for way, node in found:
            written.append(way)
            routes.setdefault(way.host, []).append(node)
            if way.prefix is not None and way.prefix != "/":
                itself = way.prefix.rstrip("/")
                told.append(unsaid(rule, f"not {itself} itself", f"PathPrefix {itself} matches it too"))
    text = "---\n".join(
        yaml_text(_route(number, host, nodes)) for number, (host, nodes) in enumerate(routes.items())
    )
    notes = ("`parentRefs` names your Gateway",)
    outcome = writing.written(text, notes)
    return msgspec.structs.replace(outcome, unsaid=(*outcome.unsaid, *told), said=tuple(said))


def _route(number: int, host: str, rules: list[Node]) -> Node:
    hosts = {"hostnames": [host]} if host else {}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": f"redirects-{number}"},
        "spec": {"parentRefs": [{"name": "gateway"}], **hosts, "rules": rules},
    }


def _in_front(way: Way, earlier: Way) -> bool:
    """Whether a Gateway would prefer `way` although `earlier` answers first."""
    if earlier.host not in ("", way.host):
        return False
    if earlier.prefix is None:
        return False
    own = way.exact if way.exact is not None else way.prefix or ""
    return own.startswith(earlier.prefix) and own != earlier.prefix


def _rule(way: Way) -> tuple[Way, Node] | Cannot:
    rule = way.rule
    if rule.template is None:
        return Cannot("an answer that is no redirect")
    if way.scheme or way.port or way.query_regex or rule.ignore_case or (way.host_regex and not way.host):
        return Cannot("a pattern with a scheme, a port, a query, or without regard to case")
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
    if way.rule.terms.query == "drop":
        return Cannot("dropping the request's query")
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
