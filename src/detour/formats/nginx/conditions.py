"""Conditions of `if` and rows of `map`: the requests for which a variable is, has or matches something."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import msgspec

from detour.core.rule import FieldCondition
from detour.errors import PatternError
from detour.formats.nginx.scope import Scope
from detour.formats.nginx.syntax import Directive, walk
from detour.formats.nginx.values import has_variables, variables


@lru_cache(maxsize=64)
def deciding(blocks: tuple[Directive, ...]) -> frozenset[str]:
    """The variables that an answer depends on: those in `return`, `rewrite` and what they are set by."""
    steps = [one for block in blocks[1:] for one in walk(block)]
    found: set[str] = set()
    while True:
        known = len(found)
        for one in steps:
            inner = {each.args[0][1:] for each in walk(one) if each.name == "set" and each.args}
            answers = one.name == "if" and any(each.name in ("return", "rewrite") for each in walk(one))
            if one.name in ("return", "rewrite") or answers or (one.name in ("if", "set") and inner & found):
                found |= {name for arg in one.args for name in variables(arg)}
        if len(found) == known:
            return frozenset(found)


def condition(args: tuple[str, ...]) -> tuple[str, str, str]:
    """An `if`'s subject, operator and operand."""
    words = list(args)
    if words and words[0].startswith("("):
        words[0] = words[0][1:]
    if words and words[-1].endswith(")"):
        words[-1] = words[-1][:-1]
    words = [one for one in words if one] if len(words) != 3 else words
    if len(words) == 1 and words[0].startswith("$"):
        return words[0], "true", ""
    if len(words) == 2 and words[1] in ("=", "!="):
        words.append("")
    if len(words) != 3 or words[1] not in ("=", "!=", "~", "!~", "~*", "!~*"):
        raise PatternError("a condition on files", "no request tells what files there are")
    return words[0], words[1], words[2]


def compared(value: str, operator: str, operand: str) -> bool:
    """A test whose subject is known; raises `PatternError` where it holds variables."""
    if has_variables(value) and operator not in ("true",):
        raise PatternError(f"a condition on `{value}`", "decide by the variable itself")
    negated = operator.startswith("!")
    match operator.removeprefix("!"):
        case "true":
            return value not in ("", "0")
        case "=":
            return (value == operand) != negated
        case "=*":
            return value.lower() == operand.lower()
        case "~" | "~*" as kind:
            try:
                found = re.search(operand, value, re.IGNORECASE if kind == "~*" else 0)
            except re.error:
                raise PatternError(f"`{operand}` is no expression", "correct it") from None
            return bool(found) != negated
    raise PatternError(f"`{operator}` on a text", "use `=`")


def _on_host(scope: Scope, name: str, operator: str, operand: str) -> Iterator[Scope]:
    if operator == "true":
        yield scope
        return
    host = operand.partition(":")[0] if name == "http_host" else operand
    if operator == "mask":
        if host.startswith(".") and (bare := scope.with_name(host[1:])) is not None:
            yield bare
        masked = scope.with_mask(f"*{host}" if host.startswith(".") else host)
        if masked is not None:
            yield masked
        return
    found = scope.with_name(host) if operator in ("=", "=*") else scope.with_host(operand)
    if found is not None:
        yield found


def _on_method(scope: Scope, name: str, operator: str, operand: str) -> Iterator[Scope]:
    if operator in ("=", "=*"):
        methods = frozenset((operand.upper() if operator == "=*" else operand,))
    else:
        words = re.fullmatch(r"\^?\(?(?:\?:)?([A-Z]+(?:\|[A-Z]+)*)\)?\$?", operand)
        if words is None:
            raise PatternError(f"`{operand}` on a method", "write `^(GET|POST)$`")
        methods = frozenset(words[1].split("|"))
    methods = methods if scope.methods is None else methods & scope.methods
    if methods:
        yield msgspec.structs.replace(scope, methods=methods)


def _on_path(scope: Scope, name: str, operator: str, operand: str) -> Iterator[Scope]:
    asked = scope if name != "request_uri" else msgspec.structs.replace(scope, uri="")
    if operator in ("=", "=*"):
        path, mark, query = operand.partition("?")
        exact = asked.with_exact(path, ignore_case=operator == "=*" and path.lower() != path.upper())
        if exact is not None and name == "request_uri":
            exact = msgspec.structs.replace(exact, query=query if mark else "")
        if exact is not None:
            yield exact
        return
    if name == "request_uri" and operand.endswith("$") and not operand.endswith(("(.*)$", ".*$", r"\$")):
        for one in asked.with_path(operand, ignore_case=operator == "~*"):
            yield msgspec.structs.replace(one, query="")
        return
    if name != "request_uri":
        yield from asked.with_path(operand, ignore_case=operator == "~*")
        return
    if r"\?" in operand or not operand.startswith(("^/", "^(/", "^(.*)")):
        raise PatternError("an expression that may match in the query", "begin it with `^/`, or ask `$uri`")
    for one in asked.with_path(operand, ignore_case=operator == "~*"):
        yield _with_query(one) if re.search(r"\(\.[*+]\)\$?$", operand) else one


def _with_query(scope: Scope) -> Scope:
    """The last group of an expression on `$request_uri` holds the query, too."""
    held = dict(scope.known)
    last = max((key for key in held if key.isdecimal() and held[key]), default="")
    return scope.with_known({last: f"{held[last]}?{{url.query}}"}) if last else scope


def _on_query(scope: Scope, name: str, operator: str, operand: str) -> Iterator[Scope]:
    if operator == "=" and not operand:
        if scope.query in (None, ""):
            yield msgspec.structs.replace(scope, query="")
        return
    raise PatternError("a condition on the whole query", "decide by `$arg_…`")


def _on_field(scope: Scope, name: str, operator: str, operand: str) -> Iterator[Scope]:
    of, _, key = name.partition("_")
    if operator == "true":
        values = None
    elif operator in ("=", "=*") and operand:
        values = (operand,)
    else:
        words = re.fullmatch(r"\^\(?([\w.-]+(?:\|[\w.-]+)*)\)?\$", operand) if operator == "~" else None
        if words is None:
            raise PatternError(f"`{operand}` on `${name}`", "compare with whole values")
        values = tuple(words[1].split("|"))
    kinds = {"http": "header", "cookie": "cookie", "arg": "query"}
    header = key.replace("_", "-").lower() if of == "http" else key
    test = FieldCondition(header, values, kinds[of])  # type: ignore[arg-type]
    yield msgspec.structs.replace(scope, when=(*scope.when, test))


SUBJECTS: tuple[tuple[str, Callable[[Scope, str, str, str], Iterator[Scope]]], ...] = (
    ("host", _on_host),
    ("http_host", _on_host),
    ("request_method", _on_method),
    ("request_uri", _on_path),
    ("uri", _on_path),
    ("document_uri", _on_path),
    ("args", _on_query),
    ("query_string", _on_query),
    ("http_", _on_field),
    ("cookie_", _on_field),
    ("arg_", _on_field),
)
