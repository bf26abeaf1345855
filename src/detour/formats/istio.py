"""Istio: VirtualService and the Gateways of the same file.

Read (istio/api, networking/v1/virtual_service.proto and gateway.proto; istio/istio,
pilot/pkg/networking/core/route):

- `http[].redirect`: `uri` (replaces the whole path), `authority`, `scheme`, `port`, `derivePort`,
  `redirectCode` (301, 302, 303, 307, 308; default 301). The request's query is kept. Envoy keeps a port
  that stands in the request when only the scheme changes.
- `http[].match[]`: `uri`, `ignoreUriCase`, `scheme`, `method`, `authority`, `headers`, `withoutHeaders`,
  `queryParams`, `port`. A prefix goes by characters: `/a` matches `/ab`. A regular expression (RE2)
  matches the whole path, or the value. A match for GET takes HEAD, too.
- Order: the host named most exactly, then as written; a host that is named answers from its own routes
  or not at all. `route`, `directResponse` are a `pass`, where they hide a redirect.
- `tls.httpsRedirect` of a Gateway's server: 301 to https, before all routes.

Where only the scheme changes, a redirect is read for the other scheme alone: on its own it would be a loop.

Not read: fields and parameters matched by prefix or regular expression, `sourceLabels`, `sourceNamespace`,
`statPrefix`, `delegate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from detour.core.rule import FieldCondition
from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.kubernetes import Resource, detects, of_dialect
from detour.formats.numbers import whole
from detour.formats.redirects_file import PartError
from detour.formats.routes import (
    SAME_PATH,
    Line,
    beginning,
    everywhere,
    exactly,
    fixed_path,
    header_is,
    host_rank,
    methods,
    origin,
    parameter_is,
    redirect_status,
    whole_path,
    without_idle_passes,
)
from detour.formats.yaml_nodes import Node, fault

DEFAULT_STATUS = 301

_GROUP = "networking.istio.io"
_OTHER_SCHEME = {"http": "https", "https": "http"}
_ANY_VALUE = ("*", ".*", ".+")
_UNREAD = ("sourceLabels", "sourceNamespace", "statPrefix")
_IMPLICIT = "the Gateway's `httpsRedirect`"


def detect(text: str) -> bool:
    """Whether a text holds a VirtualService, or a Gateway of Istio's."""
    return detects(text, _GROUP, "VirtualService", "Gateway")


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each redirect, restated, in the order in which the first that fits answers."""
    first: list[Line] = []
    tables: list[tuple[str, Line]] = []
    for one in of_dialect(text, "istio", (_GROUP, "VirtualService"), (_GROUP, "Gateway")):
        if isinstance(one, LineFault):
            yield one
            continue
        try:
            if one.kind == "Gateway":
                first += _gateway(one)
            else:
                tables += _service(one)
        except NodeError as error:
            yield fault(error)
    tables.sort(key=lambda entry: (*host_rank(entry[0]), entry[0]))
    yield from first
    yield from without_idle_passes(_closed(tables))


def _closed(tables: list[tuple[str, Line]]) -> Iterator[Line]:
    """The lines of each host, then a `pass` for what none of them takes."""
    for place, (host, line) in enumerate(tables):
        yield line
        last = place + 1 == len(tables) or tables[place + 1][0] != host
        if last and host not in ("", "*"):
            yield Draft(line.line, everywhere(origin(host)))


def _gateway(gateway: Resource) -> Iterator[Line]:
    spec = gateway.get("spec")
    for server in spec.list_at("servers") if spec is not None else ():
        tls, port = server.get("tls"), server.get("port")
        if tls is None or not tls.boolean_at("httpsRedirect"):
            continue
        number = port.integer_at("number") if port is not None else None
        for host in server.texts_at("hosts"):
            at = origin(host.rpartition("/")[2], "http", number)
            to = "https://{url.hostname}:{url.port}{url.path}"
            yield Draft(tls.line_of("httpsRedirect"), everywhere(at), to, 301, implicit=_IMPLICIT)


def _service(service: Resource) -> Iterator[tuple[str, Line]]:
    spec = service.get("spec")
    if spec is None:
        return
    hosts = spec.texts_at("hosts") or ("*",)
    for route in spec.list_at("http"):
        for match in route.list_at("match") or (None,):
            for host in hosts:
                for line in _lines(route, match, host):
                    yield host, line


def _lines(route: Node, match: Node | None, host: str) -> Iterator[Line]:
    redirect = route.get("redirect")
    line = route.line_of("redirect")
    pattern: str | None = None
    ignore_case = False
    try:
        ignore_case = bool(match and match.boolean_at("ignoreUriCase"))
        at = _origin(match, redirect, host)
        pattern = at + _path(match)
        asked = _exact(match, "method")
        draft = Draft(
            line,
            pattern,
            methods=methods(asked) if asked else None,
            when=tuple(
                _conditions(match, "headers", header_is) + _conditions(match, "queryParams", parameter_is)
            ),
            unless=tuple(_conditions(match, "withoutHeaders", header_is)),
            ignore_case=ignore_case,
        )
        _refuse_unread(route, match)
        yield draft if redirect is None else _redirected(draft, redirect)
    except NodeError as error:
        yield LineFault(error.line, error.fact, error.remedy, pattern, ignore_case=ignore_case)
    except PartError as refusal:
        yield LineFault(line, refusal.fact, refusal.remedy, pattern, ignore_case=ignore_case)


def _redirected(draft: Draft, redirect: Node) -> Draft:
    return Draft(
        draft.line,
        draft.pattern,
        _location(redirect),
        redirect_status(redirect.integer_at("redirectCode")),
        ignore_case=draft.ignore_case,
        methods=draft.methods,
        when=draft.when,
        unless=draft.unless,
    )


def _refuse_unread(route: Node, match: Node | None) -> None:
    if (delegate := route.get("delegate")) is not None:
        raise NodeError(delegate.line, "the routes are another VirtualService's", "read that one")
    for key in _UNREAD if match is not None else ():
        if key != "statPrefix" and match is not None and (found := match.get(key)) is not None:
            raise NodeError(found.line, f"`{key}` asks who sends the request", "no condition says that")


# ---- matches


def _exact(match: Node | None, key: str) -> str | None:
    """The one value that a match asks for; raises `NodeError` where it may have several."""
    found = match.get(key) if match is not None else None
    if found is None:
        return None
    exact = found.text_at("exact")
    if exact is None:
        raise NodeError(found.line, f"`{key}` is not matched exactly", "write a match for each value")
    return exact


def _origin(match: Node | None, redirect: Node | None, host: str) -> str:
    scheme = _exact(match, "scheme") or ""
    authority = _exact(match, "authority")
    port = match.integer_at("port") if match is not None else None
    if authority is not None:
        host, _, written = authority.partition(":")
        port = whole(written) if written.isascii() and written.isdigit() else port
    if not scheme and port is None and redirect is not None:
        to = redirect.text_at("scheme")
        if to in _OTHER_SCHEME and not any(redirect.get(key) for key in ("uri", "authority", "port")):
            scheme = _OTHER_SCHEME[to]
    return origin(host, scheme, port)


def _path(match: Node | None) -> str:
    uri = match.get("uri") if match is not None else None
    if uri is None:
        return "/*"
    if (exact := uri.text_at("exact")) is not None:
        return exactly(exact)
    if (prefix := uri.text_at("prefix")) is not None:
        if not prefix.startswith("/"):
            raise PatternError(f"the prefix {prefix!r} does not begin with a slash", f"write `/{prefix}`")
        return beginning(prefix)[0][0]
    regex = uri.text_at("regex") or ""
    return "/*" if regex in (".*", "/.*") else whole_path(regex)


def _conditions(match: Node | None, key: str, make: Callable[..., FieldCondition]) -> list[FieldCondition]:
    found = match.get(key) if match is not None else None
    return [] if found is None else [_condition(name, node, make) for name, node in found.mapping.items()]


def _condition(name: str, node: Node, make: Callable[..., FieldCondition]) -> FieldCondition:
    if node.is_null or not node.mapping:
        return make(name)
    if (exact := node.text_at("exact")) is not None:
        return make(name, exact)
    if node.text_at("regex") in _ANY_VALUE:
        return make(name)
    raise NodeError(node.line, f"{name} is not matched exactly", "write a match for each value")


# ---- the Location


def _location(redirect: Node) -> str:
    """The template of a redirect; raises `NodeError`, `TemplateError`, `URLError`."""
    uri, authority = redirect.text_at("uri"), redirect.text_at("authority")
    scheme, port = redirect.text_at("scheme") or "", redirect.integer_at("port")
    if uri is not None and uri.startswith("%"):
        raise TemplateError(f"the uri {uri!r} is Istio's own notation", "write a path")
    if scheme not in ("", "http", "https"):
        raise TemplateError(f"a redirect to the scheme {scheme!r}", "write http or https")
    if not scheme and not authority and port is None:
        return SAME_PATH if uri is None else fixed_path(uri)
    path = "{url.path}" if uri is None else fixed_path(uri)
    host = authority or "{url.hostname}"
    if port is not None:
        host += f":{port}"
    elif redirect.text_at("derivePort") == "FROM_REQUEST_PORT" or not authority:
        host += ":{url.port}"
    return f"{scheme}:" * bool(scheme) + f"//{host}{path}"
