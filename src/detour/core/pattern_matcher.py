"""What runs a component: RE2, or one pass over the text where that is obviously the same.

RE2 takes time linear in the text, whatever the pattern and the text (2-4 µs through its Python
binding). Most components need no automaton: equality, a prefix, and segments between delimiters can
each be read off the text in one pass and only one way, and that is what the other matchers do.
Texts are ASCII, as they stand in a normalized URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Protocol

import msgspec
import re2

from detour.core.pattern_syntax import SHAPES, ComponentName, Part, PartKind, Shape, shorten
from detour.errors import PatternError


class Matcher(Protocol):
    """Captures by name when the whole of a component's (ASCII) text matches, else None."""

    def match(self, text: str) -> dict[str, str] | None: ...


class Equals(msgspec.Struct, frozen=True):
    """Fixed text and nothing else."""

    text: str
    fold: bool = False

    def match(self, text: str) -> dict[str, str] | None:
        return {} if (text.lower() if self.fold else text) == self.text else None


class OneOf(msgspec.Struct, frozen=True):
    """A few fixed texts, as `http{s}?` is two."""

    texts: frozenset[str]
    fold: bool = False

    def match(self, text: str) -> dict[str, str] | None:
        return {} if (text.lower() if self.fold else text) in self.texts else None


class StartsWith(msgspec.Struct, frozen=True):
    """Fixed text, then `*`."""

    text: str
    name: str
    fold: bool = False

    def match(self, text: str) -> dict[str, str] | None:
        if (text.lower() if self.fold else text).startswith(self.text):
            return {self.name: text[len(self.text) :]}
        return None


class Around(msgspec.Struct, frozen=True):
    """Fixed text, `*`, fixed text."""

    before: str
    name: str
    after: str
    fold: bool = False

    def match(self, text: str) -> dict[str, str] | None:
        folded = text.lower() if self.fold else text
        end = len(text) - len(self.after)
        if end < len(self.before) or not folded.startswith(self.before) or not folded.endswith(self.after):
            return None
        return {self.name: text[len(self.before) : end]}


class Segments(msgspec.Struct, frozen=True):
    """Fixed texts and whole segments in turn, then `tail`, or a `*` called `rest` after it.

    Unambiguous: a segment holds no delimiter, and what follows it begins with one or is the end.
    """

    steps: tuple[tuple[str, str], ...]  # fixed text, then the name of a segment
    tail: str
    rest: str
    delimiter: str
    fold: bool = False

    def match(self, text: str) -> dict[str, str] | None:
        folded = text.lower() if self.fold else text
        captures = {}
        position = 0
        for before, name in self.steps:
            if not folded.startswith(before, position):
                return None
            start = position + len(before)
            position = text.find(self.delimiter, start)
            if position < 0:
                position = len(text)
            if position == start:
                return None
            captures[name] = text[start:position]
        if not self.rest:
            return captures if folded[position:] == self.tail else None
        if not folded.startswith(self.tail, position):
            return None
        captures[self.rest] = text[position + len(self.tail) :]
        return captures


class Pieces(msgspec.Struct, frozen=True):
    """Between delimiters each a fixed text, or one group with fixed texts around it; the last may be a `*`.

    Unambiguous: nothing holds a delimiter but `rest`, which stands alone behind one.
    """

    delimiter: str
    fixed: tuple[tuple[int, str], ...]  # place, text
    groups: tuple[tuple[int, str, str, str, Callable[[str], object]], ...]  # place, before, name, after, test
    count: int
    rest: str  # the name of the `*`; "": there is none
    fold: bool = False

    def match(self, text: str) -> dict[str, str] | None:
        pieces = text.split(self.delimiter, self.count - 1 if self.rest else -1)
        if len(pieces) != self.count:
            return None
        looked_at = [piece.lower() for piece in pieces] if self.fold else pieces
        for place, wanted in self.fixed:
            if looked_at[place] != wanted:
                return None
        captures = {}
        for place, before, name, after, test in self.groups:
            piece = pieces[place]
            if before or after:
                end = len(piece) - len(after)
                seen = looked_at[place]
                if end < len(before) or not (seen.startswith(before) and seen.endswith(after)):
                    return None
                piece = piece[len(before) : end]
            if not test(piece):
                return None
            captures[name] = piece
        if self.rest:
            captures[self.rest] = pieces[-1]
        return captures


class Regexp:
    """Anything else, run by RE2 (linear time whatever the text). Raises `PatternError` at birth."""

    __slots__ = ("_compiled", "names")

    def __init__(self, expression: str, names: tuple[str, ...], *, fold: bool = False) -> None:
        self.names = names
        self._compiled = compile_expression(expression, fold=fold)
        if self._compiled.groups != len(names):
            raise PatternError("a group captures on its own", "write `(?:…)` inside of a group")

    def match(self, text: str) -> dict[str, str] | None:
        found = self._compiled.fullmatch(text.encode())
        if found is None:
            return None
        captured = found.groups(b"")
        return {name: value.decode() for name, value in zip(self.names, captured, strict=True)}


@lru_cache(4096)
def check_group(expression: str) -> None:
    """Refuse a group that RE2 does not take by itself, or that captures; raises `PatternError`."""
    Regexp(expression, ())


def compile_expression(expression: str, *, fold: bool) -> re2._Regexp:
    """Compile for RE2, at most 1 MiB, nothing logged; raises `PatternError`."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    options.dot_nl = True
    options.case_sensitive = not fold
    try:
        return re2.compile(expression.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise PatternError(
            f"RE2 refuses a group: {shorten(reason)}",
            "write it without lookaround, backreferences, \\Q or large repetitions",
        ) from None


# --- from parts to a matcher ------------------------------------------------------------------------


def matcher_for(name: ComponentName, parts: tuple[Part, ...], ignore_case: bool) -> Matcher:
    """The cheapest matcher that is right; raises `PatternError` for what RE2 refuses."""
    return simple_matcher(name, parts, ignore_case) or regexp_matcher(name, parts, ignore_case)


def regexp_matcher(name: ComponentName, parts: tuple[Part, ...], ignore_case: bool) -> Matcher:
    """The general matcher: one regular expression (URL Pattern, "compile a component")."""
    expression = "".join(_expressions(parts, SHAPES[name]))
    names = tuple(part.name for part in parts if part.name)
    return Regexp(expression, names, fold=ignore_case or name in ("scheme", "hostname"))


def path_expression(parts: tuple[Part, ...], ignore_case: bool) -> str:
    """The regular expression of a path, for an RE2 set."""
    return ("(?i)" if ignore_case else "") + "".join(_expressions(parts, SHAPES["path"]))


def _expressions(parts: tuple[Part, ...], shape: Shape) -> Iterator[str]:
    """The standard's "generate a regular expression and name list", part by part, without anchors."""
    for part in parts:
        if part.kind is PartKind.FIXED:
            text = re2.escape(part.value)
            yield f"(?:{text}){part.modifier}" if part.modifier else text
            continue
        value = {PartKind.SEGMENT: shape.segment, PartKind.WILDCARD: ".*"}.get(part.kind, part.value)
        before, after = re2.escape(part.prefix), re2.escape(part.suffix)
        if part.modifier in ("", "?"):
            yield f"(?:{before}({value}){after}){part.modifier}"
        elif not before and not after:
            yield f"((?:{value}){part.modifier})"
        else:
            again = f"(?:{after}{before}(?:{value}))*"
            yield f"(?:{before}((?:{value}){again}){after}){'?' if part.modifier == '*' else ''}"


def simple_matcher(name: ComponentName, parts: tuple[Part, ...], ignore_case: bool) -> Matcher | None:
    """A matcher without an automaton, or None where the text could be read in more than one way."""
    fold = ignore_case and name in ("path", "query")
    if any(part.modifier for part in parts):
        return _one_of(parts, fold)
    texts, groups = _interleave(parts, fold)
    kinds = [group.kind for group in groups]
    if not groups:
        return Equals(texts[0], fold)
    if kinds == [PartKind.WILDCARD]:
        before, after = texts
        name_ = groups[0].name
        return Around(before, name_, after, fold) if after else StartsWith(before, name_, fold)
    delimiter = SHAPES[name].delimiter
    return _segments(texts, groups, delimiter, fold) or _pieces(texts, groups, delimiter, fold)


def _one_of(parts: tuple[Part, ...], fold: bool) -> Matcher | None:
    """At most sixteen texts: nothing but fixed texts, some of them optional."""
    if any(part.kind is not PartKind.FIXED or part.modifier not in ("", "?") for part in parts):
        return None
    choices = [("", part.value) if part.modifier else (part.value,) for part in parts]
    if sum(len(choice) == 2 for choice in choices) > 4:
        return None
    texts = ("".join(choice) for choice in product(*choices))
    return OneOf(frozenset(text.lower() if fold else text for text in texts), fold)


def _interleave(parts: tuple[Part, ...], fold: bool) -> tuple[list[str], list[Part]]:
    """Fixed texts and the groups between them: always one text more than groups."""
    texts, groups = [""], []
    for part in parts:
        if part.kind is PartKind.FIXED:
            texts[-1] += part.value
        else:
            texts[-1] += part.prefix
            groups.append(part)
            texts.append(part.suffix)
    return ([text.lower() for text in texts] if fold else texts), groups


def _segments(texts: list[str], groups: list[Part], delimiter: str, fold: bool) -> Matcher | None:
    """Segments, each before a delimiter or the end, and perhaps a `*` at the very end."""
    rest = ""
    if groups[-1].kind is PartKind.WILDCARD and not texts[-1]:
        rest = groups[-1].name
        groups, texts = groups[:-1], texts[:-1]
    if not delimiter or any(group.kind is not PartKind.SEGMENT for group in groups):
        return None
    *between, tail = texts[1:]
    if not all(text.startswith(delimiter) for text in between):
        return None
    if not tail.startswith(delimiter) and (tail or rest):
        return None
    steps = tuple((text, group.name) for text, group in zip(texts, groups, strict=False))
    return Segments(steps, tail, rest, delimiter, fold)


# Groups that Python's `re` runs in linear time and that never match a delimiter: one class, repeated or
# not, or a choice between plain words. 0.2 µs where RE2 takes 3, and 10^4 rules share a handful of them.
_ITEM = r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|\\[dw]|[A-Za-z0-9_~%])"
_CLASS = rf"(?:\\[dw]|\[\^/\]|\[{_ITEM}+-?\])(?:[+*?]|\{{[0-9]{{1,3}}(?:,[0-9]{{0,3}})?\}})?"
_linear = re.compile(rf"{_CLASS}|[A-Za-z0-9_~-]+(?:\|[A-Za-z0-9_~-]+)*").fullmatch


@lru_cache(4096)
def _test(group: str, fold: bool) -> Callable[[str], object]:
    return re.compile(group, re.ASCII | re.IGNORECASE if fold else re.ASCII).fullmatch


def _pieces(texts: list[str], groups: list[Part], delimiter: str, fold: bool) -> Matcher | None:
    """Between two delimiters of a path at most one group, and behind the last perhaps a `*`."""
    if delimiter != "/":
        return None
    rest = groups[-1].name if groups[-1].kind is PartKind.WILDCARD and not texts[-1] else ""
    if rest and not texts[-2].endswith(delimiter):
        return None
    tests = [_tested(group, fold) for group in (groups[:-1] if rest else groups)]
    pieces = "\0".join(texts[:-1] if rest else texts).split(delimiter)
    if None in tests or any(piece.count("\0") > 1 for piece in pieces):
        return None
    fixed, found = [], []
    waiting = iter(zip(groups, tests, strict=False))
    for place, piece in enumerate(pieces[:-1] if rest else pieces):
        before, group_here, after = piece.partition("\0")
        if not group_here:
            fixed.append((place, piece))
            continue
        group, test = next(waiting)
        if test is not None:
            found.append((place, before, group.name, after, test))
    return Pieces(delimiter, tuple(fixed), tuple(found), len(pieces), rest, fold)


def _tested(group: Part, fold: bool) -> Callable[[str], object] | None:
    """What accepts the text of a group; None where that takes an automaton, or could hold a delimiter."""
    if group.kind is PartKind.SEGMENT:
        return len  # a segment is not empty
    if group.kind is PartKind.REGEXP and _linear(group.value):
        return _test(group.value, fold)
    return None
