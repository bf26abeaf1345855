"""Caddy's matchers by expression of a field or a variable (modules/caddyhttp/matchers.go, vars.go)."""

from __future__ import annotations

import re

from detour.core.rule import FieldCondition
from detour.errors import PatternError
from detour.formats.caddy.model import Case, Cases, RegexOf
from detour.formats.demand import Demand, Text, of_regex
from detour.formats.regex_octets import as_characters

# A cookie as `detour convert` asks for it: its value any, or one of some.
_COOKIE = re.compile(
    r"\(\?:\^\|;\)\\s\*(?P<name>(?:[\w-]|\\.)+)=\(\?:(?:\[\^;\]\*|(?P<values>(?:[^()|\\]|\\.)+(?:\|(?:[^()|\\]|\\.)+)*))\)"
    r"\(\?:;\|\$\)"
)
_LISTED = re.compile(r"\^\(\?:((?:[\w /,;=\"'-]|\\[^\w])+(?:\|(?:[\w /,;=\"'-]|\\[^\w])+)*)\)\$")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def header_regexp(values: tuple[str, ...]) -> Cases:
    """What an expression of one field asks for; of Host it may capture."""
    if len(values) < 2:
        raise PatternError("`header_regexp` without a field and an expression", "write both")
    name = values[0] if len(values) > 2 else ""
    field, regex = values[-2].lower(), values[-1]
    cookie = _COOKIE.fullmatch(regex) if field == "cookie" else None
    if cookie is not None:
        wanted = None if cookie["values"] is None else tuple(map(_plain, cookie["values"].split("|")))
        return (Case(Demand(when=(FieldCondition(_plain(cookie["name"]), wanted, "cookie"),))),)
    if field == "host":
        regexes: dict[str, RegexOf] = {"": "host", name: "host"}
        bare = re.sub(r"\(\?::\[0-9\]\+\)\?\$$|\(:\\d\+\)\?\$$", "$", regex)
        return (Case(Demand(host=Text("regex", bare, ignore_case=True)), regexes),)
    if regex in (".*", ".+", "^.*$", "^.+$"):
        return (Case(Demand(when=(FieldCondition(field, None, "header"),))),)
    listed = _LISTED.fullmatch(regex)
    if listed is not None:
        wanted = tuple(map(_plain, listed[1].split("|")))
        return (Case(Demand(when=(FieldCondition(field, wanted, "header"),))),)
    texts = of_regex(regex)
    if not all(text.kind == "exact" and not text.ignore_case for text in texts):
        raise PatternError(f"the header {field} is matched by an expression", "list its whole values")
    return (Case(Demand(when=(FieldCondition(field, tuple(text.text for text in texts), "header"),))),)


# Ends of an expression of `{uri}`, and what it asks of the query there.
_AT_QUERY: tuple[tuple[str, Text | None], ...] = (
    (r"(?:\?.*)?$", None),
    (r"\?.+$", Text("none", others=(Text("exact", ""),))),
)
_URIS = ("{uri}", "{http.request.uri}", "{http.request.orig_uri}")
_WRAPPED = re.compile(r"(?P<fold>(?:\(\?i\))?)\^\((?P<inner>.*)\)\$")


def vars_regexp(lines: tuple[tuple[str, ...], ...]) -> Cases:
    """An expression of a variable: of the target as it was sent, cut where its query begins."""
    if len(lines) != 1 or len(lines[0]) < 2:
        raise PatternError("several `vars_regexp`, of which any will do", "write a matcher for each")
    *names, variable, regex = lines[0]
    end, query = next(((end, asked) for end, asked in _AT_QUERY if regex.endswith(end)), ("", None))
    path = regex.removesuffix(end)
    if variable not in _URIS or not end or re.search(r"(?<!\\)\.|\[\^(?![^\]]*\?)", path):
        raise PatternError(
            f"an expression of `{variable}` that Detour does not take apart",
            "use `path_regexp`; one of `{uri}` must end with `(?:\\?.*)?$` and not run over it",
        )
    bare = as_characters(path.replace("[^/?]", "[^/]").replace("[^?]", ".") + "$")
    wrapped = _WRAPPED.fullmatch(bare)
    of: RegexOf = "path"
    if wrapped is not None and _is_closed(wrapped["inner"]):
        bare, of = f"{wrapped['fold']}^{wrapped['inner']}$", "uri"
    demand = Demand(path=Text("regex", bare), query=query)
    return (Case(demand, dict.fromkeys(("", *names), of)),)


def _is_closed(regex: str) -> bool:
    """Whether the groups in it close: the brackets around it belong together."""
    depth = 0
    for found in re.finditer(r"\\.|\[\^?(?:\\.|[^\]\\])*\]|[()]", regex):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth < 0:
            return False
    return depth == 0
