"""Envoy's `regex_rewrite`: the pattern of what it replaces, and the template of what it puts there.

Envoy replaces every match in the path, without the query. An expression that begins with `^` matches once;
what stands behind the match is kept. A path that it does not match stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import re2

from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.envoy.fields import field, literal_template, regex, text
from detour.formats.regex import expressions
from detour.formats.yaml_nodes import Node

_REFERENCE = re.compile(r"\\([0-9\\])")
_SAME = "{url.path}"
_QUIET = re2.Options()
_QUIET.log_errors = False


def rewritten(
    rewrite: Node, kind: str, path: str, patterns: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """The patterns of a route, each with the template of the path that `rewrite` makes.

    `kind` and `path`: how the route's paths are matched. Raises `NodeError`, `PatternError`.
    """
    node = field(rewrite, "pattern")
    if node is None:
        raise rewrite.unlike("`pattern` and `substitution`", "write both")
    replaced, by = regex(node), text(rewrite, "substitution") or ""
    if kind == "path":
        yield patterns[0][0], literal_template(_replaced(replaced, by, path, rewrite))
        return
    if not replaced.startswith("^") and not _is_whole(kind, path, replaced):
        raise NodeError(node.line, "the expression may replace several parts of a path", "begin it with `^`")
    if kind == "safe_regex" and not _is_whole(kind, path, replaced):
        raise NodeError(
            node.line,
            "the path must match two expressions at once, which no one pattern says",
            "write the expression of `match` here, too",
        )
    whole, rest = _whole(replaced)
    used = {int(found[1]) for found in _REFERENCE.finditer(by) if found[1] not in "\\0"}
    if rest:
        used.add(rest)
    prefix = path if kind == "prefix" else path.rstrip("/") + "/" if kind == "path_separated_prefix" else "/"
    if kind == "path_separated_prefix" and path.rstrip("/"):
        yield patterns[0][0], literal_template(_replaced(replaced, by, path.rstrip("/"), rewrite))
    for one in expressions(whole, used=used, prefix=prefix):
        yield one.pattern, _substituted(by, one.captures, rest, rewrite)
    if kind != "safe_regex":
        yield patterns[-1][0], _SAME


def _is_whole(kind: str, path: str, replaced: str) -> bool:
    """Whether it is the route's own expression, which matches the whole path."""
    return kind == "safe_regex" and _bare(path) == _bare(replaced)


def _bare(expression: str) -> str:
    return expression.removeprefix("^").removesuffix("$")


def _whole(expression: str) -> tuple[str, int]:
    """The expression, anchored at both ends, and the number of the group of what follows; 0: nothing can."""
    body = _bare(expression)
    if expression.endswith("$") and not expression.endswith("\\$"):
        return f"^{body}$", 0
    try:
        count = re2.compile(body, _QUIET).groups
    except re2.error as error:
        raise PatternError(f"not a regular expression: {error}", "correct it") from None
    return f"^(?:{body})(.*)$", count + 1


def _replaced(expression: str, by: str, path: str, rewrite: Node) -> str:
    """One path with its matches replaced, the way RE2 does it."""
    try:
        new = str(re2.compile(expression, _QUIET).sub(lambda found: _expanded(by, found), path))
    except (re2.error, IndexError) as error:
        raise PatternError(f"not a regular expression: {error}", "correct it") from None
    if not new.startswith("/"):
        raise NodeError(rewrite.line, f"the new path {new!r} does not begin with a slash", "begin with one")
    return new


def _expanded(by: str, found: re.Match[str]) -> str:
    return _REFERENCE.sub(lambda one: "\\" if one[1] == "\\" else found[int(one[1])] or "", by)


def _substituted(by: str, captures: Mapping[int | str, str], rest: int, rewrite: Node) -> str:
    made, place = "", 0
    for found in _REFERENCE.finditer(by):
        made += literal_template(by[place : found.start()])
        place = found.end()
        if found[1] == "\\":
            made += "\\"
        elif found[1] == "0" and not rest:
            made += _SAME
        else:
            made += _captured(int(found[1]), captures)
    made += literal_template(by[place:]) + (_captured(rest, captures) if rest else "")
    if not made.startswith("/") and made != _SAME:
        raise NodeError(rewrite.line, "a new path that may not begin with a slash", "begin it with one")
    return made


def _captured(number: int, captures: Mapping[int | str, str]) -> str:
    if number not in captures:
        raise TemplateError(
            f"what `\\{number}` captures cannot be had", "capture a part of the path as a whole"
        )
    return captures[number]
