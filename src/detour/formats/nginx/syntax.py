"""nginx configurations as trees of directives: crossplane's lexer, and a parser that goes on after faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from posixpath import dirname, join, normpath

import msgspec
from crossplane.lexer import _lex_file_object  # type: ignore[import-untyped]  # lex() opens files itself

from detour.core.status import REDIRECT_STATUSES
from detour.formats.draft import LineFault
from detour.formats.numbers import whole

URL_STARTS = ("http://", "https://", "$scheme://")
MAX_DEPTH = 40  # of blocks in blocks and of includes
_KNOWN = frozenset(
    (
        *("alias", "break", "error_page", "fastcgi_pass", "if", "include", "index", "listen", "location"),
        *("map", "proxy_pass", "return", "rewrite", "root", "server", "server_name", "set", "try_files"),
    )
)


class Directive(msgspec.Struct, frozen=True):
    """One directive: where it stands, its name and arguments, and what stands in its braces."""

    line: int
    file: str
    name: str
    args: tuple[str, ...]
    block: tuple[Directive, ...] | None = None

    def named(self, *names: str) -> Iterator[Directive]:
        """The directives of those names in its block."""
        return (one for one in self.block or () if one.name in names)

    def has(self, name: str) -> bool:
        """Whether a directive of that name is in its block."""
        return any(one.name == name for one in self.block or ())

    def last(self, name: str, default: str) -> str:
        """The first argument of the last directive of that name."""
        found = [one.args[0] for one in self.named(name) if one.args]
        return found[-1] if found else default


class _Token(msgspec.Struct, frozen=True):
    text: str
    line: int
    quoted: bool

    def is_mark(self, marks: str) -> bool:
        return not self.quoted and len(self.text) == 1 and self.text in marks


def tokens(text: str) -> list[_Token]:
    """The tokens of a text, without comments."""
    found = (_Token(*one) for one in _lex_file_object((f"{text}\n",)))
    return [one for one in found if one.quoted or not one.text.startswith("#")]


def includes(text: str) -> Iterator[str]:
    """The files, or globs, that a text includes."""
    found = tokens(text)
    for at, token in enumerate(found[:-2]):
        if token.text == "include" and not token.quoted and (at == 0 or found[at - 1].is_mark(";{}")):
            yield found[at + 1].text


class Tree:
    """A configuration with what it includes in its place, and what is wrong with it."""

    def __init__(self, entry: str, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.entry = entry
        self.faults: list[LineFault] = []
        self.top = self._file(entry, 0)

    def _file(self, file: str, depth: int) -> tuple[Directive, ...]:
        found = tokens(self.texts[file])
        top, at = self._block(found, 0, file, depth)
        while at < len(found):
            self._fault(file, found[at].line, "`}` closes nothing", "remove it")
            more, at = self._block(found, at + 1, file, depth)
            top = (*top, *more)
        return top

    def _fault(self, file: str, line: int, fact: str, remedy: str) -> None:
        said = " ".join(fact.split())  # a quoted word may hold line ends
        self.faults.append(LineFault(line, said, remedy, file="" if file == self.entry else file))

    def _block(
        self, found: list[_Token], at: int, file: str, depth: int
    ) -> tuple[tuple[Directive, ...], int]:
        """The directives up to the `}` that ends the block, or the end; where that stands."""
        made: list[Directive] = []
        while at < len(found) and not found[at].is_mark("}"):
            if found[at].is_mark(";{"):
                at += 1
                continue
            end = self._end(found, at, file)
            name, *args = [one.text for one in found[at:end]]
            line = found[at].line
            at = end
            if at < len(found) and found[at].is_mark("{"):
                if depth > MAX_DEPTH:
                    self._fault(file, line, "blocks in blocks in blocks", f"nest at most {MAX_DEPTH}")
                    return tuple(made), len(found)
                inner, at = self._block(found, at + 1, file, depth + 1)
                made.append(Directive(line, file, name, tuple(args), inner))
                at += 1
            elif name == "include" and len(args) == 1:
                made.extend(self._included(args[0], file, line, depth))
            else:
                made.append(Directive(line, file, name, tuple(args)))
            if at < len(found) and found[at].is_mark(";"):
                at += 1
        return tuple(made), at

    def _end(self, found: list[_Token], at: int, file: str) -> int:
        """Where a directive's words end; it has no `;` where the next line begins with a known one."""
        start = at
        while at < len(found) and not found[at].is_mark(";{}"):
            fresh = at > start and found[at].line > found[at - 1].line and not found[at].quoted
            if fresh and found[at].text in _KNOWN:
                break
            at += 1
        if at == len(found) or not found[at].is_mark(";{"):
            fact = f"`{found[start].text}` has no `;` at its end"
            self._fault(file, found[start].line, fact, "write the semicolon")
        return at

    def _included(self, written: str, file: str, line: int, depth: int) -> Iterator[Directive]:
        bases = (dirname(self.entry), dirname(file), "")
        wanted = {normpath(join(base, written)) for base in bases} | {written}
        files = sorted(
            one
            for one in self.texts
            if one != file and any(fnmatchcase(normpath(one), each) for each in wanted)
        )
        if depth > MAX_DEPTH:
            self._fault(file, line, "files that include one another", "include each once")
            return
        if not files and not any(mark in written for mark in "*?[") and not written.endswith("mime.types"):
            self._fault(file, line, f"{written} is not there", "put it where nginx would find it")
        for one in files:
            yield from self._file(one, depth + 1)


def walk(step: Directive) -> Iterator[Directive]:
    yield step
    for one in step.block or ():
        yield from walk(one)


def redirects(step: Directive) -> bool:
    """Whether a directive, or one in its braces, may redirect."""
    if step.name == "return" and step.args:
        first = step.args[0]
        return first.startswith(URL_STARTS) or (
            first.isdecimal() and len(step.args) > 1 and whole(first) in REDIRECT_STATUSES
        )
    if step.name == "rewrite" and len(step.args) > 1:
        return step.args[-1] in ("redirect", "permanent") or step.args[1].startswith(URL_STARTS)
    return any(map(redirects, step.block or ()))
