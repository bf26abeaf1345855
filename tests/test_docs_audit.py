"""A page for each check and each dialect, as the sources have it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from detour.audit.checks import CHECKS
from detour.formats.dialects import DIALECTS
from detour.formats.writers import WRITERS

DOCS = Path(__file__).parent.parent / "docs"


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_make_audit", DOCS / "make_audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = maker()


@pytest.mark.parametrize("path", MAKER.pages())
def test_a_made_page_is_what_the_sources_say(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == MAKER.page(path), "run python docs/make_audit.py"


def test_every_check_and_dialect_has_a_page_and_nothing_else_does() -> None:
    assert list(MAKER.stale()) == []
    checks = {path.stem for path in (DOCS / "checks").glob("*.md")} - {"README"}
    assert checks == {check.name for check in CHECKS}
    dialects = {path.stem for path in (DOCS / "dialects").glob("*.md")} - {"README"}
    assert dialects == {one.name for one in (*DIALECTS, *WRITERS)}


@pytest.mark.parametrize("folder", ["checks", "dialects"])
def test_every_link_of_these_pages_leads_to_a_file(folder: str) -> None:
    found = 0
    for file in (DOCS / folder).glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8")):
            assert "://" in target or (file.parent / target).exists(), f"{file.name} links to {target}"
            found += 1
    assert found > 20
