"""Imports point down only, and siblings never import each other: function-local and type-only ones count."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "detour"

# Bottom first; names on one line are siblings. `detour` itself (the public door) imports what it shows.
LAYERS = (
    ("errors",),
    ("core",),
    ("formats",),
    ("audit",),
    ("snapshot",),
    ("load", "net"),
    ("serve", "follow", "lab"),
    ("control", "prove"),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

PURE = ("core", "formats", "audit")
IMPURE_MODULES = {
    *("os", "io", "time", "random", "secrets", "logging", "socket", "pathlib", "subprocess", "threading"),
    *("asyncio", "tempfile", "shutil", "signal", "uvloop", "httptools", "sys"),
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "types", "misc"}

FILES = sorted(SOURCE.rglob("*.py"))


def imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides where it points"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer(name: str) -> str:
    return name.removeprefix("detour.").split(".")[0]


def room(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_point_down(file: Path) -> None:
    here = room(file)
    if here == "__init__":
        return
    assert here in LEVEL, f"{here} stands in no layer"
    for name in imports(file):
        if name.split(".")[0] != "detour" or layer(name) == here:
            continue
        if layer(name) not in LEVEL:
            assert here == "cli", f"{file}: only the command line may import the public door ({name})"
            continue
        assert LEVEL[layer(name)] < LEVEL[here], f"{file} imports {name}, which is not below it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_pure_layers_import_nothing_that_acts(file: Path) -> None:
    if room(file) in PURE:
        assert not {name.split(".")[0] for name in imports(file)} & IMPURE_MODULES


def test_no_file_is_named_for_nothing() -> None:
    assert not [file for file in FILES if file.stem in FORBIDDEN_NAMES]


def cycles(graph: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()
    found: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            found.append(" -> ".join((*path[path.index(name) :], name)))
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
    return found


def test_there_is_no_import_cycle_of_any_kind() -> None:
    modules = {".".join(("detour", *file.relative_to(SOURCE).with_suffix("").parts)) for file in FILES}
    graph = {}
    for file in FILES:
        name = ".".join(("detour", *file.relative_to(SOURCE).with_suffix("").parts))
        graph[name] = {
            target if target in modules else target.rpartition(".")[0]
            for target in imports(file)
            if target.startswith("detour.")
        } & modules
    assert cycles(graph) == []


def test_a_cycle_would_be_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]
