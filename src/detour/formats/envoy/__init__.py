"""Envoy: route configurations, alone or in a bootstrap (YAML, JSON).

Read (envoyproxy/envoy, api/envoy/config/route/v3/route_components.proto and
source/common/router/config_impl.cc, 1.40):

- Virtual hosts by `domains`: a name, the longest `*.example.com`, the longest `www.*`, `*`; a domain may
  hold a port. A request answers from one virtual host or not at all.
- Routes in order; `prefix` goes by characters, `path_separated_prefix` by segments, `path` and
  `safe_regex` are the whole path; `case_sensitive`; `headers` and `query_parameters` with whole values or
  their presence, `invert_match`; `:method`, `:scheme`. A match for GET takes HEAD, too.
- `redirect`: `https_redirect`, `scheme_redirect`, `host_redirect`, `port_redirect`, `path_redirect` (its
  query replaces the request's), `prefix_rewrite`, `regex_rewrite` (anchored with `^`), `strip_query`,
  `response_code` (default 301).
- `direct_response` with a 3xx status and a Location of its own in `response_headers_to_add`.
- `require_tls`: 301 to https in front of all routes, implicit; `EXTERNAL_ONLY` unless the request carries
  `x-envoy-internal: true`.
- `route`, `direct_response` and what else answers are a `pass`, where they hide a redirect.
- Listeners tell http from https by their `transport_socket`; several of one scheme are told apart by port.
  Routes of a file of their own, or fetched by name (`rds`) from the same file, go with their listener.

Where a listener is not known and only the scheme changes, a redirect is read for the other scheme alone: on
its own it would be a loop.

Not read: fields and parameters matched by parts or by number, `runtime_fraction`, `grpc`, `tls_context`,
`dynamic_metadata`, `path_match_policy`; `regex_rewrite` that may replace several parts of a path; weighted
virtual hosts (`matcher`). What Lua, WebAssembly and other filters answer is not known; neither is what
`internal_redirect_policy` makes of an upstream's redirects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from detour.core.rule import FieldCondition
from detour.errors import NodeError
from detour.formats.draft import Draft, LineFault
from detour.formats.envoy import fields
from detour.formats.envoy.fields import field, is_set, items
from detour.formats.envoy.routes import Host, Listener, route_lines
from detour.formats.routes import Line, origin
from detour.formats.told_once import told_once
from detour.formats.yaml_nodes import Node, documents, fault

DEFAULT_STATUS = 301

_HOSTS = re.compile(r"[\"']?(?:virtual_hosts|virtualHosts)[\"']?\s*:")
_INSIDE = re.compile(r"[\"']?(?:domains|routes|name)[\"']?\s*:")
_BOOTSTRAP = re.compile(r"[\"']?(?:static_resources|staticResources)[\"']?\s*:")
_TYPE = re.compile(r"type\.googleapis\.com/envoy\.config\.route\.v3\.")
_IMPLICIT = "the virtual host's `require_tls`"
_SAME_IN_TLS = "https://{url.hostname}:{url.port}{url.path}"


class _Table(msgspec.Struct, frozen=True, eq=False):
    """A RouteConfiguration and the listener that goes by it."""

    node: Node
    listener: Listener


def detect(text: str) -> bool:
    """Whether a text holds Envoy's virtual hosts, or is a bootstrap; only looked at, not parsed."""
    if _HOSTS.search(text) and _INSIDE.search(text):
        return True
    return _TYPE.search(text) is not None or (_BOOTSTRAP.search(text) is not None and "listeners" in text)


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each route, restated, in the order in which the first that fits answers."""
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
            continue
        try:
            for table in _tables(document):
                yield from told_once(_table(table))
        except NodeError as error:
            yield fault(error)


# ---- where route configurations stand


def _tables(document: Node) -> list[_Table]:
    """Every route configuration of a document, with its listener where that stands in it, too."""
    listeners: list[tuple[Node, Listener]] = []  # connection managers
    found: dict[int, Node] = {}
    for node in _walk(document):
        if (chains := field(node, "filter_chains")) is not None and chains.is_sequence:
            listeners += _managers(node, chains)
        if field(node, "virtual_hosts") is not None:
            found[id(node)] = node
    tables: list[_Table] = []
    for manager, listener in _told_apart(listeners):
        config = field(manager, "route_config") or _fetched(manager, found)
        if config is not None and field(config, "virtual_hosts") is not None:
            tables.append(_Table(config, listener))
    taken = {id(table.node) for table in tables}
    return tables + [_Table(node, Listener()) for key, node in found.items() if key not in taken]


def _walk(document: Node) -> Iterator[Node]:
    """Every table of a document, in order."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, tuple):
            waiting += reversed(node.value)
        elif not isinstance(node.value, str):
            yield node
            waiting += reversed(tuple(node.value.values()))


def _managers(listener: Node, chains: Node) -> Iterator[tuple[Node, Listener]]:
    address = field(field(listener, "address"), "socket_address")
    port = field(address, "port_value")
    number = int(port.text) if port is not None and port.text.isdecimal() and len(port.text) < 6 else None
    for chain in chains.sequence:
        tls = field(chain, "transport_socket") or field(chain, "tls_context")
        for node in _walk(chain):
            if field(node, "route_config") is not None or field(node, "rds") is not None:
                yield node, Listener("http" if tls is None else "https", number)


def _told_apart(found: list[tuple[Node, Listener]]) -> Iterator[tuple[Node, Listener]]:
    """The listeners with what of scheme and port is needed to tell them apart."""
    known = {listener for _, listener in found}
    for manager, listener in found:
        alike = [one for one in known if one.scheme == listener.scheme]
        yield manager, listener if len(alike) > 1 else Listener(listener.scheme)


def _fetched(manager: Node, found: dict[int, Node]) -> Node | None:
    """The configuration that a connection manager fetches by name, where the file holds it."""
    name = fields.text(field(manager, "rds"), "route_config_name")
    named = (node for node in found.values() if name is not None and fields.text(node, "name") == name)
    return next(named, None)


# ---- virtual hosts


def _table(table: _Table) -> Iterator[Line]:
    node = table.node
    any_port = is_set(node, "ignore_port_in_host_matching")
    entries: list[tuple[tuple[int, int], Host, Node]] = []
    for virtual in items(node, "virtual_hosts"):
        for domain in items(virtual, "domains"):
            entries.append((_rank(domain.text), _host(domain, table.listener, any_port), virtual))
    entries.sort(key=lambda entry: entry[0])
    hosts = [(host, virtual, _lines(host, virtual)) for _, host, virtual in entries]
    last = max((place for place, (_, _, lines) in enumerate(hosts) if _redirects(lines)), default=-1)
    for place, (host, virtual, lines) in enumerate(hosts):
        yield from _needed(lines, to_end=place < last)
        if place < last and host.at:
            yield Draft(virtual.line, f"{host.at}/*")


def _redirects(lines: list[tuple[bool, Line]]) -> bool:
    return any(not passes for passes, _ in lines)


def _needed(lines: list[tuple[bool, Line]], *, to_end: bool) -> Iterator[Line]:
    """The lines without what answers otherwise and hides nothing."""
    kept = [place for place, (passes, _) in enumerate(lines) if not passes]
    end = len(lines) if to_end else max(kept, default=-1) + 1
    return (line for _, line in lines[:end])


def _rank(domain: str) -> tuple[int, int]:
    """Sorts domains by precedence: names, the longest suffixes, the longest prefixes, any."""
    if domain == "*":
        return 3, 0
    if domain.startswith("*"):
        return 1, -len(domain)
    return (2, -len(domain)) if domain.endswith("*") else (0, 0)


_DOMAIN = re.compile(r"(\*)?([^*:\[\]]*|\[[^\]]*\])(\*)?(?::([0-9]+|\*))?")


def _host(domain: Node, listener: Listener, any_port: bool) -> Host:
    """A domain as the pattern of an origin; raises `NodeError` where it is none."""
    text = domain.text.lower()
    found = _DOMAIN.fullmatch(text)
    if found is None or (found[1] and found[3]):
        raise NodeError(
            domain.line, f"the domain {text!r} is no domain", "write example.com or *.example.com"
        )
    before, name, behind, port = found.groups()
    if not name:
        return Host(origin("", listener.scheme, listener.port), listener)
    if before or behind:
        name = f"{'*' if before else ''}{origin(name).removeprefix('//')}{'(.+)' if behind else ''}"
        at = f"{listener.scheme}:" * bool(listener.scheme) + f"//{name}"
    else:
        at = origin(name, listener.scheme)
    if port is not None and port != "*":
        at = origin(name, listener.scheme, int(port)) if not (before or behind) else f"{at}:{port}"
    elif port == "*" or any_port or behind:
        at += ":*"
    elif listener.port is not None:
        at = (
            origin(name, listener.scheme, listener.port)
            if not (before or behind)
            else f"{at}:{listener.port}"
        )
    return Host(at, listener)


def _lines(host: Host, virtual: Node) -> list[tuple[bool, Line]]:
    """The lines of one virtual host, each with whether it is of a route that does not redirect."""
    found: list[tuple[bool, Line]] = []
    tls = field(virtual, "require_tls")
    wanted = "" if tls is None else tls.text.upper()  # the old API has lower case
    if wanted in ("ALL", "EXTERNAL_ONLY") and host.listener.scheme != "https" and tls is not None:
        inside = FieldCondition("x-envoy-internal", ("true",), "header")
        unless = (inside,) if wanted == "EXTERNAL_ONLY" else ()
        at = host.of_scheme("http")
        draft = Draft(tls.line, f"{at}/*", _SAME_IN_TLS, 301, unless=unless, implicit=_IMPLICIT)
        found.append((False, draft))
    for route in items(virtual, "routes"):
        found += route_lines(route, host)
    if (matcher := field(virtual, "matcher")) is not None:
        fact = "the routes are a tree of matchers"
        found.append((False, LineFault(matcher.line, fact, "write `routes`", f"{host.at}/*")))
    return found
