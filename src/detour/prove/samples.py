"""Texts that a regular expression matches: a few that differ in what they leave open, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest

import re2

from detour.errors import PatternError
from detour.formats.regex_syntax import (
    Capture,
    Char,
    Choice,
    Edge,
    Node,
    Octets,
    Repeat,
    Sequence,
    parse,
)

_MOST = 9  # of one expression
_ANY = ("x", "", "a/b", "x.html", "a%20b", "en", "A", "2026")
_SEGMENT = ("7", "a-b_c~", "%C3%A9", "a%20b", "abc", "A", "12", "x.html")
_OF_A_SET = "x1aZ-_.~/ "
_QUIET = re2.Options()
_QUIET.log_errors = False


def samples(regex: str) -> tuple[str, ...]:
    """Some texts that are all of what `regex` matches; () where none is found."""
    try:
        tried = _texts(parse(regex).node)
    except PatternError:
        return ()
    return tuple(text for text in dict.fromkeys(tried) if fits(regex, text))[:_MOST]


def fits(regex: str, text: str) -> bool:
    """Whether the whole of `text` is matched."""
    try:
        return bool(re2.fullmatch(regex, text, _QUIET))
    except re2.error:
        return False


def _texts(node: Node) -> tuple[str, ...]:
    match node:
        case Char(char):
            return (char,)
        case Octets(octets):
            return tuple(_characters(octets))
        case Edge():
            return ("",)
        case Capture(inner):
            return _texts(inner)
        case Choice(nodes):
            turns = zip_longest(*map(_texts, nodes))
            return tuple(text for text in chain.from_iterable(turns) if text is not None)
        case Sequence(nodes):
            return tuple(_joined([_texts(one) for one in nodes]))
        case Repeat(inner, least, most):
            return tuple(_repeated(inner, least, most))


def _characters(octets: frozenset[int]) -> Iterator[str]:
    found = [one for one in _OF_A_SET if ord(one) in octets][:3]
    printable = (chr(one) for one in sorted(octets) if 0x21 <= one < 0x7F)
    yield from found or [next(printable, "%C3%A9")]


def _joined(parts: list[tuple[str, ...]]) -> Iterator[str]:
    """One of each after the other; each of them once, at least."""
    for turn in range(max(map(len, parts), default=1)):
        yield "".join(part[(turn + place) % len(part)] for place, part in enumerate(parts) if part)
    yield "".join(part[0] for part in parts if part)


def _repeated(node: Node, least: int, most: int | None) -> Iterator[str]:
    if isinstance(node, Octets) and most is None:
        kind = _ANY if ord("/") in node.octets else _SEGMENT
        yield from (text for text in kind if set(text.encode()) <= node.octets and len(text) >= least)
    texts = _texts(node)
    for count in (max(least, 1), least, least + 1):
        if most is None or count <= most:
            yield from (text * count for text in texts) if count else ("",)
