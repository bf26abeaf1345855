"""Caddy's JSON (modules/caddyhttp: routes.go, staticresp.go, rewrite, headers)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.errors import NodeError, PatternError
from detour.formats.caddy.matchers import all_of, cases, negated
from detour.formats.caddy.model import (
    ALWAYS,
    Case,
    Cases,
    Handler,
    Location,
    Moves,
    Redirect,
    Refused,
    Respond,
    Route,
    StripPrefix,
    Subroute,
    Unknown,
)
from detour.formats.caddy.sites import IMPLICIT, catch_all
from detour.formats.caddy.walk import walk
from detour.formats.demand import Demand
from detour.formats.draft import Draft, LineFault
from detour.formats.yaml_nodes import Node, documents, fault

_SIGNS = re.compile(r'"apps"\s*:\s*\{')
_HTTP = re.compile(r'"http"\s*:\s*\{')
_LISTEN = re.compile(r"(?:.*/)?.*?:(\d+)(?:-\d+)?")
_ENDS = frozenset(("reverse_proxy", "file_server", "error", "acme_server", "metrics", "php_fastcgi"))


def detect(text: str) -> bool:
    """Whether a text is a configuration of Caddy's with its HTTP app."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and bool(_SIGNS.search(text) and _HTTP.search(text))


def read(text: str) -> Iterator[Draft | LineFault]:
    """The lines of every server."""
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
            continue
        try:
            http = document.get("apps", "http")
            yield from _servers(http) if http is not None else ()
        except NodeError as error:
            yield fault(error)


def _servers(http: Node) -> Iterator[Draft | LineFault]:
    ports = (http.text_at("http_port") or "80", http.text_at("https_port") or "443")
    servers = http.get("servers")
    found: list[Route] = []
    named: list[Route] = []
    last: list[Route] = []
    for server in servers.mapping.values() if servers is not None else ():
        demand = _where(server, ports)
        routes = tuple(_route(route) for route in server.list_at("routes"))
        ends = demand != Demand(scheme="http")  # there the automatic redirect comes behind it
        found.append(Route(server.line, "", (Case(demand),), (Subroute(routes),), terminal=ends))
        if demand.scheme == "https" and not (
            _is_off(server, "disable") or _is_off(server, "disable_redirects")
        ):
            named += _redirects(server, demand)
            last.append(catch_all(server.line, ""))
    found.sort(key=lambda route: not _has_hosts(route))
    hosts = sum(map(_has_hosts, found))
    yield from walk((*found[:hosts], *named, *found[hosts:], *last[:1]))


def _has_hosts(route: Route) -> bool:
    """Whether all routes of a server are for hosts: then automatic redirects come behind it."""
    [subroute] = route.handlers
    assert isinstance(subroute, Subroute)
    return all(
        not isinstance(one.cases, Unknown) and all(case.demand.host for case in one.cases)
        for one in subroute.routes
    )


def _where(server: Node, ports: tuple[str, str]) -> Demand:
    """Scheme and port of what a server listens on; of several the scheme alone."""
    listened = [found[1] for one in server.texts_at("listen") if (found := _LISTEN.fullmatch(one))]
    tls = server.get("tls_connection_policies") is not None
    if len(set(listened)) != 1:
        return Demand(scheme="https" if tls else "")
    [port] = set(listened)
    if port in ("80", ports[0]):
        return Demand(scheme="http")
    if port in ("443", ports[1]):
        return Demand(scheme="https")
    named = any(True for _ in _hosts(server))
    scheme = "https" if tls or (named and not _is_off(server, "disable")) else "http"
    return Demand(scheme=scheme, port=port)


def _is_off(server: Node, key: str) -> bool:
    automatic = server.get("automatic_https")
    return automatic is not None and bool(automatic.boolean_at(key))


def _hosts(server: Node) -> Iterator[str]:
    for route in server.list_at("routes"):
        for matcher in route.list_at("match"):
            yield from matcher.texts_at("host")


def _redirects(server: Node, demand: Demand) -> Iterator[Route]:
    """The redirects to https that nobody wrote."""
    port = f":{demand.port}" if demand.port else ""
    to = Redirect(f"https://{{host}}{port}{{uri}}", "308")
    automatic = server.get("automatic_https")
    skipped = automatic.texts_at("skip") if automatic is not None else ()
    for host in dict.fromkeys(_hosts(server)):
        if host not in skipped:
            found = cases({"host": ((host,),), "protocol": (("http",),)})
            yield Route(server.line, "", found, (to,), terminal=True, implicit=IMPLICIT)


# ---- routes


def _route(route: Node) -> Route:
    handlers = tuple(handler for node in route.list_at("handle") for handler in _handlers(node))
    line = next((node.line for node in route.list_at("handle") if _location(node) is not None), route.line)
    return Route(
        line,
        "",
        _matchers(route.list_at("match")),
        handlers,
        route.text_at("group") or "",
        bool(route.boolean_at("terminal")),
    )


def _matchers(sets: tuple[Node, ...]) -> Cases:
    """One of the sets must match."""
    made: list[Case] = []
    for one in sets:
        found = _set(one)
        if isinstance(found, Unknown):
            return found
        made += found
    return tuple(made) if sets else ALWAYS


def _set(matcher: Node) -> Cases:
    values: dict[str, tuple[tuple[str, ...], ...]] = {}
    excluded: list[Cases] = []
    try:
        for name, node in matcher.mapping.items():
            if name == "not":
                excluded += (negated(_set(one)) for one in node.sequence)
            else:
                values[name] = tuple(_values(name, node))
        return all_of([cases(values), *excluded])
    except (PatternError, NodeError) as error:
        return Unknown(error.fact, error.remedy)


def _values(name: str, node: Node) -> Iterator[tuple[str, ...]]:
    """A matcher's arguments as a Caddyfile has them."""
    match name:
        case "path" | "host" | "method":
            yield tuple(one.text for one in node.sequence)
        case "protocol":
            yield (node.text,)
        case "query":
            yield tuple(
                f"{key}={one.text}" for key, listed in node.mapping.items() for one in listed.sequence
            )
        case "header":
            for field, listed in node.mapping.items():
                yield (
                    (field, *(one.text for one in listed.sequence)) if not listed.is_null else (f"!{field}",)
                )
        case "path_regexp":
            yield (node.text_at("name") or "", node.text_at("pattern") or "")
        case "header_regexp":
            for field, regex in node.mapping.items():
                yield (regex.text_at("name") or "", field, regex.text_at("pattern") or "")
        case "expression":
            yield ((node.text_at("expr") or "") if node.is_mapping else node.text,)
        case "vars_regexp":
            for variable, regex in node.mapping.items():
                yield (regex.text_at("name") or "", variable, regex.text_at("pattern") or "")
        case "remote_ip" | "client_ip":
            yield node.texts_at("ranges")


def _location(handler: Node) -> Node | None:
    headers = handler.get("headers")
    for name, values in headers.mapping.items() if headers is not None and headers.is_mapping else ():
        if name.lower() == "location" and values.is_sequence and values.sequence:
            return values.sequence[0]
    return None


def _handlers(node: Node) -> Iterator[Handler]:
    kind = node.text_at("handler") or ""
    match kind:
        case "static_response":
            location, status = _location(node), node.text_at("status_code") or "200"
            if location is not None and (status.startswith("3") or "{" in status):
                yield Redirect(location.text, status)
            else:
                yield Respond(status)
        case "subroute":
            yield Subroute(tuple(_route(route) for route in node.list_at("routes")))
            if _redirects_errors(node):
                yield Refused("errors are answered with a redirect", "redirect the requests that are meant")
        case "rewrite":
            yield from _rewrite(node)
        case "headers":
            for action in ("set", "add"):
                fields = node.get("response", action)
                for name, values in fields.mapping.items() if fields is not None else ():
                    if name.lower() == "location" and values.sequence:
                        yield Location(values.sequence[0].text)
        case _ if kind in _ENDS:
            yield Respond()


def _rewrite(node: Node) -> Iterator[Handler]:
    others = [key for key in node.mapping if key not in ("handler", "strip_path_prefix", "method")]
    prefix = node.text_at("strip_path_prefix")
    if others:
        yield Moves(f"rewrite {others[0]}")
    elif prefix is not None:
        yield StripPrefix("/" + prefix.strip("/"))


def _redirects_errors(node: Node) -> bool:
    errors = node.get("errors")
    routes = errors.list_at("routes") if errors is not None else ()
    return any(_route(route).redirects for route in routes)
