"""Fields of Envoy's messages, in YAML and JSON."""

from __future__ import annotations

import re

from detour.errors import NodeError
from detour.formats.regex_octets import as_characters
from detour.formats.yaml_nodes import Node


def field(node: Node | None, name: str) -> Node | None:
    """A field of a message, as written in either of the names that protobuf's JSON has for it."""
    if node is None or not node.is_mapping:
        return None
    found = node.get(name)
    return found if found is not None or "_" not in name else node.get(_camel(name))


def items(node: Node | None, name: str) -> tuple[Node, ...]:
    """The list in a field; empty where there is none."""
    found = field(node, name)
    return () if found is None else found.sequence


def text(node: Node | None, name: str) -> str | None:
    """The text in a field."""
    found = field(node, name)
    return None if found is None else found.text


def is_set(node: Node | None, name: str) -> bool:
    """Whether a boolean field is true."""
    found = field(node, name)
    return found is not None and found.boolean


def regex(node: Node) -> str:
    """The expression of a RegexMatcher. Envoy sees paths as they were sent: encoded octets in it are the
    characters that they stand for."""
    found = text(node, "regex")
    if found is None:
        raise node.unlike("a regular expression", "write `regex: …`")
    return as_characters(found)


def refuse_others(node: Node, known: frozenset[str], fact: str) -> None:
    """Raise `NodeError` for a field of a message that is not among those `known`."""
    for key, value in node.mapping.items():
        if snake(key) not in known and not value.is_null:
            raise NodeError(value.line, f"`{key}` {fact}", "write a route without it")


def snake(name: str) -> str:
    """The name of a field as YAML mostly has it."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def literal_template(written: str) -> str:
    """A text as a template that yields it."""
    return written.replace("{", "{{").replace("}", "}}")
