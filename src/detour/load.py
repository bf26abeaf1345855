"""The one door that opens rule files: what is read here is text to everything below."""

from __future__ import annotations

import os
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
    document = Document.parse(name, _text(name))
    folder = Path(name).parent
    imports = imported_files(document)
    texts = {written: _text(str(folder / written)) for written in imports if (folder / written).is_file()}
    reading = read(document, texts)
    files = (name, *(str(folder / written) for written in imports))
    return Loaded(reading.ruleset, files, reading.warnings)


def _text(name: str) -> str:
    """The text of a file, or of standard input for `-`; raises `RuleError`."""
    file = Path("/dev/stdin" if name == "-" else name)
    try:
        if name != "-" and file.exists() and not file.is_file():
            fault = Fault(Span(name), "not a regular file", "name a readable rule file")
            raise RuleError((fault,))
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        fault = Fault(Span(name), f"not UTF-8 (octet {error.start})", "save it as UTF-8")
    except OSError as error:
        fault = Fault(Span(name), f"cannot be read: {error.strerror}", "name a readable rule file")
    raise RuleError((fault,))
