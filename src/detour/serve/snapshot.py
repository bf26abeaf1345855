"""A compiled rule set in an anonymous file, handed from the process that compiled it to those that use it.

Header, manifest, rules. The manifest is what the parent needs to know (settings, names, files to
watch); it never loads the rules. Manifest and rules are pickles: only processes of one server ever
hold the file, it has no name, and the digest guards against a writer that died half-way.

An edition is a snapshot in force: it adds the slots that its hits are counted in, and is handed on as
descriptors that any process of the server can open.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import pickle
import struct
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from detour.core.matcher import RuleSet
from detour.core.settings import ListenerSettings, ServerSettings
from detour.errors import Fault, RuleError, ServeError
from detour.serve.channel import Kind, Message
from detour.serve.process import anonymous_file
from detour.serve.stats import pack_slots, unpack_slots

_HEADER = struct.Struct("<8sIIQQ16s")
_MAGIC = b"detour\r\n"
_VERSION = 1
_RULES, _FAULTS = 1, 2
_PROTOCOL = 5


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


def write_rules(descriptor: int, loaded: Loaded, overrides: Mapping[str, Any] | None = None) -> None:
    """Write rules and manifest into the empty file `descriptor`; `overrides` replace keys of `[server]`."""
    rules = loaded.ruleset
    server = msgspec.structs.replace(rules.server, **(overrides or {}))
    manifest = Manifest(
        rules=len(rules.rules),
        series=rules.series,
        server=server,
        listeners=rules.listeners,
        files=loaded.files,
        warnings=loaded.warnings,
    )
    body = pickle.dumps((rules.rules, server, rules.listeners), _PROTOCOL)
    _write(descriptor, _RULES, pickle.dumps(manifest, _PROTOCOL), body)


def write_faults(descriptor: int, faults: tuple[Fault, ...]) -> None:
    """Write the faults that stand in the way of a rule set into the empty file `descriptor`."""
    _write(descriptor, _FAULTS, pickle.dumps(faults, _PROTOCOL), b"")


def read_manifest(descriptor: int) -> Manifest:
    """The manifest; raises `RuleError` for a file of faults, `ServeError` for one that is not whole."""
    with _map(descriptor) as mapped:
        kind, first, _ = _check(mapped)
        head = pickle.loads(mapped[_HEADER.size : _HEADER.size + first])
    if kind == _FAULTS:
        raise RuleError(head)
    assert isinstance(head, Manifest)
    return head


def read_rules(descriptor: int) -> RuleSet:
    """The rules; raises `ServeError` for a file that is not whole or holds none."""
    with _map(descriptor) as mapped:
        kind, first, second = _check(mapped)
        if kind != _RULES:
            raise ServeError("a snapshot of faults holds no rules")
        start = _HEADER.size + first
        with memoryview(mapped) as whole, whole[start : start + second] as body:
            return RuleSet(*pickle.loads(body))


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


def _write(descriptor: int, kind: int, head: bytes, body: bytes) -> None:
    digest = hashlib.blake2b(head, digest_size=16)
    digest.update(body)
    header = _HEADER.pack(_MAGIC, _VERSION, kind, len(head), len(body), digest.digest())
    # The header goes last: a file without one is a file whose writer did not finish.
    place = _HEADER.size
    for part in (head, body):
        place = _write_at(descriptor, part, place)
    _write_at(descriptor, header, 0)


def _write_at(descriptor: int, part: bytes, place: int) -> int:
    rest = memoryview(part)
    while rest:
        written = os.pwrite(descriptor, rest, place)
        rest, place = rest[written:], place + written
    return place


def _map(descriptor: int) -> mmap.mmap:
    if os.fstat(descriptor).st_size < _HEADER.size:
        raise ServeError("the rules were not written: the process that compiles them ended early")
    return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)


def _check(mapped: mmap.mmap) -> tuple[int, int, int]:
    magic, version, kind, first, second, digest = _HEADER.unpack_from(mapped)
    if magic != _MAGIC or version != _VERSION or len(mapped) != _HEADER.size + first + second:
        raise ServeError("the rules were not written whole: the process that compiles them ended early")
    with memoryview(mapped) as whole, whole[_HEADER.size :] as rest:
        found = hashlib.blake2b(rest, digest_size=16).digest()
    if found != digest:
        raise ServeError("the compiled rules are damaged; start the server again")
    return kind, first, second
