"""Kubernetes Gateway API: HTTPRoute, with the Gateways of the same file.

Read (kubernetes-sigs/gateway-api, apis/v1/httproute_types.go, v1.5):

- The filter `RequestRedirect`: `scheme`, `hostname`, `port`, `path` (`ReplaceFullPath`,
  `ReplacePrefixMatch`), `statusCode` (301, 302, 303, 307, 308; default 302). The request's query is kept.
- Matches: `path` (`Exact`, `PathPrefix`, `RegularExpression`), `method`, `headers`, `queryParams`;
  hostnames of the route within those of the listener. A match for GET takes HEAD, too.
- Prefixes go segment by segment, and `ReplacePrefixMatch` joins with one slash, as the table at
  `HTTPPathModifier` has it: `/foo` for `/foo/bar` with `/xyz/` yields `/xyz/bar`; replaced by nothing,
  `/bar`.
- Without `port`, the port of the Location is the one of `scheme`, if that is named, else the
  listener's; 80 and 443 are left out with their scheme.
- Order: the hostname that names the request's most exactly; then `Exact` before
  `RegularExpression` before the longest `PathPrefix` (where regular expressions stand is the
  implementation's choice: this is Envoy Gateway's and NGINX Gateway Fabric's); then a method, more
  headers, more parameters; then the older route, its name, the order within it.
- A request whose hostname a route names answers from that hostname's rules or not at all.
- A regular expression matches the whole path, as in implementations on Envoy.
- What a rule forwards (`backendRefs`) is a `pass`, where it hides a redirect.

Listeners: where the Gateway that a route refers to stands in the same file, its listeners' protocol,
port and hostname are part of the pattern. Where it does not, routes answer for both schemes; but a
redirect that changes nothing but the scheme is read for the other scheme alone, because on its own it
would be a loop.

Not read: headers or parameters matched by `RegularExpression` (unless it lets every value pass), and what
extensions (`ExtensionRef`) do. TLSRoute, TCPRoute and GRPCRoute never redirect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from detour.core.rule import Condition
from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.kubernetes import Resource, detects, of_dialect
from detour.formats.redirects_file import PartError
from detour.formats.routes import (
    SAME_PATH,
    Line,
    everywhere,
    exactly,
    fixed_path,
    header_is,
    host_rank,
    methods,
    origin,
    parameter_is,
    redirect_status,
    under,
    whole_path,
    without_idle_passes,
)
from detour.formats.yaml_nodes import Node, fault

DEFAULT_STATUS = 302

_GROUP = "gateway.networking.k8s.io"
_SCHEMES = {"HTTP": "http", "HTTPS": "https"}  # of a listener's protocol
_OTHER_SCHEME = {"http": "https", "https": "http"}
_SAME = "{url.path}"
_RANKS = {"Exact": 0, "RegularExpression": 1, "PathPrefix": 2}
_ANY_VALUE = frozenset((".*", ".+", "^.*$", "^.+$", "(.*)", "(.+)"))


class _Listener(msgspec.Struct, frozen=True):
    """Where requests come in; all unknown where the Gateway is not in the file."""

    hostname: str = ""
    scheme: str = ""
    port: int | None = None
    name: str = ""


class _Match(msgspec.Struct, frozen=True):
    """One match of a rule, as written."""

    kind: str  # of the path
    path: str
    method: str | None
    headers: tuple[Node, ...]
    parameters: tuple[Node, ...]


class _Entry(msgspec.Struct, frozen=True, eq=False):
    """What one match of one rule yields at one listener and host, and where it stands in the order."""

    order: tuple[Any, ...]
    host: str
    closing: Draft  # what a request for this host gets that no rule of it takes
    lines: tuple[Line, ...]


def detect(text: str) -> bool:
    """Whether a text holds an HTTPRoute."""
    return detects(text, _GROUP, "HTTPRoute")


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each match of each route, restated, in the order in which the first that fits answers."""
    found = list(of_dialect(text, "gateway-api", (_GROUP, "HTTPRoute"), (_GROUP, "Gateway")))
    yield from (one for one in found if isinstance(one, LineFault))
    known = [one for one in found if isinstance(one, Resource)]
    gateways: dict[tuple[str, str], tuple[_Listener, ...]] = {}
    entries: list[_Entry] = []
    faults: list[LineFault] = []
    for resource in known:
        if resource.kind == "Gateway":
            try:
                gateways[resource.key] = tuple(_listeners(resource))
            except NodeError as error:
                faults.append(fault(error))
    for resource in known:
        if resource.kind == "HTTPRoute":
            try:
                entries += _route(resource, gateways)
            except NodeError as error:
                faults.append(fault(error))
    yield from faults
    yield from without_idle_passes(_in_order(entries))


def _in_order(entries: list[_Entry]) -> Iterator[Line]:
    entries = sorted(entries, key=lambda entry: entry.order)
    for place, entry in enumerate(entries):
        yield from entry.lines
        last = place + 1 == len(entries) or entries[place + 1].closing.pattern != entry.closing.pattern
        if last and entry.host:
            yield entry.closing


# ---- listeners and hosts


def _listeners(gateway: Resource) -> Iterator[_Listener]:
    spec = gateway.get("spec")
    for node in spec.list_at("listeners") if spec is not None else ():
        scheme = _SCHEMES.get(node.text_at("protocol") or "")
        if scheme:
            yield _Listener(
                node.text_at("hostname") or "", scheme, node.integer_at("port"), node.text_at("name") or ""
            )


def _attached(route: Resource, gateways: dict[tuple[str, str], tuple[_Listener, ...]]) -> list[_Listener]:
    """The listeners that a route answers at; one of which nothing is known where its Gateway is elsewhere."""
    spec = route.get("spec")
    parents = spec.list_at("parentRefs") if spec is not None else ()
    found: list[_Listener] = []
    for parent in parents:
        key = parent.text_at("namespace") or route.namespace, parent.text_at("name") or ""
        listeners = gateways.get(key)
        if listeners is None:
            found.append(_Listener())
            continue
        section, port = parent.text_at("sectionName"), parent.integer_at("port")
        found += (one for one in listeners if section in (None, one.name) and port in (None, one.port))
    return list(dict.fromkeys(found)) if parents else [_Listener()]


def _hosts(listener: _Listener, hostnames: tuple[str, ...]) -> Iterator[str]:
    """The hosts that a route names and the listener lets in."""
    for host in hostnames or ("",):
        both = _intersection(listener.hostname, host)
        if both is not None:
            yield both


def _intersection(one: str, other: str) -> str | None:
    if not one or not other or one == other:
        return one or other
    for wide, narrow in ((one, other), (other, one)):
        if wide.startswith("*.") and narrow.removeprefix("*").endswith(wide[1:]):
            return narrow
    return None


# ---- routes


def _route(route: Resource, gateways: dict[tuple[str, str], tuple[_Listener, ...]]) -> Iterator[_Entry]:
    spec = route.get("spec")
    if spec is None:
        return
    hostnames = spec.texts_at("hostnames")
    age = (route.created or "~", *route.key)
    places = [
        (listener, host) for listener in _attached(route, gateways) for host in _hosts(listener, hostnames)
    ]
    for number, rule in enumerate(spec.list_at("rules")):
        for match in _matches(rule):
            specific = (
                _RANKS.get(match.kind, len(_RANKS)),
                -len(match.path),
                match.method is None,
                -len(match.headers),
                -len(match.parameters),
            )
            for listener, host in places:
                at = origin(host, listener.scheme, listener.port)
                order = (*host_rank(host), at, *specific, *age, number)
                lines = tuple(_lines(rule, match, listener, host, at))
                yield _Entry(order, host, Draft(route.node.line, everywhere(at)), lines)


def _matches(rule: Node) -> Iterator[_Match]:
    for match in rule.list_at("matches") or (None,):
        if match is None:
            yield _Match("PathPrefix", "/", None, (), ())
            continue
        path = match.get("path")
        yield _Match(
            (path.text_at("type") if path is not None else None) or "PathPrefix",
            (path.text_at("value") if path is not None else None) or "/",
            match.text_at("method"),
            match.list_at("headers"),
            match.list_at("queryParams"),
        )


def _lines(rule: Node, match: _Match, listener: _Listener, host: str, at: str) -> Iterator[Line]:
    """What one match yields: a redirect, a pass, or what of it cannot be expressed."""
    filters = [one for one in rule.list_at("filters") if one.text_at("type") == "RequestRedirect"]
    redirect = filters[0].get("requestRedirect") if filters else None
    line = filters[0].line if filters else rule.line
    asked = methods(match.method) if match.method else None
    pattern = None
    try:
        patterns = _patterns(match)
        if filters and redirect is not None and not listener.scheme:
            at = _for_other_scheme(redirect, host, at)
        pattern = at + patterns[0][0]
        when = (*_conditions(match.headers, header_is), *_conditions(match.parameters, parameter_is))
        for path, rest in patterns:
            pattern = at + path
            if not filters:
                yield Draft(line, pattern, methods=asked, when=when)
                continue
            location = _location(redirect, match, listener, rest)
            status = redirect_status(redirect.integer_at("statusCode") if redirect is not None else None)
            yield Draft(line, pattern, location, status, methods=asked, when=when)
    except NodeError as error:
        yield LineFault(error.line, error.fact, error.remedy, pattern, methods=asked)
    except PartError as refusal:
        yield LineFault(line, refusal.fact, refusal.remedy, pattern, methods=asked)


def _patterns(match: _Match) -> tuple[tuple[str, str], ...]:
    """Patterns of the path, each with what `ReplacePrefixMatch` adds; raises `PatternError`."""
    if match.kind == "PathPrefix":
        return under(match.path)
    if match.kind == "Exact":
        return ((exactly(match.path), ""),)
    if match.kind == "RegularExpression":
        return ((whole_path(match.path), ""),)
    raise PatternError(
        f"the path match `{match.kind}` is unknown", "use Exact, PathPrefix or RegularExpression"
    )


def _conditions(nodes: Iterable[Node], make: Any) -> Iterator[Condition]:
    for node in nodes:
        name, value = node.text_at("name") or "", node.text_at("value") or ""
        kind = node.text_at("type") or "Exact"
        if kind == "Exact":
            yield make(name, value)
        elif value in _ANY_VALUE:
            yield make(name)
        else:
            raise NodeError(
                node.line,
                f"{name} is matched by a regular expression",
                "list the values in matches of their own, type Exact",
            )


# ---- the Location


def _for_other_scheme(redirect: Node, host: str, at: str) -> str:
    """The origin of a redirect at an unknown listener: where only the scheme changes, the other scheme's."""
    scheme = redirect.text_at("scheme")
    if scheme in _OTHER_SCHEME and not any(redirect.get(key) for key in ("hostname", "port", "path")):
        return origin(host, _OTHER_SCHEME[scheme])
    return at


def _location(redirect: Node | None, match: _Match, listener: _Listener, rest: str) -> str:
    """The template of a RequestRedirect; raises `NodeError`, `TemplateError`, `URLError`."""
    if redirect is None:
        return SAME_PATH
    scheme = redirect.text_at("scheme") or ""
    if scheme not in ("", "http", "https"):
        raise TemplateError(f"a redirect to the scheme {scheme!r}", "write http or https")
    hostname, port = redirect.text_at("hostname"), redirect.integer_at("port")
    path = _new_path(redirect, match, rest)
    if not scheme and not hostname and port is None:
        return SAME_PATH if path == _SAME else path
    said = port if port is not None or scheme else listener.port
    authority = hostname or "{url.hostname}"
    if said is not None:
        authority += f":{said}"
    elif not scheme and not listener.scheme:
        authority += ":{url.port}"
    return f"{scheme}:" * bool(scheme) + f"//{authority}{path}"


def _new_path(redirect: Node, match: _Match, rest: str) -> str:
    path = redirect.get("path")
    if path is None:
        return _SAME
    kind = path.text_at("type") or ""
    if kind == "ReplaceFullPath":
        return fixed_path(path.text_at("replaceFullPath") or "")
    if kind == "ReplacePrefixMatch" and match.kind == "PathPrefix":
        new = path.text_at("replacePrefixMatch") or ""
        return (fixed_path(new).rstrip("/") + rest) or "/"
    raise NodeError(
        path.line,
        f"`{kind}` with a path matched by {match.kind}",
        "use ReplaceFullPath, or match a PathPrefix",
    )
