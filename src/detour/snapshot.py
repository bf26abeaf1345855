"""A compiled rule set as one file: `detour compile` writes it, every process of a server maps it.

    header     magic, version, layout, and place, size and digest of the directory
    sections   the rules, as `core.matcher.RuleSet` opens them; each at a multiple of 8
    directory  the manifest (or the faults), and place, size and digest of each section

Sections are written while the rules are still being read: nobody holds them all. The header is written
last; a file without one is a file whose writer did not finish. The manifest is what the parent of a server
needs to know (settings, names, files to watch); it never opens the rules. Nothing in the file is executed
when it is read. The digests (xxHash3, 128 bits) guard against a writer that died half-way and against
decay, not against an enemy.

A file that others may write to is copied, and what arrived is held against its digests while it is still
in the processor's cache. The copy has no name, so nobody can pull it from under its readers, and they take
its sections for whole.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from collections.abc import Iterator
from functools import cache

import msgspec
import xxhash

from detour.core.keys import Key
from detour.core.matcher import RuleSet, Settings
from detour.core.record import Form, Octets, Shared, Simple, Whole
from detour.core.rule import ClientCondition, Cors, Example, FieldCondition, ParameterCapture, Share, Terms
from detour.core.settings import ListenerSettings, ServerSettings, pack, unpack
from detour.core.shape import Shape
from detour.core.template import Slot, Template
from detour.errors import Fault, RuleError, SnapshotError, Span

MAGIC = b"detour\r\n"  # no rule file begins so: that would not be TOML
VERSION = 2

# In the byte order of the machine, like the sections: where it is the other one, the version is, too.
_HEADER = struct.Struct("=8sIIQQ16s")
_ALIGNED = 8
_CHUNK = 1 << 20  # octets copied at a time
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)

_AGAIN = "compile it again: detour compile RULES -o FILE"


class SourceFile(msgspec.Struct, frozen=True):
    """A file that was compiled, and the digest (xxHash3, 64 bits, hexadecimal) of what it held then."""

    name: str
    digest: str

    @classmethod
    def of(cls, name: str, octets: bytes) -> SourceFile:
        return cls(name, xxhash.xxh3_64_hexdigest(octets))


class Manifest(msgspec.Struct, frozen=True):
    """A rule set as the parent of a server knows it."""

    rules: int
    series: tuple[str, ...]
    server: ServerSettings
    listeners: tuple[ListenerSettings, ...]
    files: tuple[str, ...]  # to be watched
    sources: tuple[SourceFile, ...]
    warnings: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True, array_like=True):
    """Where a section stands, its octets, and their digest. Zeros follow, up to where the next one begins."""

    place: int
    size: int
    digest: bytes

    @property
    def padding(self) -> int:
        return -self.size % _ALIGNED


class Directory(msgspec.Struct, frozen=True):
    """What a snapshot holds: a manifest and sections, or faults and the files whose change may mend them."""

    manifest: Manifest | None
    sections: dict[str, Section] = {}
    faults: tuple[Fault, ...] = ()
    files: tuple[str, ...] = ()


# Every struct that lies in a snapshot. MessagePack holds the values of most without their names.
STORED = (
    *(Directory, Manifest, Section, SourceFile, Fault, Span, Settings, ServerSettings, ListenerSettings),
    *(Shared, Form, Simple, Whole, Shape, Key, Template, Slot, ParameterCapture),
    *(Terms, FieldCondition, ClientCondition, Share, Cors, Example),
)


@cache
def _layout() -> int:
    """A number for what the structs hold, in which order: another build of this program may differ."""
    told = [(kind.__name__, kind.__struct_fields__, kind.__annotations__) for kind in STORED]
    return xxhash.xxh32_intdigest(repr(told).encode())


class Writer:
    """Writes a snapshot into the file `descriptor`, whatever that held: section by section, then `finish`."""

    def __init__(self, descriptor: int) -> None:
        os.ftruncate(descriptor, 0)
        self._descriptor = descriptor
        self._sections: dict[str, Section] = {}
        self._start = self._end = _HEADER.size
        self._digest = xxhash.xxh3_128()

    def append(self, octets: Octets) -> None:
        """Add to the section that is being written."""
        self._digest.update(octets)
        self._end = _write(self._descriptor, octets, self._end)

    def end(self, name: str) -> Section:
        """Close the section that is being written; of two with one name the later counts."""
        section = Section(self._start, self._end - self._start, self._digest.digest())
        self._sections[name] = section
        self._start = self._end = _write(self._descriptor, bytes(section.padding), self._end)
        self._digest = xxhash.xxh3_128()
        return section

    def section(self, name: str, octets: Octets) -> None:
        """Write a whole section."""
        self.append(octets)
        self.end(name)

    def finish(self, manifest: Manifest) -> None:
        """Make the file a snapshot of the sections written."""
        self._finish(Directory(manifest, self._sections))

    def refuse(self, error: RuleError) -> None:
        """Make the file one of what stands in the way of a rule set."""
        self._finish(Directory(None, {}, error.faults, error.files))

    def _finish(self, directory: Directory) -> None:
        packed = pack(directory)
        _write(self._descriptor, packed, self._end)
        digest = xxhash.xxh3_128_digest(packed)
        _write(self._descriptor, _HEADER.pack(MAGIC, VERSION, _layout(), self._end, len(packed), digest), 0)


def is_snapshot(descriptor: int) -> bool:
    """Whether the file is a snapshot, or the beginning of one."""
    start = os.pread(descriptor, len(MAGIC), 0)
    return start != b"" and MAGIC.startswith(start)


def read_directory(descriptor: int) -> Directory:
    """What the snapshot holds; raises `SnapshotError` for a file that is not whole, or not ours."""
    header = os.pread(descriptor, _HEADER.size, 0)
    if len(header) < _HEADER.size:
        raise SnapshotError("compiled rules, but cut short", _AGAIN)
    magic, version, layout, place, size, digest = _HEADER.unpack(header)
    if magic != MAGIC:
        raise SnapshotError("no snapshot of compiled rules, or not written to its end", _AGAIN)
    if version != VERSION:
        raise SnapshotError(f"compiled rules of format {version}, and this program reads {VERSION}", _AGAIN)
    if layout != _layout():
        raise SnapshotError("compiled rules of another build of this program", _AGAIN)
    if place + size != os.fstat(descriptor).st_size:
        raise SnapshotError("compiled rules, but not of the length they were written with", _AGAIN)
    packed = os.pread(descriptor, size, place)
    if xxhash.xxh3_128_digest(packed) != digest:
        raise SnapshotError("compiled rules, but damaged (directory)", _AGAIN)
    return unpack(packed, Directory)


def open_rules(descriptor: int, *, populate: bool = False) -> RuleSet:
    """The rules, mapped; raises `SnapshotError` where `read_directory` does, and for a file of faults.

    Sections are taken for whole: nobody else may write to the file. With `populate` the first requests wait
    for no page.
    """
    directory = read_directory(descriptor)
    if directory.manifest is None:
        raise SnapshotError("a snapshot of faults holds no rules", "correct them")
    flags = mmap.MAP_SHARED | (_POPULATE if populate else 0)
    whole = memoryview(mmap.mmap(descriptor, 0, flags=flags, prot=mmap.PROT_READ))
    sections = directory.sections.items()
    return RuleSet({name: whole[one.place : one.place + one.size] for name, one in sections})


def copy(descriptor: int, into: Writer) -> Manifest:
    """Copy all sections of a snapshot, and its manifest; raises `SnapshotError` unless all are whole."""
    directory = read_directory(descriptor)
    if directory.manifest is None:
        raise SnapshotError("a snapshot of faults holds no rules", "correct them")
    for name, section in directory.sections.items():
        for chunk in _chunks(descriptor, section):
            into.append(chunk)
        padding = os.pread(descriptor, section.padding, section.place + section.size)
        if into.end(name).digest != section.digest or any(padding):
            raise SnapshotError(f"compiled rules, but damaged ({name})", _AGAIN)
    return directory.manifest


def write_settings(into: Writer, settings: Settings) -> None:
    """Write the section that says what a rule file says about the server."""
    into.section("settings", pack(settings))


def _chunks(descriptor: int, section: Section) -> Iterator[bytes]:
    """What the section holds, without its padding; less where the file ends early."""
    end = section.place + section.size
    for place in range(section.place, end, _CHUNK):
        yield os.pread(descriptor, min(_CHUNK, end - place), place)


def _write(descriptor: int, octets: Octets, place: int) -> int:
    rest = memoryview(octets)
    while len(rest):
        written = os.pwrite(descriptor, rest, place)
        rest, place = rest[written:], place + written
    return place


def anonymous_file(name: str) -> int:
    """A descriptor of an empty file without a name: in memory where the system can, else unlinked."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    descriptor, path = tempfile.mkstemp(prefix=f"{name}-")
    os.unlink(path)
    return descriptor
