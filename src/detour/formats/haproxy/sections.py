"""An HAProxy configuration as sections of words (configuration.txt, 2.2 "Quoting and escaping")."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

KEYWORDS = {
    "global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers", "userlist",
    "program", "http-errors", "ring", "cache", "log-forward", "fcgi-app", "traces", "crt-store",
}  # fmt: skip

_WORD = re.compile(r"""(?:[^\s"'\\#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)+""")
_QUOTED = re.compile(r"""\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'""")


class Line(msgspec.Struct, frozen=True):
    """A line: where it stands, and its words without quotes."""

    number: int
    words: tuple[str, ...]


class Section(msgspec.Struct, frozen=True):
    """A proxy or another section: its kind, its name, and its lines in order."""

    kind: str
    name: str
    lines: tuple[Line, ...]

    def having(self, *keywords: str) -> Iterator[Line]:
        """The lines that begin with one of these words."""
        return (line for line in self.lines if line.words[0] in keywords)


def sections(text: str) -> list[Section]:
    """Every section, in the order of the file; lines before the first belong to none and are left out."""
    found: list[tuple[str, str, list[Line]]] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        words = _words(raw)
        if not words:
            continue
        if words[0] in KEYWORDS:
            found.append((words[0], words[1] if len(words) > 1 else "", []))
        elif found:
            found[-1][2].append(Line(number, words))
    return [Section(kind, name, tuple(lines)) for kind, name, lines in found]


def _words(raw: str) -> tuple[str, ...]:
    words = []
    position = 0
    text = raw.strip()
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        found = _WORD.match(text, position)
        if found is None:  # a comment, or a quote that nothing closes
            if text[position] != "#":
                words.append(text[position:])
            break
        words.append(_QUOTED.sub(_unquoted, found[0]))
        position = found.end()
    return tuple(words)


def _unquoted(found: re.Match[str]) -> str:
    if found[1] is not None:
        return found[1]
    if found[2] is not None:
        return re.sub(r"\\(.)", r"\1", found[2])
    return found[3] or ""
