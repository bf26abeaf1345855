"""Words of a Caddyfile, with the line they stand on (caddyserver/caddy, caddyconfig/caddyfile/lexer.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_BLANK = re.compile(r"(?:[^\S\n]|\\\r?\n)+")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_TICKED = re.compile(r"`([^`]*)`")
_HEREDOC = re.compile(r"<<([A-Za-z0-9_-]+)\r?\n(.*?)(?:^|(?<=\n))[ \t]*\1(?=\s|$)", re.DOTALL)
_WORD = re.compile(r'(?:\\[{}"`<]|[^\s])+')
_ENVIRONMENT = re.compile(r"\{\$([^{}:]*)(?::([^{}]*))?\}")

UNKNOWN = "\x00"  # stands for a variable of the environment


class Token(msgspec.Struct, frozen=True):
    """A word: `first` on its line or not, and whether it was in quotes."""

    text: str
    line: int
    first: bool
    quoted: bool = False
    file: str = ""  # the included file it stands in

    def is_brace(self, brace: str) -> bool:
        return self.text == brace and not self.quoted


def tokens(text: str, file: str = "") -> Iterator[Token]:
    """Every word of a text; comments begin with `#` where a word could."""
    text = _with_defaults(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    place, line, first = 0, 1, True
    while place < len(text):
        blank = _BLANK.match(text, place)
        if blank is not None:
            line += blank[0].count("\n")
            place = blank.end()
        elif text[place] == "\n":
            place, line, first = place + 1, line + 1, True
        elif text[place] == "#":
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        else:
            word, end, quoted = _word(text, place)
            yield Token(word, line, first, quoted, file)
            line += text.count("\n", place, end)
            place, first = end, False


def _word(text: str, place: int) -> tuple[str, int, bool]:
    if text[place] == '"' and (found := _QUOTED.match(text, place)) is not None:
        return found[1].replace('\\"', '"'), found.end(), True
    if text[place] == "`" and (found := _TICKED.match(text, place)) is not None:
        return found[1], found.end(), True
    if text.startswith("<<", place) and (found := _HEREDOC.match(text, place)) is not None:
        return found[2].removesuffix("\n"), found.end(), True
    found = _WORD.match(text, place)
    if found is None or found.end() == place:  # a stray quote
        return text[place], place + 1, False
    word = found[0]
    cut = re.search(r"\\\n", word)
    return (word[: cut.start()], place + cut.start(), False) if cut else (word, found.end(), False)


def _with_defaults(text: str) -> str:
    """`{$NAME:default}` is the default here; a variable without one is not known."""
    return _ENVIRONMENT.sub(lambda found: UNKNOWN if found[2] is None else found[2], text)
