"""One route of Envoy's as native lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.envoy.conditions import conditions
from detour.formats.envoy.fields import field, is_set, items, literal_template, refuse_others, regex, text
from detour.formats.envoy.rewrites import rewritten
from detour.formats.redirects_file import PartError
from detour.formats.regex import expression
from detour.formats.routes import SAME_PATH, Line, beginning, exactly, fixed_path, origin, under
from detour.formats.yaml_nodes import Node

STATUSES = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_NUMBERED = {str(number): status for number, status in enumerate(STATUSES.values())}
_REDIRECTING = frozenset(map(str, STATUSES.values()))
_OTHER_SCHEME = {"http": "https", "https": "http"}
_SAME = "{url.path}"
_IN_PLACE = ("OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS", "2", "3")
_OVERWRITE = "write `append_action: OVERWRITE_IF_EXISTS_OR_ADD`, or `redirect`"
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")

_OF_MATCH = frozenset(
    "prefix path safe_regex path_separated_prefix case_sensitive headers query_parameters".split()  # noqa: SIM905
)
_OF_SCHEME = frozenset("https_redirect scheme_redirect response_code strip_query".split())  # noqa: SIM905
_OF_PLACE = frozenset(
    "host_redirect port_redirect path_redirect prefix_rewrite regex_rewrite".split()  # noqa: SIM905
)


Query = Literal["keep", "drop"]


class Listener(msgspec.Struct, frozen=True):
    """Where requests come in; what is not known, or not needed, is empty."""

    scheme: str = ""
    port: int | None = None


class Host(msgspec.Struct, frozen=True):
    """A domain at a listener: the pattern of its origin, "" for any."""

    at: str
    listener: Listener

    def of_scheme(self, scheme: str) -> str:
        """The pattern for one scheme; that of the listener, where that is known."""
        if self.listener.scheme or not scheme:
            return self.at
        return f"{scheme}:{self.at}" if self.at else origin("", scheme)


class _Where(msgspec.Struct, frozen=True):
    """Which paths a route is for: patterns, each with what of the path follows the matched prefix."""

    kind: str  # the match's field
    path: str
    patterns: tuple[tuple[str, str], ...]
    ignore_case: bool = False


def route_lines(route: Node, host: Host) -> list[tuple[bool, Line]]:
    """What a route says, each line with whether it is of a route that does not redirect."""
    redirect = field(route, "redirect")
    line = (redirect or route).line
    known = Draft(line, "")  # what is known of the match, should the rest be refused
    lines: list[Line] = []
    passes = redirect is None
    try:
        match = field(route, "match")
        if match is None:
            raise PatternError("a route without a match", "write `match: {prefix: /}`")
        where = _where(match)
        known = Draft(line, host.at + where.patterns[0][0], ignore_case=where.ignore_case)
        refuse_others(match, _OF_MATCH, "is a condition that no rule has")
        asked = conditions(match)
        at = host.of_scheme(asked.scheme)
        known = msgspec.structs.replace(
            known,
            methods=asked.methods,
            when=asked.when,
            unless=asked.unless,
            pattern=at + where.patterns[0][0],
        )
        if asked.scheme and host.listener.scheme not in ("", asked.scheme):
            return []  # no request at this listener is of that scheme
        if redirect is not None and not asked.scheme and _is_of_scheme(redirect):
            at = host.of_scheme(_OTHER_SCHEME[_scheme(redirect)])
        own = _own_location(route)
        passes = passes and own is None
        lines = [_at(known, at, *answer) for answer in _answers(redirect, own, where)]
    except NodeError as error:
        lines = [_fault(known, error.line, error)]
        passes = passes and not _is_redirecting(route)
    except PartError as refusal:
        lines = [_fault(known, line, refusal)]
    return [(passes, line) for line in lines]


def _at(known: Draft, at: str, path: str, location: str | None, status: int | None, query: Query) -> Draft:
    return msgspec.structs.replace(known, pattern=at + path, location=location, status=status, query=query)


def _fault(known: Draft, line: int, error: Exception) -> LineFault:
    assert isinstance(error, (NodeError, *PartError))
    return LineFault(
        line,
        error.fact,
        error.remedy,
        known.pattern or None,
        ignore_case=known.ignore_case,
        methods=known.methods,
        when=known.when,
        unless=known.unless,
    )


def _is_redirecting(route: Node) -> bool:
    """Whether it is a direct response of a status that redirects."""
    status = field(field(route, "direct_response"), "status")
    return status is not None and status.value in _REDIRECTING


def _own_location(route: Node) -> tuple[Node, int] | None:
    """The Location that a direct response of status 3xx is given."""
    status = field(field(route, "direct_response"), "status")
    if status is None or not _is_redirecting(route):
        return None
    for added in items(route, "response_headers_to_add"):
        header = field(added, "header")
        value = field(header, "value")
        if value is not None and (text(header, "key") or "").lower() == "location":
            if (text(added, "append_action") or "") not in _IN_PLACE:
                raise NodeError(added.line, "a second Location beside Envoy's own", _OVERWRITE)
            return value, status.integer
    raise NodeError(status.line, "a direct response that redirects to the request itself", "use `redirect`")


# ---- matches


def _where(match: Node) -> _Where:
    """The paths of a match; raises `NodeError`, `PatternError`."""
    sensitive = field(match, "case_sensitive")
    fold = sensitive is not None and not sensitive.boolean
    for kind in ("prefix", "path", "path_separated_prefix"):
        path = text(match, kind)
        if path is None:
            continue
        if not path.startswith("/") and (kind != "prefix" or path):
            raise PatternError(f"no path begins with {path!r}", f"write `/{path}`")
        if kind == "path":
            return _Where(kind, path, ((exactly(path), ""),), fold)
        return _Where(kind, path or "/", beginning(path or "/") if kind == "prefix" else under(path), fold)
    node = field(match, "safe_regex")
    if node is None:
        raise PatternError("the match names no path that Detour knows", "use prefix, path or safe_regex")
    made = expression(regex(node), whole=True, used=())
    return _Where("safe_regex", regex(node), ((made.pattern, ""),), made.ignore_case)


# ---- answers


_Answer = tuple[str, str | None, int | None, Query]  # pattern of the path, Location, status, query


def _answers(redirect: Node | None, own: tuple[Node, int] | None, where: _Where) -> Iterator[_Answer]:
    """What a route answers; raises `NodeError`, `PatternError`, `TemplateError`, `URLError`."""
    if redirect is not None:
        yield from _redirected(redirect, where)
        return
    location = None if own is None else _fixed(own[0])
    for path, _ in where.patterns:
        yield path, location, None if own is None else own[1], "keep" if own is None else "drop"


def _fixed(value: Node) -> str:
    """The Location of a direct response."""
    written = value.text.replace("%%", "%")
    if re.search(r"%[A-Z_]+[(%]", value.text):
        raise NodeError(value.line, "a Location with `%` operators", "use `redirect`")
    return fixed_path(written) if written.startswith("/") else literal_template(written)


def _redirected(redirect: Node, where: _Where) -> Iterator[_Answer]:
    refuse_others(redirect, _OF_SCHEME | _OF_PLACE, "is not known to Detour")
    authority, status = _authority(redirect), _status(redirect)
    for path, to, query in _paths(redirect, where):
        location = f"{authority}{to}" if authority else SAME_PATH if to == _SAME else to
        yield path, location, status, query


def _is_of_scheme(redirect: Node) -> bool:
    """Whether nothing but the scheme changes, to http or https."""
    return _scheme(redirect) in _OTHER_SCHEME and not any(field(redirect, key) for key in _OF_PLACE)


def _scheme(redirect: Node) -> str:
    if is_set(redirect, "https_redirect"):
        return "https"
    return (text(redirect, "scheme_redirect") or "").lower()


def _status(redirect: Node) -> int | None:
    node = field(redirect, "response_code")
    if node is None:
        return None
    status = STATUSES.get(node.text) or _NUMBERED.get(node.text)
    if status is None:
        raise NodeError(
            node.line, f"{node.text!r} is no status to redirect with", f"use {', '.join(STATUSES)}"
        )
    return status


def _authority(redirect: Node) -> str:
    """The template's beginning, up to the path; "" where scheme, host and port stay."""
    scheme, host = _scheme(redirect), text(redirect, "host_redirect")
    if scheme not in ("", "http", "https"):
        raise TemplateError(f"a redirect to the scheme {scheme!r}", "write http or https")
    if host is not None and not _HOST.fullmatch(host):
        raise TemplateError(f"{host!r} is no host", "write a name")
    port = field(redirect, "port_redirect")
    number = None if port is None else port.integer
    if not scheme and host is None and not number:
        return ""
    said = host or "{url.hostname}:{url.port}"
    if number:
        said = re.sub(r":(?:[0-9]+|\{url\.port\})$", "", said) + f":{number}"
    return f"{scheme}:" * bool(scheme) + f"//{said}"


def _paths(redirect: Node, where: _Where) -> Iterator[tuple[str, str, Query]]:
    """The patterns of a route's paths, each with the template of the new one and what the query becomes."""
    query: Query = "drop" if is_set(redirect, "strip_query") else "keep"
    path, prefix = text(redirect, "path_redirect"), field(redirect, "prefix_rewrite")
    rewrite = field(redirect, "regex_rewrite")
    if path:
        query = "drop" if "?" in path else query
        yield from ((pattern, fixed_path(path), query) for pattern, _ in where.patterns)
    elif prefix is not None and prefix.text:
        yield from ((pattern, _prefixed(prefix, rest), query) for pattern, rest in where.patterns)
    elif rewrite is not None:
        made = rewritten(rewrite, where.kind, where.path, where.patterns)
        yield from ((pattern, to, query) for pattern, to in made)
    else:
        yield from ((pattern, _SAME, query) for pattern, _ in where.patterns)


def _prefixed(prefix: Node, rest: str) -> str:
    if re.search(r"[?#]", prefix.text):
        raise NodeError(prefix.line, "a prefix that holds a query", "use `path_redirect`")
    if not prefix.text.startswith("/"):
        raise NodeError(prefix.line, f"a path that begins with {prefix.text!r}", "begin it with a slash")
    return literal_template(prefix.text) + rest
