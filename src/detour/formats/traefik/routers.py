"""Traefik's routers and entry points as native lines, in the order in which they are asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.demand import ANY, Demand, ask, both
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import PartError
from detour.formats.routes import Line, beginning
from detour.formats.traefik.replacements import replaced
from detour.formats.traefik.rules import alternatives, at_any_port
from detour.formats.traefik.sources import Configuration, Router, field, listed, truth
from detour.formats.yaml_nodes import Node

_FIRST = 1 << 62  # an entry point's redirections come before routers
_SECURE = ("https", "websecure", "web-secure")
_OTHER_SCHEME = {"http": "https", "https": "http"}
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MOVES = ("addPrefix", "replacePath", "replacePathRegex", "stripPrefixRegex")
_TELLS = re.compile(r"redirect|https|www", re.IGNORECASE)


class _Step(msgspec.Struct, frozen=True, eq=False):
    """One middleware of a router's, chains taken apart."""

    kind: str
    node: Node


class _Entry(msgspec.Struct, frozen=True, eq=False):
    """What one router yields, and where it stands in the order."""

    priority: int
    lines: tuple[Line, ...]
    passes: tuple[Line, ...]  # what it answers otherwise


def lines(found: Configuration) -> Iterator[Line]:
    """Every line of a configuration, without what answers otherwise and hides nothing."""
    entries = [
        entry for name, point in found.entry_points.items() for entry in _entry_point(name, point, found)
    ]
    entries += [_router(router, found) for router in found.routers]
    entries.sort(key=lambda entry: -entry.priority)
    last = max((place for place, entry in enumerate(entries) if entry.lines), default=-1)
    for place, entry in enumerate(entries[: last + 1]):
        yield from entry.lines
        if place < last:
            yield from entry.passes


# ---- entry points


def _entry_point(name: str, point: Node, found: Configuration) -> Iterator[_Entry]:
    redirection = field(point, "http", "redirections", "entryPoint")
    if redirection is None:
        return
    try:
        to, scheme, priority = (field(redirection, key) for key in ("to", "scheme", "priority"))
        target = "https" if scheme is None else scheme.text
        port = _port_of("" if to is None else to.text, found)
        permanent = truth(field(redirection, "permanent"), otherwise=True)
        source = "https" if field(point, "http", "tls") is not None else "http"
        location = _to_scheme(target, port)
        drafts = tuple(_both_statuses(redirection.line, f"{source}://*:*/*", location, permanent, ANY))
        at = _FIRST if priority is None or priority.integer < 0 else priority.integer
        yield _Entry(at, drafts if source != target or port else (), ())
    except (NodeError, TemplateError) as error:
        yield _Entry(_FIRST, (LineFault(redirection.line, error.fact, error.remedy),), ())


def _port_of(to: str, found: Configuration) -> str:
    """The port of an entry point, or the one that is written; "" where it is not known."""
    point = found.entry_points.get(to.lower())
    address = field(point, "address")
    written = to if address is None else address.text.partition("/")[0]
    port = written.rpartition(":")[2]
    return port if port.isdecimal() and ":" in written else ""


def _to_scheme(scheme: str, port: str) -> str:
    if scheme not in _DEFAULT_PORTS:
        raise TemplateError(f"a redirect to the scheme {scheme!r}", "write http or https")
    said = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{{url.hostname}}{said}"


# ---- routers


def _is_secure(router: Router, found: Configuration) -> bool:
    return router.tls or any(
        name in _SECURE or field(found.entry_points.get(name), "http", "tls") is not None
        for name in router.entry_points
    )


def _router(router: Router, found: Configuration) -> _Entry:
    priority = router.priority or len(router.rule or "")
    steps: list[_Step] = []
    try:
        named = [one for point in router.entry_points for one in _of_entry_point(point, found)]
        steps = list(_steps([*named, *router.middlewares], router, found))
        redirects = any(step.kind.startswith("redirect") for step in steps)
        if router.rule is None:
            if not redirects:
                return _Entry(priority, (), ())
            raise PatternError("a router without a rule: the provider makes one", "write the rule")
        scheme = "https" if _is_secure(router, found) else "http"
        asked = [both(Demand(scheme=scheme), one) for one in alternatives(router.rule)]
    except NodeError as error:
        return _Entry(priority, (LineFault(error.line, error.fact, error.remedy),), ())
    except PartError as error:
        told = LineFault(router.line, error.fact, error.remedy)
        redirects = any(step.kind.startswith("redirect") for step in steps)
        return _Entry(priority, (told,) if redirects or not steps else (), () if redirects else (told,))
    known = [one for one in asked if one is not None]
    made = tuple(line for one in known for line in _redirects(steps, one))
    return _Entry(priority, made, tuple(line for one in known for line in _passes(router, one)))


def _passes(router: Router, demand: Demand) -> Iterator[Line]:
    try:
        for asked in ask(at_any_port(demand)):
            yield _draft(router.line, asked.pattern, demand, ignore_case=asked.ignore_case)
    except PatternError as error:
        yield LineFault(router.line, error.fact, error.remedy)


def _of_entry_point(name: str, found: Configuration) -> tuple[str, ...]:
    return listed(field(found.entry_points.get(name), "http", "middlewares"))


def _steps(
    names: Iterable[str], router: Router, found: Configuration, above: frozenset[str] = frozenset()
) -> Iterator[_Step]:
    """The middlewares in the order in which a request passes them; raises `NodeError` for one that is not at
    hand and whose name says that it redirects."""
    for name in names:
        bare = name.partition("@")[0]
        node = found.middlewares.get(bare) or found.middlewares.get(f"{router.namespace}/{bare}")
        if node is None:
            if _TELLS.search(bare):
                raise NodeError(router.line, f"the middleware {name} is not in this file", "add it")
            continue
        if bare in above:
            raise NodeError(node.line, f"the chain {name} holds itself", "end it")
        if not node.is_mapping:
            continue
        for kind, inner in node.mapping.items():
            if kind.lower() == "chain":
                members = field(inner, "middlewares")
                yield from _steps(_members(members), router, found, above | {bare})
            else:
                yield _Step(kind.lower(), inner)


def _members(node: Node | None) -> tuple[str, ...]:
    """The middlewares of a chain: names, or in Kubernetes tables with a name."""
    if node is None or isinstance(node.value, str):
        return listed(node)
    return tuple(_member(one) if one.is_mapping else one.text for one in node.sequence)


def _member(node: Node) -> str:
    namespace, name = node.text_at("namespace"), node.text_at("name") or ""
    return f"{namespace}/{name}" if namespace else name


# ---- redirects


def _redirects(steps: list[_Step], demand: Demand) -> Iterator[Line]:
    moved: _Step | None = None
    prefixes: tuple[str, ...] = ()
    for step in steps:
        try:
            if step.kind in map(str.lower, _MOVES):
                moved = step
            elif step.kind == "stripprefix":
                prefixes = listed(field(step.node, "prefixes"))
                moved = moved or step
            elif step.kind == "redirectscheme":
                if moved is not None and not prefixes:
                    raise PatternError("a middleware before changes the path", "put the redirect first")
                yield from list(_scheme(step.node, demand, prefixes))
            elif step.kind == "redirectregex":
                if moved is not None:
                    raise PatternError("a middleware before changes the path", "put the redirect first")
                yield from list(_regex(step.node, demand))
            elif step.kind == "headers" and truth(field(step.node, "sslRedirect")):
                raise PatternError("`sslRedirect`, which Traefik 3 dropped", "use redirectScheme")
        except NodeError as error:
            yield LineFault(error.line, error.fact, error.remedy)
        except PartError as error:
            yield LineFault(step.node.line, error.fact, error.remedy)


def _scheme(node: Node, demand: Demand, prefixes: tuple[str, ...]) -> Iterator[Draft]:
    scheme, port = field(node, "scheme"), field(node, "port")
    target, number = "" if scheme is None else scheme.text.lower(), "" if port is None else port.text
    location = _to_scheme(target, number)
    if not number or number == _DEFAULT_PORTS[target]:  # else it would redirect to itself
        joined = both(demand, Demand(scheme=_OTHER_SCHEME[target]))
        if joined is None:
            return
        demand = joined
    permanent = truth(field(node, "permanent"))
    stripped = [pair for prefix in prefixes for pair in _stripped(prefix, demand)]
    for asked in ask(at_any_port(demand)):
        at = asked.pattern
        if stripped:
            at = at[: at.index("/", at.index("//") + 2 if "//" in at else 0)]
            for path, rest in stripped:
                to = f"{location}{rest}"
                yield from _both_statuses(node.line, f"{at}{path}", to, permanent, demand)
        else:
            to = f"{location}{{url.path}}"
            yield from _both_statuses(
                node.line, asked.pattern, to, permanent, demand, ignore_case=asked.ignore_case
            )


def _stripped(prefix: str, demand: Demand) -> Iterator[tuple[str, str]]:
    """The paths that a prefix is taken from, each with what is left."""
    path = demand.path
    if path is None or path.kind != "prefix" or not path.text.startswith(prefix.rstrip("/")):
        raise PatternError("a prefix that the rule does not ask for is taken away", "put the redirect first")
    return ((one, f"/{rest}") for one, rest in beginning(prefix.rstrip("/")))  # two slashes become one


def _regex(node: Node, demand: Demand) -> Iterator[Draft]:
    regex, replacement = field(node, "regex"), field(node, "replacement")
    permanent = truth(field(node, "permanent"))
    for made in replaced(
        "" if regex is None else regex.text, "" if replacement is None else replacement.text, demand
    ):
        yield from _both_statuses(
            node.line,
            made.pattern,
            made.template,
            permanent,
            demand,
            ignore_case=made.ignore_case,
            keeps=made.keeps_query,
        )


def _both_statuses(
    line: int,
    pattern: str,
    location: str,
    permanent: bool,
    demand: Demand,
    *,
    ignore_case: bool = False,
    keeps: bool = True,
) -> Iterator[Draft]:
    """The redirect of GET, and the one of all other methods (pkg/middlewares/redirect/redirect.go)."""
    location = (
        f"{location}{{url.path}}" if location.count("/") < 3 and "{url.path}" not in location else location
    )
    draft = _draft(line, pattern, demand, ignore_case=ignore_case)
    to_get, to_others = (301, 308) if permanent else (302, 307)
    query = "keep" if keeps else "drop"
    get = frozenset(("GET",)) if demand.methods is None else demand.methods & {"GET"}
    others = None if demand.methods is None else demand.methods - {"GET"}
    for status, methods in ((to_get, get), (to_others, others)):
        if methods is None or methods:
            yield msgspec.structs.replace(
                draft, location=location, status=status, query=query, methods=methods
            )


def _draft(line: int, pattern: str, demand: Demand, *, ignore_case: bool) -> Draft:
    return Draft(
        line,
        pattern,
        ignore_case=ignore_case,
        methods=demand.methods,
        when=demand.when,
        unless=demand.unless,
    )
