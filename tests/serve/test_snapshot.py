"""A rule set handed to another process, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from detour.core.message import Request
from detour.errors import Fault, RuleError, ServeError, Span
from detour.load import Loaded, load_files
from detour.serve.process import anonymous_file
from detour.serve.snapshot import Edition, read_manifest, read_rules, write_faults, write_rules
from detour.serve.stats import SlotTable
from tests.serve.running_server import rule


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    path = tmp_path / "detours.toml"
    path.write_text(rule("a", "/v1/:id", "/v2/{id}") + rule("b", "/old/*", "https://example.org/{0}"))
    return load_files(path)


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = anonymous_file("detour-test")
    yield made
    os.close(made)


def test_rules_decide_the_same_after_the_journey(loaded: Loaded, descriptor: int) -> None:
    write_rules(descriptor, loaded)
    rules = read_rules(descriptor)
    for path in ("/v1/7", "/old/x/y?z=1", "/elsewhere"):
        request = Request.of("POST", f"https://example.com{path}")
        assert rules.decide(request, 0.0).location == loaded.ruleset.decide(request, 0.0).location
    assert rules.decide(Request.of("POST", "https://example.com/v1/7"), 0.0).location == "/v2/7"


def test_the_manifest_tells_the_parent_what_it_must_know(loaded: Loaded, descriptor: int) -> None:
    write_rules(descriptor, loaded)
    manifest = read_manifest(descriptor)
    assert (manifest.rules, manifest.series, manifest.files) == (2, ("a", "b"), loaded.files)
    assert manifest.server == loaded.ruleset.server


def test_flags_are_laid_over_the_server_table(loaded: Loaded, descriptor: int) -> None:
    write_rules(descriptor, loaded, {"redirect_by": False})
    assert read_manifest(descriptor).server.redirect_by is False
    assert read_rules(descriptor).server.redirect_by is False


def test_faults_arrive_as_they_were_found(descriptor: int) -> None:
    faults = (Fault(Span("f", 1), "one"), Fault(Span("f", 9), "two", "mend it"))
    write_faults(descriptor, faults)
    with pytest.raises(RuleError) as caught:
        read_manifest(descriptor)
    assert caught.value.faults == faults
    with pytest.raises(ServeError, match="faults"):
        read_rules(descriptor)


def test_a_writer_that_died_early_is_noticed(descriptor: int) -> None:
    with pytest.raises(ServeError, match="ended early"):
        read_manifest(descriptor)


def test_every_cut_is_noticed(loaded: Loaded, descriptor: int) -> None:
    write_rules(descriptor, loaded)
    whole = os.fstat(descriptor).st_size
    for size in range(0, whole, max(1, whole // 50)):
        os.ftruncate(descriptor, size)
        with pytest.raises(ServeError):
            read_rules(descriptor)
        os.ftruncate(descriptor, 0)
        write_rules(descriptor, loaded)


def test_a_changed_octet_is_noticed(loaded: Loaded, descriptor: int) -> None:
    write_rules(descriptor, loaded)
    place = os.fstat(descriptor).st_size - 3
    os.pwrite(descriptor, bytes([os.pread(descriptor, 1, place)[0] ^ 1]), place)
    with pytest.raises(ServeError, match="damaged"):
        read_rules(descriptor)


def test_an_edition_brings_rules_and_the_slots_of_their_hits(loaded: Loaded) -> None:
    descriptor = anonymous_file("detour-test")
    write_rules(descriptor, loaded)
    slots = SlotTable().assign(loaded.ruleset.series)
    edition = Edition.issue(3, descriptor, loaded.ruleset.series, slots)
    rules, found = edition.load()
    assert (len(rules.rules), found) == (2, slots)
    edition.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)
