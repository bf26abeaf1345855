"""A compiled rule set as a file that every process of the server maps.

    header     magic, version, kind, digest of all that follows, size of the directory
    directory  the manifest (or the faults), and where each section stands
    sections   the rules, as `core.matcher.RuleSet` opens them; each at a multiple of 8

The manifest is what the parent needs to know (settings, names, files to watch); it never opens the
rules. Nothing in the file is executed when it is read. The digest (xxHash3, 128 bits) guards against a
writer that died half-way and against decay, not against an enemy.

An edition is a snapshot in force: it adds the slots that its hits are counted in, and is handed on as
descriptors that any process of the server can open.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import xxhash

from detour.core.matcher import RuleSet
from detour.core.settings import ListenerSettings, ServerSettings, pack, unpack
from detour.errors import Fault, RuleError, ServeError
from detour.serve.channel import Kind, Message
from detour.serve.process import anonymous_file
from detour.serve.stats import pack_slots, unpack_slots

MAGIC = b"detour\r\n"
VERSION = 1

_HEADER = struct.Struct("<8sI4x16sQ")
_ALIGNED = 8
_CHUNK = 1 << 20  # octets digested between two chances for other threads


class Loaded(Protocol):
    """What a rule source yields: the rules, every file that was read, and warnings."""

    @property
    def ruleset(self) -> RuleSet: ...
    @property
    def files(self) -> tuple[str, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


class Manifest(msgspec.Struct, frozen=True):
    """A rule set as the parent knows it."""

    rules: int
    series: tuple[str, ...]
    server: ServerSettings
    listeners: tuple[ListenerSettings, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Directory(msgspec.Struct, frozen=True):
    """What a snapshot holds: a manifest and sections (place from the first section on, length), or faults."""

    manifest: Manifest | None
    faults: tuple[Fault, ...]
    sections: dict[str, tuple[int, int]]


def write_rules(descriptor: int, loaded: Loaded, overrides: Mapping[str, Any] | None = None) -> None:
    """Write rules and manifest into the empty file `descriptor`; `overrides` replace keys of `[server]`."""
    rules = loaded.ruleset
    if overrides:
        rules = rules.with_server(msgspec.structs.replace(rules.server, **overrides))
    manifest = Manifest(
        rules=len(rules.rules),
        series=rules.series,
        server=rules.server,
        listeners=rules.listeners,
        files=loaded.files,
        warnings=loaded.warnings,
    )
    places: dict[str, tuple[int, int]] = {}
    end = 0
    for name, section in rules.sections.items():
        places[name] = end, len(section)
        end += len(section) + -len(section) % _ALIGNED
    _write(descriptor, Directory(manifest, (), places), rules.sections)


def write_faults(descriptor: int, faults: tuple[Fault, ...]) -> None:
    """Write the faults that stand in the way of a rule set into the empty file `descriptor`."""
    _write(descriptor, Directory(None, faults, {}), {})


def read_manifest(descriptor: int) -> Manifest:
    """The manifest; raises `RuleError` for a file of faults, `ServeError` for one that is not whole."""
    directory, _ = _open(descriptor)
    if directory.manifest is None:
        raise RuleError(directory.faults)
    return directory.manifest


def read_rules(descriptor: int) -> RuleSet:
    """The rules, mapped; raises `ServeError` for a file that is not whole or holds none."""
    directory, sections = _open(descriptor)
    if directory.manifest is None:
        raise ServeError("a snapshot of faults holds no rules")
    return RuleSet(
        {name: sections[place : place + size] for name, (place, size) in directory.sections.items()}
    )


class Edition(msgspec.Struct, frozen=True):
    """A snapshot and the slots its hits are counted in; `generation` counts editions from 1."""

    generation: int
    rules: int  # descriptor of a snapshot
    slots: int  # descriptor of packed slots

    @classmethod
    def issue(cls, generation: int, rules: int, series: tuple[str, ...], slots: dict[str, int]) -> Edition:
        """An edition of the snapshot `rules`, which it owns from now on."""
        descriptor = anonymous_file("detour-slots")
        with os.fdopen(os.dup(descriptor), "wb") as out:
            out.write(pack_slots(series, slots))
        return cls(generation, rules, descriptor)

    @classmethod
    def received(cls, message: Message) -> Edition:
        """The edition that a `Kind.RULES` message carries."""
        assert message.kind is Kind.RULES
        rules, slots = message.descriptors
        return cls(message.generation, rules, slots)

    @property
    def descriptors(self) -> tuple[int, int]:
        return self.rules, self.slots

    def load(self) -> tuple[RuleSet, dict[str, int]]:
        """The rules, and the slot of each of their series. Takes long for many rules."""
        rules = read_rules(self.rules)
        packed = os.pread(self.slots, os.fstat(self.slots).st_size, 0)
        return rules, unpack_slots(rules.series, packed)

    def close(self) -> None:
        """Close this process's descriptors."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def _write(descriptor: int, directory: Directory, sections: Mapping[str, memoryview]) -> None:
    head = pack(directory)
    digest = xxhash.xxh3_128()
    # The header goes last: a file without one is a file whose writer did not finish.
    place = _HEADER.size
    for part in (memoryview(head), *sections.values()):
        padded = -len(part) % _ALIGNED
        for piece in (part, memoryview(bytes(padded))):
            digest.update(piece)
            place = _write_at(descriptor, piece, place)
    _write_at(descriptor, memoryview(_HEADER.pack(MAGIC, VERSION, digest.digest(), len(head))), 0)


def _write_at(descriptor: int, rest: memoryview, place: int) -> int:
    while len(rest):
        written = os.pwrite(descriptor, rest, place)
        rest, place = rest[written:], place + written
    return place


def _open(descriptor: int) -> tuple[Directory, memoryview]:
    """The directory and the sections; raises `ServeError` for a file that is not whole, or not ours."""
    if os.fstat(descriptor).st_size < _HEADER.size:
        raise ServeError("the rules were not written: the process that compiles them ended early")
    whole = memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))
    magic, version, digest, size = _HEADER.unpack_from(whole)
    if magic != MAGIC:
        raise ServeError("the file is no snapshot of compiled rules, or was not written whole")
    if version != VERSION:
        raise ServeError(f"the snapshot has format {version}, this program reads {VERSION}; compile it again")
    rest = whole[_HEADER.size :]
    found = xxhash.xxh3_128()
    for place in range(0, len(rest), _CHUNK):
        found.update(rest[place : place + _CHUNK])
    if found.digest() != digest:
        raise ServeError("the compiled rules are cut short or damaged; compile them again")
    try:
        return unpack(rest[:size], Directory), rest[size + -size % _ALIGNED :]
    except msgspec.MsgspecError:
        raise ServeError("the snapshot is of another version; compile it again") from None
