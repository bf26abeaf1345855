"""Compiled rules as a file: whole and of this version, or refused in one line."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour import Request, load
from detour.core.matcher import Settings
from detour.core.record import Record, Shared
from detour.core.rule import Example
from detour.errors import Fault, RuleError, SnapshotError, Span
from detour.load import compile_into, load_files
from detour.snapshot import (
    MAGIC,
    STORED,
    VERSION,
    Directory,
    SourceFile,
    Writer,
    anonymous_file,
    copy,
    is_snapshot,
    open_rules,
    read_directory,
)
from tests.core.rules import rules as read_in_memory
from tests.serve.running_server import rule

_DIRECTORY = struct.Struct("=16xQQ")  # where the header says that the directory stands, and its size


def written(folder: Path) -> Path:
    """A rule file with rules for every section, and an import."""
    path = folder / "detours.toml"
    path.write_text(
        rule("exact", "/v1/a", "/v2/a")
        + rule("segments", "/v1/:id/x", "/v2/{id}", 'cache = "60s"')
        + rule("prefix", "//old.example/*", "https://example.org/{0}", 'methods = ["GET"]')
        + rule("tried", "/*/end", "https://example.org/{0}?a=1#{0}")
        + '[[rule]]\nname = "bulk"\nimport = "bulk.csv"\ndialect = "csv"\n'
    )
    (folder / "bulk.csv").write_text("".join(f"/b/{n},https://example.org/{n},308\n" for n in range(100)))
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def compiled(rules: Path) -> Path:
    return compile_to(rules, rules.with_name("rules.compiled"))


def compile_to(rules: Path, output: Path) -> Path:
    with output.open("wb+") as file:
        compile_into(file.fileno(), rules)
    return output


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = anonymous_file("detour-test")
    yield made
    os.close(made)


REQUESTS = ("/v1/a", "/v1/7/x", "/q/end", "/b/99", "/b/100", "/elsewhere?x=1")


def answers(path: Path) -> list[tuple[int, str | None, str | None]]:
    found = []
    for host in ("https://example.com", "http://old.example"):
        for target in REQUESTS:
            decision = load(path).decide(Request.of("GET", host + target), 0.0)
            name = decision.rule.name if decision.rule else None
            found.append((decision.status, decision.location, name))
    return found


def test_compiled_rules_decide_as_the_rule_file_does(rules: Path, compiled: Path) -> None:
    assert answers(compiled) == answers(rules)
    assert {status for status, _, _ in answers(rules)} == {307, 308, 404}


def test_every_rule_is_listed_as_it_was_written(rules: Path, compiled: Path) -> None:
    assert [*load(compiled).rules] == [*load(rules).rules]
    assert [rule.pattern for rule in load(compiled).rules][:3] == ["/v1/a", "/v1/:id/x", "//old.example/*"]


def test_the_manifest_names_each_file_and_its_digest(rules: Path, compiled: Path) -> None:
    with compiled.open("rb") as file:
        manifest = read_directory(file.fileno()).manifest
    assert manifest is not None
    bulk = rules.with_name("bulk.csv")
    assert manifest.sources == tuple(SourceFile.of(str(one), one.read_bytes()) for one in (rules, bulk))
    assert manifest.files == (str(rules), str(bulk))
    assert (manifest.rules, manifest.series[-1]) == (104, "bulk")


def test_of_a_compiled_file_that_file_alone_is_watched(compiled: Path) -> None:
    assert load_files(compiled).files == (str(compiled),)


def test_flags_are_laid_over_the_server_table(rules: Path, compiled: Path, descriptor: int) -> None:
    for path in (rules, compiled):
        assert compile_into(descriptor, path, {"redirect_by": False}).server.redirect_by is False
        assert open_rules(descriptor).server.redirect_by is False
        assert len(open_rules(descriptor, populate=True).rules) == 104


# --- what is refused ------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(RuleError) as caught:
        load(path)
    told = str(caught.value)
    assert told.startswith(f"{path}: ")
    assert "\n" not in told
    return told


def boundaries(octets: bytes) -> list[int]:
    """Every place at which something begins or ends."""
    directory, size = _DIRECTORY.unpack_from(octets)
    unpacked = msgspec.msgpack.decode(octets[directory : directory + size])
    ends = {end for place, length, _ in unpacked["sections"].values() for end in (place, place + length)}
    return sorted({*range(1, 49), *ends, directory, len(octets)})  # the header is 48 octets


def test_a_file_cut_short_anywhere_is_refused(compiled: Path) -> None:
    whole = compiled.read_bytes()
    places = boundaries(whole)
    for place in sorted({cut + step for cut in places for step in (-1, 0, 1)} & {*range(1, len(whole))}):
        compiled.write_bytes(whole[:place])
        assert "compile it again: detour compile" in refusal(compiled)


def test_a_file_with_something_behind_it_is_refused(compiled: Path) -> None:
    compiled.write_bytes(compiled.read_bytes() + b"\0")
    assert "not of the length" in refusal(compiled)


def test_a_bit_that_flips_anywhere_is_noticed(compiled: Path) -> None:
    whole = bytearray(compiled.read_bytes())
    for place in (*range(96), *range(96, len(whole), 7), *range(len(whole) - 64, len(whole))):
        whole[place] ^= 1 << place % 8
        compiled.write_bytes(whole)
        whole[place] ^= 1 << place % 8
        refusal(compiled)


def test_a_newer_format_is_told_by_its_number(compiled: Path) -> None:
    octets = bytearray(compiled.read_bytes())
    octets[len(MAGIC) : len(MAGIC) + 4] = struct.pack("=I", VERSION + 1)
    compiled.write_bytes(octets)
    assert f"format {VERSION + 1}, and this program reads {VERSION}" in refusal(compiled)


def test_another_build_with_other_structs_is_refused(compiled: Path) -> None:
    octets = bytearray(compiled.read_bytes())
    octets[12:16] = bytes(4)
    compiled.write_bytes(octets)
    assert "another build" in refusal(compiled)


@pytest.mark.parametrize("octets", [b"\x7fELF\x02\x01\x01", b"PK\x03\x04", b"<html>", b"\x89PNG\r\n\x1a\n"])
def test_a_foreign_file_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(octets)
    with pytest.raises(RuleError) as caught:
        load(path)
    assert len(caught.value.faults) == 1


def test_a_file_of_faults_holds_no_rules(descriptor: int) -> None:
    error = RuleError((Fault(Span("f", 1), "one", "mend it"), Fault(Span("f", 9), "two", "mend it")), ("f",))
    writer = Writer(descriptor)
    writer.append(b"what was written before the fault was found")
    writer.refuse(error)
    directory = read_directory(descriptor)
    assert (directory.manifest, directory.faults, directory.files) == (None, error.faults, ("f",))
    with pytest.raises(SnapshotError, match="faults"):
        open_rules(descriptor)
    with pytest.raises(SnapshotError, match="faults"):
        copy(descriptor, Writer(os.memfd_create("other")))


def test_a_writer_that_died_leaves_no_snapshot(descriptor: int) -> None:
    writer = Writer(descriptor)
    writer.section("records", b"x" * 1000)
    assert not is_snapshot(descriptor)
    with pytest.raises(SnapshotError, match="not written to its end"):
        open_rules(descriptor)


def stored(kind: Any) -> set[type]:
    """Every struct that a value of `kind` can hold."""
    found: set[type] = set()

    def visit(told: Any) -> None:
        if isinstance(told, msgspec.inspect.StructType) and told.cls in found:
            return
        if isinstance(told, msgspec.inspect.StructType):
            found.add(told.cls)
            for field in told.fields:
                visit(field.type)
        for name in ("types", "item_types"):
            for inner in getattr(told, name, ()):
                visit(inner)
        for name in ("item_type", "key_type", "value_type", "type"):
            if hasattr(told, name):
                visit(getattr(told, name))

    visit(msgspec.inspect.type_info(kind))
    return found


def test_the_layout_knows_every_struct_that_is_stored() -> None:
    kinds = (Record, Shared, Settings, Directory, tuple[Example, ...])
    assert set(STORED) == set[type]().union(*map(stored, kinds))


# --- the oracle -----------------------------------------------------------------------------

SEGMENT = st.sampled_from(["a", "b", ":id", "*", "a-*", "(a|b)"])
PATTERN = st.tuples(
    st.sampled_from(["", "//h.example", "https://h.example"]), st.lists(SEGMENT, min_size=1, max_size=3)
).map(
    lambda found: found[0] + "".join(f"/{one}{i if one == ':id' else ''}" for i, one in enumerate(found[1]))
)
LOCATION = st.sampled_from(
    ["/z", "/a/b?{url.query}", "//other/z", "https://Other.example:443/ü?q#f", "https://h.example/{{x"]
)
OPTION = st.sampled_from(["", "ignore_case = true", 'methods = ["GET"]', "from = 1970-01-01T00:00:50Z"])
PATH = st.lists(st.sampled_from(["a", "b", "B", "c", ""]), min_size=1, max_size=3).map("/".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(PATTERN, LOCATION, OPTION), max_size=8), st.lists(PATH, min_size=1, max_size=8))
def test_rules_decide_the_same_after_any_journey(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str, str]], paths: list[str]
) -> None:
    """Read in memory by the pure reader; compiled, written, copied and mapped by the door."""
    text = "".join(rule(f"r{n}", *each) for n, each in enumerate(made))
    folder = tmp_path_factory.mktemp("journey")
    (folder / "detours.toml").write_text(text)
    opened = load(compile_to(folder / "detours.toml", folder / "compiled"))
    expected = read_in_memory(text)
    for path in paths:
        for origin in ("http://h.example", "https://h.example"):
            request = Request.of("POST" if "b" in path else "GET", f"{origin}/{path}?k=v")
            for now in (0.0, 100.0):
                there, here = opened.decide(request, now), expected.decide(request, now)
                assert (there.status, there.fields) == (here.status, here.fields)
                assert (there.rule and there.rule.name) == (here.rule and here.rule.name)
