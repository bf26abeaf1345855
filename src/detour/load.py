"""The one door that opens rule files: what is read here is text to everything below."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from detour.core.matcher import RuleSet
from detour.errors import Fault, RuleError, Span
from detour.formats.conversion import Document
from detour.formats.native import imported_files, read


class Loaded(msgspec.Struct, frozen=True):
    """A rule set, the files it was read from (to be watched), and warnings, one line each."""

    ruleset: RuleSet
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def load(path: str | os.PathLike[str]) -> RuleSet:
    """Read a rule file (`-`: standard input) and all it imports; raises `RuleError` with every fault."""
    return load_files(path).ruleset


def load_files(path: str | os.PathLike[str]) -> Loaded:
    """As `load`, with the names of the files read and the warnings."""
    name = os.fspath(path)
    text = _text(name)
    if isinstance(text, Fault):
        raise RuleError((text,))
    document = Document.parse(name, text)
    folder = Path(name).parent
    imports = imported_files(document)
    reading = read(document, {written: _text(str(folder / written)) for written in imports})
    files = (name, *(str(folder / written) for written in imports))
    return Loaded(reading.ruleset, files, reading.warnings)


def _text(name: str) -> str | Fault:
    """The text of a file, or of standard input for `-`; or why there is none."""
    file = Path(name)
    try:
        if name != "-" and file.exists() and not file.is_file():
            return Fault(Span(name), "not a regular file", "name a readable file")
        octets = sys.stdin.buffer.read() if name == "-" else file.read_bytes()
        return octets.decode("utf-8-sig")  # editors on Windows put a mark in front
    except UnicodeDecodeError as error:
        return Fault(Span(name), f"not UTF-8 (octet {error.start})", "save it as UTF-8")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        fact = error.strerror if isinstance(error, OSError) else str(error)
        return Fault(Span(name), f"cannot be read: {fact}", "name a readable file")
