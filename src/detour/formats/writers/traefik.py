"""Traefik: routers and `redirectRegex` middlewares (YAML, file provider), prioritized in the rules' order.

A redirectRegex sees the whole URL as it was sent. Traefik chooses the status itself: temporary is 302 to GET
and 307 to every other method, permanent is 301 and 308. So a 307 to GET cannot be said, nor a 302 to POST,
nor 303 at all. What is not redirected goes to a service `app`: yours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Way, keeps_query, quoted, spell
from detour.formats.writers.writing import Cannot, Unsaid, Writing, Written, unsaid
from detour.formats.writers.yaml_text import yaml_text

SAYS = frozenset({"methods", "header", "query", "client"})

_GET = frozenset({"GET"})
# What is sent for a rule's status: (to GET, to every other method).
STATUSES = {301: (301, 308), 302: (302, 307), 307: (302, 307), 308: (301, 308)}
_ENTRY = {"http": "web", "https": "websecure"}

Node = dict[str, Any]


def write(rules: Iterable[Rule], now: float) -> Written:
    """A dynamic configuration; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[Way, Node]](SAYS, now)
    routers: Node = {}
    middlewares: Node = {}
    told: list[Unsaid] = []
    said: list[Rule] = []
    made = list(writing.each(rules, _redirect))
    for number, (rule, found) in enumerate(made):
        said += _said(rule)
        told += _status_unsaid(rule)
        for place, (way, redirect) in enumerate(found):
            name = f"{rule.name.replace('/', '-').replace(':', '-').replace('.', '-').strip('-')}-{place}"
            routers[name] = {
                "rule": " && ".join(_rule(way)) or "PathPrefix(`/`)",
                "priority": 10 * (len(made) - number) + 1000,
                "service": "app",
            }
            if way.scheme:
                routers[name]["entryPoints"] = [_ENTRY[way.scheme]]
            names = [f"{name}-{step}" for step in range(len(redirect["steps"]))]
            middlewares |= dict(zip(names, redirect["steps"], strict=True))
            if names:
                routers[name]["middlewares"] = names
    tls = {f"{name}-tls": {**node, "tls": {}} for name, node in routers.items() if _is_tls(node)}
    plain = {name: _on(node, "web") for name, node in routers.items() if _is_plain(node)}
    services = {"app": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:1"}]}}}
    http: Node = {"routers": {**plain, **{name: _on(node, "websecure") for name, node in tls.items()}}}
    http |= {"middlewares": middlewares} if middlewares else {}
    http |= {"services": services}
    text = yaml_text({"http": http}) if routers else ""
    written = writing.written(text, ("the service `app` is yours: it answers what is not redirected",))
    return msgspec.structs.replace(written, unsaid=(*written.unsaid, *told), said=tuple(said))


def _is_tls(node: Node) -> bool:
    return "websecure" in node.get("entryPoints", ["websecure"])


def _is_plain(node: Node) -> bool:
    return "web" in node.get("entryPoints", ["web"])


def _on(node: Node, entry: str) -> Node:
    return {**node, "entryPoints": [entry]}


def _said(rule: Rule) -> Iterator[Rule]:
    """The rule as Traefik answers it: one status to GET, another to the others."""
    if rule.template is None:
        yield rule
        return
    methods = METHODS if rule.terms.methods is None else rule.terms.methods
    for status, some in zip(STATUSES[rule.status], (methods & _GET, methods - _GET), strict=True):
        if some:
            terms = msgspec.structs.replace(rule.terms, methods=frozenset(some))
            yield msgspec.structs.replace(rule, name=f"{rule.name}-{status}", status=status, terms=terms)


def _status_unsaid(rule: Rule) -> Iterator[Unsaid]:
    if rule.template is None:
        return
    to_get, to_others = STATUSES[rule.status]
    if rule.status == to_get:
        text = f"get {to_others}, which keeps method and content; {rule.status} lets POST become GET"
        yield unsaid(rule, f"{rule.status} to every method", "Traefik chooses", ("all but GET", text))
    else:
        text = f"gets {to_get}: the same to it, for a GET stays a GET"
        yield unsaid(rule, f"{rule.status} to every method", "Traefik chooses", ("GET", text))


def _redirect(way: Way) -> tuple[Way, Node] | Cannot:
    rule = way.rule
    if "\ufffd" in unquote(way.regex) or "`" in unquote(way.regex):
        return Cannot("a path that is no text, or with a backtick")
    if way.query_regex or way.port:
        return Cannot("a pattern with a query" if way.query_regex else "a port of its own")
    if rule.template is None:
        return way, {"steps": []}
    if rule.status not in STATUSES:
        return Cannot(f"status {rule.status}")
    steps = [*_steps(way)]
    cannot = next((step for step in steps if isinstance(step, Cannot)), None)
    return cannot or (way, {"steps": steps})


def _steps(way: Way) -> Iterator[Node | Cannot]:
    """One redirectRegex; two where `&` must stand between a query of the Location's own and the request's."""
    rule = way.rule
    assert rule.template is not None
    host = way.host_regex or quoted(way.host).replace("\\*\\.", ".*\\.") or "[^/:]+"
    path = way.regex.replace("(.*)", "([^?]*)").replace("[^/]", "[^/?]").replace("[^\\/]", "[^/?]")
    if path == ".*":
        path = "[^?]*"
    fold = "(?i)" if rule.ignore_case else ""
    groups = ("scheme", "host", *way.host_groups, "path", *way.groups)
    slots = {name: f"${{{number}}}" for number, name in enumerate(groups, start=1)}
    slots = {("url.scheme" if name == "scheme" else name): value for name, value in slots.items()}
    slots |= {"url.hostname": slots.pop("host"), "url.path": slots.pop("path")}
    slots |= dict.fromkeys(way.unmatched, "")
    location = spell(rule.template, lambda text: text.replace("$", "$$"), slots)
    if isinstance(location, Slot):
        yield Cannot(f"{{{location.name}}} in the Location")
        return
    if not rule.template.authority:
        location = f"{slots['url.scheme']}://{slots['url.hostname']}{location}"
    before, mark, fragment = location.partition("#")
    start = f"{fold}^(https?)://((?i:{host}))(?::[0-9]+)?({path})"
    last = f"${{{len(groups) + 1}}}"
    if keeps_query(rule) and "?" in before:
        yield _regex(rule, rf"{start}\?(.+)$", f"{before}&{last}{mark}{fragment}")
        yield _regex(rule, rf"{start}\??$", location)
    elif keeps_query(rule):
        yield _regex(rule, rf"{start}(\?.+)?\??$", f"{before}{last}{mark}{fragment}")
    else:
        yield _regex(rule, rf"{start}(?:\?.*)?$", location)


def _regex(rule: Rule, regex: str, replacement: str) -> Node:
    permanent = rule.status in (301, 308)
    return {"redirectRegex": {"regex": regex, "replacement": replacement, "permanent": permanent}}


def _rule(way: Way) -> Iterator[str]:
    rule = way.rule
    if way.host.startswith("*") or (way.host_regex and not way.host):
        yield f"HostRegexp(`^{way.host_regex}$`)"
    elif way.host:
        yield f"Host(`{way.host}`)"
    fold = "(?i)" if rule.ignore_case else ""
    if way.exact is not None and not rule.ignore_case:
        yield f"Path(`{unquote(way.exact)}`)"
    elif way.prefix is not None and not rule.ignore_case:
        yield f"PathPrefix(`{unquote(way.prefix)}`)"
    elif way.regex != ".*":
        yield f"PathRegexp(`{fold}^{_decoded(way.regex)}$`)"
    if rule.terms.methods is not None:
        yield _any(f"Method(`{method}`)" for method in sorted(rule.terms.methods))
    for one in rule.terms.when:
        if isinstance(one, ClientCondition):
            yield _any(f"ClientIP(`{network}`)" for network in one.networks)
        elif isinstance(one, FieldCondition):
            yield _field(one)


def _decoded(regex: str) -> str:
    """A regular expression for decoded paths, which is what Traefik's rules compare."""
    return re.sub(r"(?:%[0-9A-Fa-f]{2})+", lambda found: quoted(unquote(found[0])), regex)


def _field(one: FieldCondition) -> str:
    matcher = "Query" if one.of == "query" else "Header"
    if one.values is None:
        return f"{matcher}Regexp(`{one.name}`, `.*`)"
    return _any(f"{matcher}(`{one.name}`, `{value}`)" for value in one.values)


def _any(tests: Iterable[str]) -> str:
    listed = [*tests]
    return listed[0] if len(listed) == 1 else f"({' || '.join(listed)})"
