"""A snapshot in force, handed to another process with the slots of its hits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from detour.load import compile_into
from detour.serve.edition import Edition
from detour.serve.stats import SlotTable
from detour.snapshot import anonymous_file
from tests.serve.running_server import rule


def test_an_edition_brings_rules_and_the_slots_of_their_hits(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    path.write_text(rule("a", "/v1/:id", "/v2/{id}") + rule("b", "/old/*", "https://example.org/{0}"))
    descriptor = anonymous_file("detour-test")
    manifest = compile_into(descriptor, path)
    slots = SlotTable().assign(manifest.series)
    edition = Edition.issue(3, descriptor, manifest.series, slots)
    rules, found = edition.load()
    assert (len(rules.rules), found) == (2, slots)
    edition.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)
    assert [rule.name for rule in rules.rules] == ["a", "b"]
