"""The one door that opens rule files: what is read here is text to everything below.

Every rule set goes the same way: its rules are compiled, as they are read, into a snapshot without a name,
and the snapshot is opened. A file that is a snapshot already is copied.
"""

from __future__ import annotations

import contextlib
import gc
import glob
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from detour.core.index import IndexWriter
from detour.core.matcher import RuleSet, Settings
from detour.core.record import Octets
from detour.core.settings import pack
from detour.errors import Fault, RuleError, SnapshotError
from detour.formats.conversion import Document
from detour.formats.dialects import NAMES, Dialect, Files, detected, named
from detour.formats.layer import NATIVE, Layer, read_layer, read_native
from detour.formats.native import compile_rules, imported_files
from detour.snapshot import (
    Manifest,
    SourceFile,
    Writer,
    anonymous_file,
    copy,
    is_snapshot,
    open_rules,
    write_settings,
)

_STDIN = "-"

# How far the reading of imported files is: rules so far, and the lines of the files opened so far.
Progress = Callable[[int, int], object]


class Loaded(msgspec.Struct, frozen=True):
    """A rule set, the files it was read from (to be watched), and warnings, one line each."""

    ruleset: RuleSet
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def load(path: str | os.PathLike[str]) -> RuleSet:
    """Read a rule file or compiled rules (`-`: from standard input), and all that a rule file imports.

    Raises `RuleError` with every fault.
    """
    return load_files(path).ruleset


def load_files(path: str | os.PathLike[str]) -> Loaded:
    """As `load`, with the names of the files read and the warnings."""
    with _anonymous("detour-rules") as descriptor:
        manifest = compile_into(descriptor, path)
        return Loaded(open_rules(descriptor), manifest.files, manifest.warnings)


def compile_into(
    descriptor: int,
    path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write the rules of `path` (see `load`) into the empty file `descriptor`, as a snapshot.

    `overrides` replace keys of `[server]`. Raises `RuleError` with every fault; what the file holds then
    is worth nothing.
    """
    name = os.fspath(path)
    files = [name]
    try:
        with _opened(name) as source, _uncollected():
            if is_snapshot(source):
                return _copied(name, source, Writer(descriptor), overrides or {})
            reading = _Reading(name, source, files, progress)
            return reading.compile(Writer(descriptor), overrides or {})
    except RuleError as error:
        raise RuleError(error.faults, tuple(files)) from None


class _Reading:
    """A rule file and what it imports, being compiled."""

    def __init__(self, name: str, source: int, files: list[str], progress: Progress | None) -> None:
        self._name = name
        self._folder = Path(name).parent
        self._files = files
        self._progress = progress
        self._sources: dict[str, SourceFile] = {}
        self._lines = 0
        self._document = Document.parse(name, self._text(name, source))
        files += (str(self._folder / written) for written in imported_files(self._document))

    def compile(self, out: Writer, overrides: Mapping[str, Any]) -> Manifest:
        writer = IndexWriter(lambda octets: self._take(octets, out, writer))
        compiled = compile_rules(self._document, self._import, writer)
        settings = _overridden(compiled.settings, overrides)
        for section, octets in writer.sections():
            if section == "shared":  # the first: by now all records are written
                out.end("records")
            out.section(section, octets)
        write_settings(out, settings)
        out.section("examples", pack(compiled.examples))
        manifest = Manifest(
            writer.count,
            writer.series,
            settings.server,
            settings.listeners,
            tuple(self._files),
            tuple(self._sources.values()),
            compiled.warnings,
        )
        out.finish(manifest)
        return manifest

    def _take(self, octets: Octets, out: Writer, writer: IndexWriter) -> None:
        out.append(octets)
        if self._progress is not None:
            self._progress(writer.count, self._lines)

    def _import(self, written: str) -> str | Fault:
        """The text of an imported file, or why there is none. Kept by nobody else."""
        path = str(self._folder / written)
        try:
            with _opened(path) as source:
                text = self._text(path, source)
        except RuleError as error:
            return error.faults[0]
        self._lines += text.count("\n")
        return text

    def _text(self, name: str, source: int) -> str:
        octets = _read(name, source)
        self._sources[name] = SourceFile.of(name, octets)
        try:
            return octets.decode("utf-8-sig")  # editors on Windows put a mark in front
        except UnicodeDecodeError as error:
            raise RuleError.of_file(name, f"not UTF-8 (octet {error.start})", "save it as UTF-8") from None


def _copied(name: str, source: int, out: Writer, overrides: Mapping[str, Any]) -> Manifest:
    """Copy a compiled file: what is watched from now on is this file alone."""
    try:
        manifest = copy(source, out)
    except SnapshotError as error:
        raise RuleError.of_file(name, error.fact, error.remedy) from None
    settings = _overridden(Settings(manifest.server, manifest.listeners), overrides)
    write_settings(out, settings)
    manifest = msgspec.structs.replace(manifest, server=settings.server, files=(name,))
    out.finish(manifest)
    return manifest


def _overridden(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    server = msgspec.structs.replace(settings.server, **overrides)
    return msgspec.structs.replace(settings, server=server)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: a million rules come and go without a cycle among them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _anonymous(name: str) -> Iterator[int]:
    descriptor = anonymous_file(name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[int]:
    """A descriptor of a file, or of a copy of standard input for `-`; raises `RuleError`."""
    if name == _STDIN:
        with _anonymous("detour-stdin") as copied, open(os.dup(copied), "wb") as out:
            with open(0, "rb", closefd=False) as stdin:
                shutil.copyfileobj(stdin, out)
            out.flush()
            yield copied
        return
    if os.path.exists(name) and not os.path.isfile(name):
        raise RuleError.of_file(name, "not a regular file", "name a readable rule file")
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        fact = error.strerror if isinstance(error, OSError) else str(error)
        raise RuleError.of_file(name, f"cannot be read: {fact}", "name a readable rule file") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read(name: str, descriptor: int) -> bytes:
    try:
        with open(descriptor, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()
    except OSError as error:
        raise RuleError.of_file(
            name, f"cannot be read: {error.strerror}", "name a readable rule file"
        ) from None


# --- configurations of other programs ---------------------------------------------------------------

MOST_FILES = 1_000  # that one configuration may include
MOST_OCTETS = 1 << 30  # of one configuration, in all


def load_layer(path: str | os.PathLike[str], name: str = "", dialect: str = "") -> Layer:
    """Read a configuration of any dialect (`-`: from standard input) and all that it includes, as one layer.

    `dialect` is detected where it is not given, `name` is the file's. Raises `RuleError` for a file that
    cannot be read, a dialect that cannot be told, and a native rule file with faults.
    """
    file = os.fspath(path)
    text = _text_of(file)
    if dialect in ("", NATIVE) and (dialect or _is_native(file, text)):
        return _native_layer(name or file, file, text)
    found = named(dialect) if dialect else detected(file, text)
    if found is None:
        known = ", ".join((NATIVE, *NAMES))
        fact = f"`{dialect}` is no dialect" if dialect else "no dialect that is known by its content"
        raise RuleError.of_file(file, fact, f"name one with --dialect: {known}")
    texts = _with_includes(file, text, found)
    with _uncollected():
        return read_layer(name or file, found, Files(file, texts))


def _text_of(file: str) -> str:
    try:
        with _opened(file) as source:
            return _read(file, source).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError.of_file(file, f"not UTF-8 (octet {error.start})", "save it as UTF-8") from None


def _is_native(file: str, text: str) -> bool:
    """Whether it is a rule file: TOML with a table that only those have."""
    if not re.search(r"^[^\S\n]*\[\[rule\]\]", text, re.MULTILINE):
        return False
    try:
        return "rule" in tomllib.loads(text)
    except ValueError:
        return file.endswith(".toml")  # let its own reader say what is wrong with it


def _native_layer(name: str, file: str, text: str) -> Layer:
    document = Document.parse(file, text)
    folder = Path(file).parent
    files: dict[str, str | Fault] = {}
    for written in imported_files(document):
        try:
            files[written] = _text_of(str(folder / written))
        except RuleError as error:
            files[written] = error.faults[0]
    return read_native(name, document, files, text)


def _with_includes(file: str, text: str, dialect: Dialect) -> dict[str, str]:
    """The texts of a file and of all it includes, and they include, each once. A name is a path relative to
    the entry's folder, or a glob; what is not there is for the reader to say."""
    folder = Path(file).parent
    texts, waiting, octets = {file: text}, [text], len(text)
    while waiting:
        for written in dialect.includes(waiting.pop()):
            for found in sorted(glob.glob(str(folder / written))):
                if found in texts or not os.path.isfile(found):
                    continue
                texts[found] = _text_of(found)
                waiting.append(texts[found])
                octets += len(texts[found])
                if len(texts) > MOST_FILES or octets > MOST_OCTETS:
                    remedy = "audit its parts one by one"
                    raise RuleError.of_file(file, "it includes too much to be read as one", remedy)
    return texts
