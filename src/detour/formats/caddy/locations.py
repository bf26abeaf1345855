"""Locations with Caddy's placeholders as native templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from detour.errors import TemplateError
from detour.formats.caddy.matchers import DOT
from detour.formats.caddy.model import Case, RegexOf
from detour.formats.caddy.tokens import UNKNOWN

EMPTY_QUERY = "where the request has no query, Caddy's Location ends with what stands before `{query}`"

_PLACEHOLDER = re.compile(r"\\([{}])|\{([\w.?%-]+)\}")
_SHORT = {
    "uri": "http.request.uri",
    "path": "http.request.uri.path",
    "query": "http.request.uri.query",
    "?query": "http.request.uri.prefixed_query",
    "host": "http.request.host",
    "hostport": "http.request.hostport",
    "port": "http.request.port",
    "scheme": "http.request.scheme",
    "orig_uri": "http.request.orig_uri",
    "orig_path": "http.request.orig_uri.path",
    "orig_query": "http.request.orig_uri.query",
    "orig_?query": "http.request.orig_uri.prefixed_query",
}
_FIXED = {
    "http.request.host": "{url.hostname}",
    "http.request.hostport": "{url.hostname}:{url.port}",
    "http.request.port": "{url.port}",
    "http.request.scheme": "{url.scheme}",
    "http.request.orig_uri.path": "{url.path}",
}
_REGEX = re.compile(r"(?:re|http\.regexp)\.(?:([\w-]+)\.)?([\w-]+)")
_LABELS = re.compile(r"(?:labels|http\.request\.host\.labels)\.(\d+)")


class Reference(msgspec.Struct, frozen=True):
    """A capture that a Location uses: of which expression, and its number or name."""

    of: RegexOf
    group: int | str


Part = str | Reference  # text of a template; or "\x01" + a placeholder that is looked up later


class Parts(msgspec.Struct, frozen=True):
    """A Location, cut at its placeholders."""

    parts: tuple[str | Reference, ...]
    query: Literal["keep", "drop"]
    note: str
    uses_path: bool  # the path, or the query, as it is by then

    def references(self, of: RegexOf) -> set[int | str]:
        return {part.group for part in self.parts if isinstance(part, Reference) and part.of == of}

    def filled(self, path: str, captures: Mapping[RegexOf, Mapping[int | str, str]]) -> str:
        """The template; `path` is what stands for the path. Raises `TemplateError`."""
        made = ""
        for part in self.parts:
            if isinstance(part, Reference):
                found = captures[part.of].get(part.group)
                if found is None:
                    raise TemplateError(
                        f"what {{re.….{part.group}}} captures cannot be had", "capture it alone"
                    )
                made += found
            else:
                made += part.replace(_PATH, path)
        return _begun(made)


_PATH = "\x01"


def parts(to: str, case: Case) -> Parts:
    """A Location taken apart, for what `case` asks for.

    Raises `TemplateError` for a placeholder that Detour does not know.
    """
    if UNKNOWN in to:
        raise TemplateError("a variable of the environment that is not known", "write its value")
    found: list[str | Reference] = []
    query: Literal["keep", "drop"] = "drop"
    note, uses_path, place = "", False, 0
    for one in _PLACEHOLDER.finditer(to):
        found.append(_literal(to[place : one.start()]))
        place = one.end()
        if one[1] is not None:
            found.append(one[1] * 2)
            continue
        name = _SHORT.get(one[2], one[2])
        uses_path = uses_path or name.startswith("http.request.uri")
        whole = name in ("http.request.uri", "http.request.orig_uri")
        if whole or name.endswith("uri.prefixed_query"):
            _refuse_behind(to[place:], one[0])
            found += [_PATH if name == "http.request.uri" else "{url.path}"] if whole else []
            query = "keep"
        elif name.endswith("uri.query"):
            before = to[: one.start()]
            if before.endswith(("?", "&")) and not to[place:]:
                found.append(_without_mark(found))
                query, note = "keep", EMPTY_QUERY
            elif "?" in before:
                found.append("{url.query}")
            else:
                raise TemplateError("`{query}` outside of the query", "write `?{query}`")
        elif name == "http.request.uri.path":
            found.append(_PATH)
        else:
            found.append(_placeholder(name, case))
            uses_path = uses_path or found[-1] == _PATH
    found.append(_literal(to[place:]))
    return Parts(tuple(found), query, note, uses_path)


def _without_mark(found: list[str | Reference]) -> str:
    """Take the `?` or `&` off the text before, which `query="keep"` puts there."""
    last = found.pop()
    assert isinstance(last, str)  # it ends with the mark
    return last[:-1]


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _refuse_behind(rest: str, name: str) -> None:
    if rest and not rest.startswith("#"):
        raise TemplateError(f"{rest!r} behind `{name}`, which may end with a query", "put the query last")


def _placeholder(name: str, case: Case) -> str | Reference:
    if name in _FIXED:
        return _FIXED[name]
    regex = _REGEX.fullmatch(name)
    if regex is not None:
        group = int(regex[2]) if regex[2].isdecimal() and len(regex[2]) < 4 else regex[2]
        known = case.known.get(regex[1] or "")
        if known is not None:
            return _literal(known.get(group, ""))
        of = case.regexes.get(regex[1] or "")
        if of is None:
            raise TemplateError(f"`{{{name}}}`: no expression of that name matched", "name it in the matcher")
        if of == "uri" and isinstance(group, int):
            return _PATH if group == 1 else Reference("path", group - 1)
        return Reference(of, group)
    labels = _LABELS.fullmatch(name)
    if labels is not None and (found := _label(int(labels[1][:4]), case)) is not None:
        return found
    raise TemplateError(
        f"the placeholder `{{{name}}}`, which Detour does not know", "write what it stands for"
    )


def _label(number: int, case: Case) -> str | Reference | None:
    """A label of the host, from its end; None where the host may be any."""
    host = case.demand.host
    if host is None or "host" in case.regexes.values():
        return None
    if host.kind == "exact":
        known = host.text.split(".")[::-1]
        return known[number] if number < len(known) else ""
    if host.kind != "regex":
        return None
    labels = host.text.removeprefix("^").removesuffix("$").split(DOT)
    if number >= len(labels):
        return ""
    place = len(labels) - 1 - number
    if labels[place] == "([^.]+)":
        return Reference("host", labels[: place + 1].count("([^.]+)"))
    return re.sub(r"\\(.)", r"\1", labels[place])


def _begun(template: str) -> str:
    """A template as Detour has it: the request's scheme is left out, and a path begins with a slash."""
    if template.startswith("{url.scheme}://"):
        return template.removeprefix("{url.scheme}:")
    if template.startswith(("{url.path}", "{rest")) or re.match(r"\{\d+\}", template):
        return f"/{template}"  # of two slashes one is sent
    return re.sub(r"^((?:https?:)?//[^/?#]*?)(?=\{url\.path\})", r"\1", template)
