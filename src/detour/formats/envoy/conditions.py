"""What Envoy's route matches ask of header fields and query parameters."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from detour.core.rule import FieldCondition
from detour.errors import NodeError
from detour.formats.demand import of_regex
from detour.formats.envoy.fields import field, is_set, items, snake, text
from detour.formats.routes import header_is, methods, parameter_is
from detour.formats.yaml_nodes import Node

_ANY_VALUE = frozenset((".*", ".+", "^.*$", "^.+$"))
_OLD_MATCHES = frozenset(
    ("exact_match", "prefix_match", "suffix_match", "contains_match", "range_match", "safe_regex_match")
)


class Conditions(msgspec.Struct):
    """The conditions of one match; `scheme` "" where none is asked for."""

    scheme: str = ""
    methods: frozenset[str] | None = None
    when: tuple[FieldCondition, ...] = ()
    unless: tuple[FieldCondition, ...] = ()


def conditions(match: Node) -> Conditions:
    """What a match asks for besides the path; raises `NodeError`."""
    found = Conditions()
    for node in items(match, "headers"):
        name = (text(node, "name") or "").lower()
        if name == ":method":
            given = _method_names(node)
            found.methods = given if found.methods is None else found.methods & given
        elif name in (":scheme", "x-forwarded-proto"):
            values = _values(node)
            if values not in (("http",), ("https",)) or is_set(node, "invert_match"):
                raise NodeError(node.line, "a scheme that is neither http nor https", "write one of them")
            found.scheme = values[0]
        elif name.startswith(":"):
            raise NodeError(node.line, f"`{name}` as a condition", "match the domain and the path instead")
        else:
            _add(found, node, name, header_is)
    for node in items(match, "query_parameters"):
        _add(found, node, text(node, "name") or "", parameter_is)
    return found


def _method_names(node: Node) -> frozenset[str]:
    values = _values(node)
    if values is None or is_set(node, "invert_match"):
        raise NodeError(node.line, "`:method` is not matched exactly", "write the methods")
    return frozenset[str]().union(*map(methods, values))


def _add(found: Conditions, node: Node, name: str, make: Callable[..., FieldCondition]) -> None:
    """One condition; a value that is not there fits nothing, inverted or not."""
    values = _values(node)
    inverted = is_set(node, "invert_match")
    present = field(node, "present_match")
    if values is None:
        wanted = (present is None or present.boolean) is not inverted
        if wanted:
            found.when += (make(name),)
        else:
            found.unless += (make(name),)
    elif inverted:
        if not is_set(node, "treat_missing_header_as_empty"):
            found.when += (make(name),)
        found.unless += (make(name, *values),)
    else:
        found.when += (make(name, *values),)


def _values(node: Node) -> tuple[str, ...] | None:
    """The whole values that a matcher asks for, None where any will do; raises `NodeError`."""
    string = field(node, "string_match")
    matcher = node if string is None else string
    suffix = "_match" if string is None else ""
    exact = text(matcher, f"exact{suffix}")
    if exact is not None and not is_set(matcher, "ignore_case"):
        return (exact,)
    expression = field(matcher, f"safe_regex{suffix}")
    if expression is not None:
        written = text(expression, "regex") or ""
        if written in _ANY_VALUE:
            return None
        texts = of_regex(f"^(?:{written})$" if "|" in written else f"^{written}$")
        if all(one.kind == "exact" for one in texts):
            return tuple(one.text for one in texts)
    elif string is None and not _OLD_MATCHES & {snake(key) for key in node.mapping}:
        return None
    raise NodeError(matcher.line, "a value that is not matched as a whole", "list the values")
