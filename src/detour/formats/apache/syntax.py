"""Apache's configuration as a tree of directives (httpd.apache.org/docs/2.4/configuring.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from posixpath import dirname, join, normpath

import msgspec

MOST_DEPTH = 20  # of includes and containers

_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|(\S+)')


class Directive(msgspec.Struct, frozen=True):
    """A directive or a container: where it stands, its name in lower case, and its arguments."""

    file: str
    line: int
    name: str
    args: tuple[str, ...]
    inside: tuple[Directive, ...] = ()


def parse(file: str, texts: Mapping[str, str], depth: int = 0) -> tuple[Directive, ...]:
    """The directives of a file; an include stands for what it includes."""
    lines = _lines(texts[file])
    found, _ = _block(file, lines, 0, "", texts, depth)
    return tuple(found)


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines that end in a backslash go on; comments do, too. Empty ones are left out."""
    found: list[tuple[int, str]] = []
    kept, start = "", 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.rstrip("\r")
        start = start or number
        if line.endswith("\\") and not line.endswith("\\\\"):
            kept += line[:-1]
            continue
        whole = (kept + line).strip()
        if whole and not whole.startswith("#"):
            found.append((start, whole))
        kept, start = "", 0
    return found


def _block(
    file: str, lines: list[tuple[int, str]], place: int, closing: str, texts: Mapping[str, str], depth: int
) -> tuple[list[Directive], int]:
    found: list[Directive] = []
    while place < len(lines):
        number, text = lines[place]
        place += 1
        if text.startswith("</"):
            if text[2:].rstrip("> \t").lower() == closing:
                break
            continue
        if text.startswith("<"):
            name, args = _words(text[1:].rstrip().removesuffix(">"))
            inside: list[Directive] = []
            if depth < MOST_DEPTH:
                inside, place = _block(file, lines, place, name, texts, depth + 1)
            found.append(Directive(file, number, name, args, tuple(inside)))
            continue
        name, args = _words(text)
        if name in ("include", "includeoptional") and args and depth < MOST_DEPTH:
            for other in included(args[0], file, texts):
                found.extend(parse(other, texts, depth + 1))
            continue
        found.append(Directive(file, number, name, args))
    return found, place


def included(written: str, file: str, texts: Mapping[str, str]) -> Iterator[str]:
    """The files that an Include names, in the order of their names."""
    wanted = normpath(join(dirname(file), written))
    return (name for name in sorted(texts) if name != file and fnmatch(normpath(name), wanted))


def _words(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, rest = text.strip().partition(" ") if " " in text.strip() else text.strip().partition("\t")
    args = (_argument(found) for found in _ARGUMENT.finditer(rest))
    return name.strip().lower(), tuple(args)


def _argument(found: re.Match[str]) -> str:
    if found[3] is not None:
        return found[3]
    return re.sub(r'\\(["\'])', r"\1", found[1] if found[1] is not None else found[2])
