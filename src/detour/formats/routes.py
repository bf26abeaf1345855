"""What routers that go by tables of hosts and paths share: patterns of both, and the order of hosts.

A router picks the table of the host that names the request's most exactly, and never goes on to another
host's table; within it each has its own order. No function here knows a dialect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detour.core.rule import FieldCondition
from detour.core.status import REDIRECT_STATUSES
from detour.errors import TemplateError
from detour.formats.bulk_rows import restated
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import literal, path_pattern
from detour.formats.regex import expression

SAME_PATH = "/{url.path}"  # the template that changes nothing: slashes at the front are made one
REST = "rest"  # the group of what follows a prefix

_DEFAULT_PORTS = {80: "http", 443: "https"}

Line = Draft | LineFault


def origin(host: str, scheme: str = "", port: int | None = None) -> str:
    """The pattern of an origin; `host` may be `*.example.com`, or "" or `*` for any.

    Where no port is given, any host is met on any port, a named host on its scheme's default port.
    """
    if not scheme and port in _DEFAULT_PORTS:
        scheme = _DEFAULT_PORTS[port]
    host = host.lower()
    if host in ("", "*"):
        if not scheme and port is None:
            return ""
        name, any_port = "*", ":*"
    else:
        name = f"*.{literal(host[2:])}" if host.startswith("*.") else literal(host)
        any_port = ""
    said = any_port if port is None else "" if _DEFAULT_PORTS.get(port) == scheme else f":{port}"
    return f"{scheme}:" * bool(scheme) + f"//{name}{said}"


def host_rank(host: str) -> tuple[bool, bool, int]:
    """Sorts hosts by how exactly they name one: names, then the longest wildcards, then any host."""
    return host in ("", "*"), host.startswith("*."), -len(host)


def under(prefix: str) -> tuple[tuple[str, str], ...]:
    """The patterns of a path and of all below it, each with what follows the prefix as a template."""
    bare = prefix.rstrip("/")
    below = (f"{path_pattern(literal(bare))}/:{REST}(.*)", f"/{{{REST}}}")
    return ((path_pattern(literal(bare)), ""), below) if bare else (below,)


def beginning(prefix: str) -> tuple[tuple[str, str], ...]:
    """The pattern of every path that begins with a text, and what follows it as a template."""
    return ((f"{path_pattern(literal(prefix))}:{REST}(.*)", f"{{{REST}}}"),)


def whole_path(regex: str) -> str:
    """The pattern of a regular expression that matches the whole path; raises `PatternError`."""
    return expression(regex, whole=True, used=()).pattern


def exactly(path: str) -> str:
    """The pattern of one path."""
    return path_pattern(literal(path))


def everywhere(at: str) -> str:
    """The pattern of every path of an origin."""
    return f"{at}/*"


def fixed_path(path: str) -> str:
    """A path, with a query if need be, as a template that yields it; raises `TemplateError`, `URLError`."""
    if not path:
        return "/"
    if not path.startswith("/"):
        raise TemplateError(f"the path {path!r} does not begin with a slash", f"write `/{path}`")
    return restated("/" + path.lstrip("/"))


def redirect_status(status: int | None, known: Iterable[int] = REDIRECT_STATUSES) -> int | None:
    """A status that redirects, or None where none is named; raises `TemplateError`."""
    if status is None or status in known:
        return status
    listed = ", ".join(map(str, sorted(known)))
    raise TemplateError(f"{status} is no status to redirect with here", f"use one of {listed}")


def methods(name: str) -> frozenset[str]:
    """The methods of a route for one: HEAD goes with GET, as everywhere in Detour."""
    return frozenset(("GET", "HEAD")) if name == "GET" else frozenset((name,))


def header_is(name: str, *values: str) -> FieldCondition:
    """The field has one of the values; with none, it is there."""
    return FieldCondition(name.lower(), values or None, "header")


def parameter_is(name: str, *values: str) -> FieldCondition:
    """The query parameter has one of the values; with none, it is there."""
    return FieldCondition(name, values or None, "query")


def without_idle_passes(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, without the `pass` Drafts that hide nothing: those behind which no redirect stands."""
    held: list[Line] = []
    for line in lines:
        if isinstance(line, Draft) and line.location is None:
            held.append(line)
            continue
        yield from held
        held.clear()
        yield line
