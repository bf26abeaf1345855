"""The house rules that a program can see."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import detour

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "detour"

# The one file that may be ugly (design, section 10).
LONG_FILES = {"serve/protocol.py"}


def run(*command: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_the_linters_are_content(command: tuple[str, ...]) -> None:
    status, said = run(*command)
    assert status == 0, said


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        str(file.relative_to(SOURCE)): lines
        for file in SOURCE.rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > 400
    }
    assert set(long) <= LONG_FILES, long


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{file.relative_to(SOURCE)}:{node.lineno} {node.name}"
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= 60
    ]
    assert long == []


def test_every_public_name_is_there_sorted_and_explained() -> None:
    assert detour.__all__ == sorted(detour.__all__, key=lambda name: (not name.isupper(), name))
    for name in detour.__all__:
        found = getattr(detour, name)
        assert name.isupper() or found.__doc__, f"{name} has no docstring"


def test_pins_are_exact_and_name_no_index() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        for line in file.read_text().splitlines():
            assert "://" not in line, f"{file.name}: {line}"
            assert line.startswith(("#", "-r ")) or "==" in line, f"{file.name}: {line}"


def test_the_version_is_one() -> None:
    assert f'version = "{detour.__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## {detour.__version__}" in (ROOT / "CHANGELOG.md").read_text()
