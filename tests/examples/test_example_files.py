"""The files of examples/ as they are: right, complete, and known to editors."""

from __future__ import annotations

import subprocess

import pytest

from tests.examples.recipes import NAMES
from tests.examples.running import EXAMPLES, program


def detour(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("detour"), *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_every_example_is_listed_here() -> None:
    assert {file.parent.name for file in EXAMPLES.glob("*/detours.toml")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_own_examples_pass(name: str) -> None:
    ended = detour("test", str(EXAMPLES / name / "detours.toml"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " 0 failed" in ended.stdout
    assert not ended.stdout.startswith("0 passed")


@pytest.mark.parametrize("name", NAMES)
def test_it_names_the_schema_for_editors(name: str) -> None:
    file = EXAMPLES / name / "detours.toml"
    mark, _, named = file.read_text().splitlines()[0].partition(" ")
    assert mark == "#:schema"
    assert (file.parent / named).resolve() == EXAMPLES / "detours.schema.json"


def test_the_schema_is_what_detour_prints() -> None:
    ended = detour("schema")
    assert ended.stdout == (EXAMPLES / "detours.schema.json").read_text(), (
        "detour schema > examples/detours.schema.json"
    )
