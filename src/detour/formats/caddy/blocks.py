"""A Caddyfile as directives in blocks, with snippets and files in the place of their imports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from posixpath import dirname, join, normpath

import msgspec

from detour.formats.caddy.tokens import Token, tokens
from detour.formats.draft import LineFault
from detour.formats.numbers import whole as number_of

MAX_DEPTH = 50  # of blocks in blocks, and of imports
MAX_TOKENS = 1_000_000  # that imports may come to

_ARGUMENT = re.compile(r"\{args(?:\[(?:(\d+)|(\d*):(\d*))\]|\.(\d+|\*))\}")

Fail = Callable[[Token, str, str], None]


class Directive(msgspec.Struct, frozen=True):
    """A line: its words, and its block where it has one."""

    line: int
    file: str
    words: tuple[str, ...]
    block: tuple[Directive, ...] | None = None

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def args(self) -> tuple[str, ...]:
        return self.words[1:]


class Site(msgspec.Struct, frozen=True):
    """A site block: the addresses it is for, and its directives."""

    line: int
    file: str
    addresses: tuple[str, ...]
    block: tuple[Directive, ...]


class Caddyfile(msgspec.Struct, frozen=True):
    """The blocks of a configuration."""

    options: tuple[Directive, ...]
    sites: tuple[Site, ...]
    routes: Mapping[str, tuple[Directive, ...]]  # by name, for `invoke`
    faults: tuple[LineFault, ...]


def caddyfile(entry: str, texts: Mapping[str, str]) -> Caddyfile:
    """All blocks of the file `entry`."""
    return _Parser(entry, texts).read()


def includes(text: str) -> Iterator[str]:
    """The files, or globs, that a text imports."""
    words = list(tokens(text))
    snippets = {word.text[1:-1] for word in words if re.fullmatch(r"\([^()]+\)", word.text)}
    for place, word in enumerate(words[:-1]):
        name = words[place + 1].text
        if word.text == "import" and word.first and name not in snippets and "{" not in name:
            yield name


class _Parser:
    def __init__(self, entry: str, texts: Mapping[str, str]) -> None:
        self.entry, self.texts = entry, texts
        self.faults: list[LineFault] = []
        self.snippets: dict[str, list[Token]] = {}
        self.routes: dict[str, tuple[Directive, ...]] = {}
        self.spent = 0

    def read(self) -> Caddyfile:
        words = list(tokens(self.texts[self.entry]))
        options: tuple[Directive, ...] = ()
        sites: list[Site] = []
        rest = self._without_snippets(words)
        expanded = list(self._imported(rest, 0))
        expanded = self._without_snippets(expanded)
        place = 0
        while place < len(expanded):
            token = expanded[place]
            if token.is_brace("{") and not sites and not options:
                options, place = self._block(expanded, place + 1, 0)
                continue
            if token.is_brace("}"):
                place += 1
                continue
            addresses, place = _addresses(expanded, place)
            block, place = self._block(expanded, place, 0)  # without braces: the rest of the file
            if token.text.startswith("&("):
                self.routes[token.text[2:-1]] = block
            elif addresses:
                sites.append(Site(token.line, token.file, addresses, block))
        return Caddyfile(options, tuple(sites), self.routes, tuple(self.faults))

    def _fail(self, token: Token, fact: str, remedy: str) -> None:
        self.faults.append(LineFault(token.line, fact, remedy, file=token.file))

    # ---- imports

    def _without_snippets(self, words: list[Token]) -> list[Token]:
        """The words outside of snippets, which are put aside."""
        kept: list[Token] = []
        place = depth = 0
        while place < len(words):
            token = words[place]
            begins = token.first and depth == 0 and re.fullmatch(r"\([^()]+\)", token.text) is not None
            if begins and place + 1 < len(words) and words[place + 1].is_brace("{"):
                end = _closing(words, place + 1)
                self.snippets[token.text[1:-1]] = words[place + 2 : end]
                place = end + 1
                continue
            depth += token.is_brace("{") - token.is_brace("}")
            kept.append(token)
            place += 1
        return kept

    def _imported(self, words: list[Token], depth: int) -> Iterator[Token]:
        place = 0
        while place < len(words):
            token = words[place]
            if not (token.text == "import" and token.first and not token.quoted):
                yield token
                place += 1
                continue
            end = place + 1
            while end < len(words) and not words[end].first and not words[end].is_brace("{"):
                end += 1
            args = words[place + 1 : end]
            block: list[Token] = []
            if end < len(words) and not words[end].first and words[end].is_brace("{"):
                closing = _closing(words, end)
                block, end = words[end + 1 : closing], closing + 1
            yield from self._import(token, args, block, depth)
            place = end

    def _import(self, token: Token, args: list[Token], block: list[Token], depth: int) -> Iterator[Token]:
        if not args or depth >= MAX_DEPTH or self.spent > MAX_TOKENS:
            self._fail(token, "an import of nothing, or of too much", "name a file or a snippet")
            return
        name, values = args[0].text, [one.text for one in args[1:]]
        bodies = [self.snippets[name]] if name in self.snippets else self._files(token, name)
        for body in bodies:
            made = list(_filled(body, values, block))
            self.spent += len(made) + 1
            yield from self._imported(self._without_snippets(made), depth + 1)

    def _files(self, token: Token, name: str) -> Iterable[list[Token]]:
        found = []
        for folder in dict.fromkeys((dirname(token.file or self.entry), dirname(self.entry))):
            wanted = normpath(join(folder, name))
            found = sorted(path for path in self.texts if path == wanted or fnmatch(normpath(path), wanted))
            if found:
                break
        if not found and "*" not in name:
            self._fail(token, f"the file {name} is not at hand", "put it where the configuration says it is")
        return [list(tokens(self.texts[path], path)) for path in found if path != self.entry]

    # ---- blocks

    def _block(self, words: list[Token], place: int, depth: int) -> tuple[tuple[Directive, ...], int]:
        """The directives up to the closing brace, and the place behind it."""
        found: list[Directive] = []
        while place < len(words) and not words[place].is_brace("}"):
            token = words[place]
            if token.is_brace("{"):  # a block of nothing
                _, place = self._inner(words, place, depth)
                continue
            texts = [token.text]
            place += 1
            while place < len(words) and not words[place].first and not _is_brace(words[place]):
                texts.append(words[place].text)
                place += 1
            block: tuple[Directive, ...] | None = None
            if place < len(words) and words[place].is_brace("{") and not words[place].first:
                block, place = self._inner(words, place, depth)
            found.append(Directive(token.line, token.file, tuple(texts), block))
        return tuple(found), place + 1

    def _inner(self, words: list[Token], place: int, depth: int) -> tuple[tuple[Directive, ...], int]:
        if depth >= MAX_DEPTH:
            self._fail(words[place], f"nested more than {MAX_DEPTH} deep", "write it flatter")
            return (), _closing(words, place) + 1
        return self._block(words, place + 1, depth + 1)


def _is_brace(word: Token) -> bool:
    return word.is_brace("{") or word.is_brace("}")


def _closing(words: list[Token], place: int) -> int:
    """The place of the brace that closes the one at `place`; the end where there is none."""
    depth = 0
    for at in range(place, len(words)):
        depth += words[at].is_brace("{") - words[at].is_brace("}")
        if depth == 0:
            return at
    return len(words)


def _addresses(words: list[Token], place: int) -> tuple[tuple[str, ...], int]:
    """Addresses apart by commas or blanks, up to the brace or, without one, the end of the line."""
    found: list[str] = []
    goes_on = True
    while place < len(words):
        token = words[place]
        if token.is_brace("{"):
            return tuple(found), place + 1
        if token.first and found and not goes_on:
            break
        goes_on = token.text.endswith(",")
        found += (part for part in token.text.split(",") if part)
        place += 1
    return tuple(found), place


def _filled(body: list[Token], values: list[str], block: list[Token]) -> Iterator[Token]:
    """A snippet's words with the arguments of its import."""
    for token in body:
        if token.text == "{block}":
            yield from block
            continue
        whole = _ARGUMENT.fullmatch(token.text)
        if whole is not None and whole[1] is None and (whole[4] is None or whole[4] == "*"):
            first, last = number_of(whole[2] or "0"), number_of(whole[3]) if whole[3] else len(values)
            for number, value in enumerate(values[first:last]):
                yield msgspec.structs.replace(token, text=value, first=token.first and number == 0)
            continue
        text = _ARGUMENT.sub(lambda found: _value(found, values), token.text)
        yield msgspec.structs.replace(token, text=text) if text != token.text else token


def _value(found: re.Match[str], values: list[str]) -> str:
    number = found[1] or found[4]
    if number is None or not number.isdecimal() or number_of(number) >= len(values):
        return found[0]
    return values[number_of(number)]
