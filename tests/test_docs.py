"""Documentation made from tables is up to date, and what is written by hand is true."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from detour.formats.conversion import Document
from detour.formats.native import read

ROOT = Path(__file__).parent.parent


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["statuses.md", "reference.md", "findings.md", "policies.md"])
def test_a_made_page_is_what_its_table_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == maker().page(name), "run python docs/make.py"


def snippets() -> list[tuple[str, str]]:
    found = []
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        blocks = re.findall(r"```toml\n(.*?)```", file.read_text(), re.DOTALL)
        found += [(f"{file.name}-{number}", block) for number, block in enumerate(blocks)]
    return found


@pytest.mark.parametrize("block", [block for _, block in snippets()], ids=[name for name, _ in snippets()])
def test_every_rule_file_in_the_documentation_loads(block: str) -> None:
    imports = {rule.get("import", ""): "/a /b\n" for rule in tomllib.loads(block).get("rule", [])}
    assert read(Document.parse("doc.toml", block), imports).ruleset is not None


def test_every_link_in_the_documentation_leads_to_a_file() -> None:
    for file in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", file.read_text()):
            if "://" not in target:
                assert (file.parent / target).exists(), f"{file.name} links to {target}"
