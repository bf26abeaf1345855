"""Envoy: a RouteConfiguration (YAML), a virtual host for each host, a route for each rule in their order.

Envoy compares paths as they were sent. A Location is built of parts (scheme, host, path), so a Location with
a fragment, with a query beside the request's, or with a capture in its query has no words here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from detour.core.rule import ClientCondition, Condition, FieldCondition, Rule
from detour.core.template import Slot, Template
from detour.formats.writers.ways import Way, keeps_query, quoted
from detour.formats.writers.writing import Cannot, Writing, Written
from detour.formats.writers.yaml_text import yaml_text

SAYS = frozenset({"methods", "header", "cookie", "query", "unless", "cache", "retry-after", "headers"})

CODES = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
Node = dict[str, Any]
_OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"


def write(rules: Iterable[Rule], now: float) -> Written:
    """A RouteConfiguration; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[Way, Node]](SAYS, now)
    routes = [pair for _, found in writing.each(rules, _route) for pair in found]
    hosts = [*dict.fromkeys(way.host for way, _ in routes if way.host), "*"]
    virtual = [
        {
            "name": host.replace("*", "any"),
            "domains": [host] if host == "*" else [host, f"{host}:*"],
            "routes": [
                *(node for way, node in routes if _covers(way, host)),
                {"match": {"prefix": "/"}, "direct_response": {"status": 404}},
            ],
        }
        for host in hosts
    ]
    return writing.written(yaml_text({"virtual_hosts": virtual}))


def _covers(way: Way, host: str) -> bool:
    """Whether a rule belongs in a virtual host."""
    if way.host in ("", host):
        return True
    return host != "*" and way.host.startswith("*") and host.endswith(way.host[1:])


def _route(way: Way) -> tuple[Way, Node] | Cannot:
    rule = way.rule
    if way.query_regex or way.port or (way.host_regex and not way.host):
        what = "a pattern with a query" if way.query_regex else "a port of its own"
        return Cannot(what if way.query_regex or way.port else "a host that is a regular expression")
    route: Node = {"name": rule.name, "match": _match(way)}
    if rule.template is None:
        return way, {**route, "direct_response": {"status": rule.status}}
    redirect = _redirect(way, rule.template)
    if isinstance(redirect, Cannot):
        return redirect
    fields = [
        {
            "header": {"key": name, "value": value.replace("%", "%%")},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
        for name, value in _fields(rule)
    ]
    more = {"response_headers_to_add": fields} if fields else {}
    return way, {**route, "redirect": redirect, **more}


def _match(way: Way) -> Node:
    rule = way.rule
    match: Node
    if way.exact is not None:
        match = {"path": way.exact}
    elif way.prefix is not None:
        match = {"prefix": way.prefix}
    else:
        fold = "(?i)" if rule.ignore_case else ""
        match = {"safe_regex": {"regex": f"{fold}{way.regex}"}}
    if rule.ignore_case and "safe_regex" not in match:
        match["case_sensitive"] = False
    headers = [*_headers(way)]
    asked = [*_parameters(rule)]
    return {
        **match,
        **({"headers": headers} if headers else {}),
        **({"query_parameters": asked} if asked else {}),
    }


def _headers(way: Way) -> Iterator[Node]:
    rule = way.rule
    if way.scheme:
        yield {"name": ":scheme", "string_match": {"exact": way.scheme}}
    if rule.terms.methods is not None:
        methods = "|".join(map(quoted, sorted(rule.terms.methods)))
        yield {"name": ":method", "string_match": {"safe_regex": {"regex": methods}}}
    for condition in rule.terms.when:
        if not isinstance(condition, FieldCondition) or condition.of != "query":
            yield _header(condition)
    for condition in rule.terms.unless:
        yield {**_header(condition), "invert_match": True, "treat_missing_header_as_empty": True}


def _header(condition: Condition) -> Node:
    assert not isinstance(condition, ClientCondition)  # not said: see SAYS
    if condition.of == "cookie":
        values = "[^;]*" if condition.values is None else "|".join(map(quoted, condition.values))
        regex = rf"(?:.*;)?\s*{quoted(condition.name)}=(?:{values})(?:;.*)?"
        return {"name": "cookie", "string_match": {"safe_regex": {"regex": regex}}}
    if condition.values is None:
        return {"name": condition.name, "present_match": True}
    return {"name": condition.name, "string_match": _one_of(condition.values)}


def _one_of(values: Iterable[str]) -> Node:
    return {"safe_regex": {"regex": "|".join(map(quoted, values))}}


def _parameters(rule: Rule) -> Iterator[Node]:
    for one in rule.terms.when:
        if isinstance(one, FieldCondition) and one.of == "query":
            asked = {"present_match": True} if one.values is None else {"string_match": _one_of(one.values)}
            yield {"name": one.name, **asked}


def _redirect(way: Way, template: Template) -> Node | Cannot:
    """The parts of a Location: scheme, host, port, path."""
    if template.fragment is not None:
        return Cannot("a Location with a fragment")
    origin = _origin(template)
    if isinstance(origin, Cannot):
        return origin
    path = _path(way, template)
    if isinstance(path, Cannot):
        return path
    strip = {} if keeps_query(way.rule) or template.query is not None else {"strip_query": True}
    return {**origin, **path, **strip, "response_code": CODES[way.rule.status]}


def _origin(template: Template) -> Node | Cannot:
    if not template.authority:
        return {}
    scheme = {"scheme_redirect": template.scheme} if template.scheme else {}
    if template.authority == (Slot("url.hostname", "authority"),):
        return scheme
    if template.chooses_host:
        return Cannot("a host that the request chooses")
    host, _, port = "".join(map(str, template.authority)).partition(":")
    return {**scheme, "host_redirect": host, **({"port_redirect": int(port)} if port else {})}


def _path(way: Way, template: Template) -> Node | Cannot:
    if any(isinstance(part, Slot) for part in template.query or ()):
        return Cannot("a capture in the query of the Location")
    fixed = all(isinstance(part, str) for part in template.path)
    if template.query is not None and (keeps_query(way.rule) or not fixed):
        return Cannot("a query in the Location beside the request's, or behind a capture")
    if fixed:
        query = "" if template.query is None else "?" + "".join(map(str, template.query))
        return {"path_redirect": "".join(map(str, template.path)) + query}
    if template.path == (Slot("url.path", "path"),):
        return {}
    numbers = {name: f"\\{number}" for number, name in enumerate(way.groups, start=1)}
    numbers |= dict.fromkeys(way.unmatched, "")
    substitution = ""
    for part in template.path:
        if isinstance(part, str):
            substitution += part.replace("\\", "\\\\")
        elif part.name in numbers:
            substitution += numbers[part.name]
        else:
            return Cannot(f"{{{part.name}}} in the path of the Location")
    fold = "(?i)" if way.rule.ignore_case else ""
    return {"regex_rewrite": {"pattern": {"regex": f"{fold}^{way.regex}$"}, "substitution": substitution}}


def _fields(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.terms.cache is not None:
        yield "cache-control", f"max-age={rule.terms.cache}"
    if rule.terms.retry_after is not None:
        yield "retry-after", str(rule.terms.retry_after)
    yield from rule.terms.headers
