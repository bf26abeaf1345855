"""Where Traefik's configuration comes from: files, labels, flags and custom resources, as one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from detour.errors import NodeError
from detour.formats.draft import LineFault
from detour.formats.toml_places import Path, places
from detour.formats.yaml_nodes import MAX_DEPTH, Node, documents, fault

_GROUPS = ("traefik.io", "traefik.containo.us")
_TOML = re.compile(r"^[^\S\n]*(?:\[+[\w.\"'-]+\]+\s*(?:#.*)?|[\w.-]+\s*=\s*\S.*)$", re.MULTILINE)
_DOCUMENT = re.compile(r"^[^\S\n]*(?:[\"']?[\w./-]+[\"']?\s*:(?:\s|$)|[{\[]\s*\")", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\$|\{[^{}]*\}|\w+)")


class Router(msgspec.Struct, frozen=True):
    """What says where requests go that its rule fits."""

    line: int
    name: str
    rule: str | None
    entry_points: tuple[str, ...]
    middlewares: tuple[str, ...]
    tls: bool
    priority: int = 0  # 0: the length of the rule
    namespace: str = ""


class Configuration(msgspec.Struct):
    """All that is written of routers, middlewares and entry points."""

    routers: list[Router] = []
    middlewares: dict[str, Node] = {}
    entry_points: dict[str, Node] = {}
    faults: list[LineFault] = []


def configuration(text: str) -> Configuration:
    """What a text says; what it says wrongly is among the faults."""
    found = Configuration([], {}, {}, [])
    for document in _documents(text):
        if isinstance(document, LineFault):
            found.faults.append(document)
            continue
        try:
            _take(document, found)
        except NodeError as error:
            found.faults.append(fault(error))
    return found


# ---- fields, whose names Traefik compares without case


def field(node: Node | None, *names: str) -> Node | None:
    """What stands under a key, then under the next one in that; None where there is no such table."""
    for name in names:
        if node is None or not isinstance(node.value, Mapping):
            return None
        wanted = name.lower()
        node = next((one for key, one in node.value.items() if key.lower() == wanted), None)
        node = None if node is None or node.is_null else node
    return node


def listed(node: Node | None) -> tuple[str, ...]:
    """A list of texts, or one text with commas, as in labels."""
    if node is None:
        return ()
    if isinstance(node.value, str):
        return tuple(part.strip() for part in node.value.split(",") if part.strip())
    return tuple(one.text for one in node.sequence)


def truth(node: Node | None, *, otherwise: bool = False) -> bool:
    """A boolean, or what it is where it is not written."""
    return otherwise if node is None else node.boolean


# ---- documents


def _documents(text: str) -> Iterator[Node | LineFault]:
    if not _DOCUMENT.search(text) or _first(_TOML, text) < _first(_DOCUMENT, text):
        yield _toml(text)
    else:
        yield from documents(text)


def _first(expression: re.Pattern[str], text: str) -> int:
    found = expression.search(text)
    return len(text) if found is None else found.start()


def _toml(text: str) -> Node | LineFault:
    try:
        loaded = tomllib.loads(text)
    except ValueError as error:  # tomllib's own, and that of a number with thousands of digits
        found = re.search(r"at line (\d+)", str(error))
        return LineFault(int(found[1]) if found else 1, f"neither YAML nor TOML: {error}", "correct it")
    except RecursionError:
        return LineFault(1, "not TOML: nested too deep", "write flat tables")
    try:
        return _of_toml(loaded, (), places(text), 1)
    except NodeError as error:
        return fault(error)


def _of_toml(value: Any, path: Path, lines: Mapping[Path, int], line: int) -> Node:
    if len(path) > MAX_DEPTH:
        raise NodeError(line, f"nested more than {MAX_DEPTH} deep", "write it flatter")
    line = lines.get(path, line)
    if isinstance(value, dict):
        return Node(line, {key: _of_toml(one, (*path, key), lines, line) for key, one in value.items()})
    if isinstance(value, list):
        parts = enumerate(value)
        return Node(line, tuple(_of_toml(one, (*path, number), lines, line) for number, one in parts))
    return Node(line, str(value).lower() if isinstance(value, bool) else str(value))


def _take(document: Node, found: Configuration) -> None:
    if not document.is_mapping:
        return
    group = (document.text_at("apiVersion") or "").partition("/")[0]
    if group in _GROUPS:
        _resource(document, found)
    elif document.get("kind") is not None and (document.text_at("kind") or "").endswith("List"):
        for item in document.list_at("items"):
            _take(item, found)
    elif document.get("apiVersion") is None:
        _dynamic(document, found)
        services = document.get("services")
        for service in services.mapping.values() if services is not None and services.is_mapping else ():
            _service(service, found)


def _dynamic(root: Node, found: Configuration) -> None:
    """A dynamic or static configuration; both may stand in one text."""
    points = field(root, "entryPoints")
    if points is not None and points.is_mapping:
        found.entry_points |= {name.lower(): one for name, one in points.mapping.items()}
    middlewares = field(root, "http", "middlewares")
    if middlewares is not None:
        found.middlewares |= middlewares.mapping
    routers = field(root, "http", "routers")
    for name, node in routers.mapping.items() if routers is not None else ():
        rule, priority = field(node, "rule"), field(node, "priority")
        found.routers.append(
            Router(
                node.line if rule is None else rule.line,
                name,
                None if rule is None else rule.text,
                tuple(one.lower() for one in listed(field(node, "entryPoints"))),
                listed(field(node, "middlewares")),
                _has_tls(node),
                0 if priority is None else priority.integer,
            )
        )


def _has_tls(router: Node) -> bool:
    """Whether a router is for https: `tls: {}` says so, too."""
    if not isinstance(router.value, Mapping):
        return False
    found = next((one for key, one in router.value.items() if key.lower() == "tls"), None)
    return found is not None and not found.is_null and str(found.value).lower() != "false"


# ---- labels and flags


def _service(service: Node, found: Configuration) -> None:
    """A service of a Compose file: its labels, and the flags that Traefik itself is started with."""
    if not service.is_mapping:
        return
    for holder in (service, field(service, "deploy")):
        labels = field(holder, "labels")
        if labels is not None:
            _dynamic(_tree(_labels(labels), "traefik."), found)
    command = field(service, "command")
    if command is not None:
        words = [(one.text, one) for one in command.sequence] if command.is_sequence else []
        if isinstance(command.value, str):
            words = [(word, command) for word in command.value.split()]
        flags = [(*word.removeprefix("--").partition("=")[::2], node) for word, node in words]
        _dynamic(_tree(((name, value, node.line) for name, value, node in flags if name), ""), found)


def _labels(labels: Node) -> Iterator[tuple[str, str, int]]:
    if isinstance(labels.value, Mapping):
        yield from ((name, one.text, one.line) for name, one in labels.value.items() if not one.is_null)
        return
    for one in labels.sequence:
        name, _, value = one.text.partition("=")
        yield name.strip(), value.strip(), one.line


def _tree(pairs: Iterator[tuple[str, str, int]], prefix: str) -> Node:
    """`a.b.c=d` as tables in tables."""
    root: dict[str, Any] = {}
    first = 0
    for name, value, line in pairs:
        if not name.lower().startswith(prefix):
            continue
        first = first or line
        *above, last = name[len(prefix) :].split(".")[:MAX_DEPTH]
        table = root
        for part in above:
            inner = table.setdefault(part if part in table else _known(table, part), {})
            if not isinstance(inner, dict):
                break
            table = inner
        else:
            if not isinstance(table.get(last), dict):
                table[last] = Node(line, _without_variables(value))
    return _of_tree(root, first)


def _known(table: Mapping[str, Any], name: str) -> str:
    """The name as it was written first: they are compared without case."""
    return next((one for one in table if one.lower() == name.lower()), name)


def _of_tree(table: dict[str, Any], line: int) -> Node:
    parts = {key: _of_tree(one, line) if isinstance(one, dict) else one for key, one in table.items()}
    lines = [part.line for part in parts.values() if part.line]
    return Node(min(lines, default=line), parts)


UNKNOWN = "\x00"  # stands for a variable's value


def _without_variables(value: str) -> str:
    """A label as Traefik gets it from Compose: `$$` is a dollar, other variables are not known here."""
    return _VARIABLE.sub(lambda found: "$" if found[0] == "$$" else UNKNOWN, value)


# ---- custom resources


def _resource(document: Node, found: Configuration) -> None:
    kind = document.text_at("kind")
    spec, metadata = document.get("spec"), document.get("metadata")
    name = (metadata.text_at("name") if metadata is not None else None) or ""
    namespace = (metadata.text_at("namespace") if metadata is not None else None) or ""
    if spec is None:
        return
    if kind == "Middleware":
        found.middlewares[f"{namespace}/{name}"] = spec
    elif kind == "IngressRoute":
        points = tuple(one.lower() for one in spec.texts_at("entryPoints"))
        for number, route in enumerate(spec.list_at("routes")):
            found.routers.append(
                Router(
                    route.line_of("match"),
                    f"{name}-{number}",
                    route.text_at("match"),
                    points,
                    tuple(_named(one, namespace) for one in route.list_at("middlewares")),
                    _has_tls(spec),
                    route.integer_at("priority") or 0,
                    namespace,
                )
            )


def _named(reference: Node, namespace: str) -> str:
    """A middleware as resources refer to it."""
    return f"{reference.text_at('namespace') or namespace}/{reference.text_at('name') or ''}"
