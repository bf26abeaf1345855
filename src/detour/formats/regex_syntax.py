"""Regular expressions of other programs (PCRE, RE2, Python) as trees of what they have in common."""

from __future__ import annotations

import re
import string

import msgspec

from detour.errors import PatternError
from detour.formats.numbers import whole

MAX_DEPTH = 50  # of groups in groups
ALL = frozenset(range(256))


class Char(msgspec.Struct, frozen=True):
    """One character, as the program sees it: decoded."""

    char: str


class Octets(msgspec.Struct, frozen=True):
    """One octet out of a set: `.`, `\\d` or `[…]`."""

    octets: frozenset[int]


class Edge(msgspec.Struct, frozen=True):
    """`^` or `$`."""

    start: bool


class Sequence(msgspec.Struct, frozen=True):
    """One after the other."""

    nodes: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True):
    """The first of them that matches."""

    nodes: tuple[Node, ...]


class Repeat(msgspec.Struct, frozen=True):
    """`least` to `most` times (None: without end); `exact`: it may not end inside of an encoded octet."""

    node: Node
    least: int
    most: int | None
    lazy: bool = False
    exact: bool = False


class Capture(msgspec.Struct, frozen=True):
    """A capturing group; `front`: the text it began with, which has been taken out of it."""

    node: Node
    number: int
    name: str = ""
    front: str = ""


Node = Char | Octets | Edge | Sequence | Choice | Repeat | Capture

EMPTY = Sequence(())
ANY = Octets(ALL)
ANYTHING = Repeat(ANY, 0, None)

_DIGITS = frozenset(b"0123456789")
_WORD = frozenset((string.ascii_letters + string.digits + "_").encode())
_SPACE = frozenset(b" \t\n\r\f\v")
_CLASSES = {
    "d": _DIGITS,
    "D": ALL - _DIGITS,
    "w": _WORD,
    "W": ALL - _WORD,
    "s": _SPACE,
    "S": ALL - _SPACE,
    "h": frozenset(b" \t"),
    "N": ALL - {10},
}
_POSIX = {
    "alpha": frozenset(string.ascii_letters.encode()),
    "digit": _DIGITS,
    "alnum": frozenset((string.ascii_letters + string.digits).encode()),
    "upper": frozenset(string.ascii_uppercase.encode()),
    "lower": frozenset(string.ascii_lowercase.encode()),
    "punct": frozenset(string.punctuation.encode()),
    "space": _SPACE,
    "xdigit": frozenset(string.hexdigits.encode()),
    "word": _WORD,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "e": "\x1b", "a": "\a"}
_QUANTIFIER = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}")
_NAMED = re.compile(r"\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')", re.ASCII)
_HEX = re.compile(r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})")


class Parsed(msgspec.Struct, frozen=True):
    """An expression as a tree, how many groups capture, and whether it says itself that case is ignored."""

    node: Node
    count: int
    ignore_case: bool


def parse(text: str) -> Parsed:
    """The tree of an expression; raises `PatternError` for what goes beyond regular languages."""
    parser = _Parser(text)
    node = parser.choice(0)
    if parser.at < len(text):
        raise PatternError("`)` closes nothing", "write `\\)` for a parenthesis")
    return Parsed(node, parser.count, parser.ignore_case)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.count = 0
        self.ignore_case = False
        if text.startswith("(?i)"):
            self.at, self.ignore_case = 4, True

    def choice(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise PatternError("groups in groups in groups", f"nest at most {MAX_DEPTH}")
        branches = [self._sequence(depth)]
        while self._take("|"):
            branches.append(self._sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _take(self, wanted: str) -> bool:
        if not self.text.startswith(wanted, self.at):
            return False
        self.at += len(wanted)
        return True

    def _sequence(self, depth: int) -> Node:
        nodes: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            nodes.append(self._repeated(self._atom(depth)))
        return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))

    def _repeated(self, node: Node) -> Node:
        least_most = self._quantifier()
        if least_most is None:
            return node
        if isinstance(node, Edge):
            raise PatternError("a repeated anchor", "write it once")
        least, most = least_most
        if most is not None and most < least:
            raise PatternError(f"{{{least},{most}}} is out of order", "write the smaller number first")
        lazy = self._take("?")
        if self._take("+"):
            raise PatternError("a possessive quantifier", "write it without the second `+`")
        if self._quantifier() is not None:
            raise PatternError("a quantifier after a quantifier", "write `(?:…)` around the first")
        return Repeat(node, least, most, lazy)

    def _quantifier(self) -> tuple[int, int | None] | None:
        for mark, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._take(mark):
                return least, most
        found = _QUANTIFIER.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        least = whole(found[1])
        return least, (whole(found[3]) if found[3] else None) if found[2] else least

    def _atom(self, depth: int) -> Node:
        char = self.text[self.at]
        self.at += 1
        match char:
            case "(":
                return self._group(depth)
            case "[":
                return self._class()
            case ".":
                return ANY
            case "^" | "$":
                return Edge(char == "^")
            case "\\":
                return self._escaped()
            case "*" | "+" | "?":
                raise PatternError(f"`{char}` has nothing to repeat", f"write `\\{char}` for the text itself")
        return Char(char)

    def _group(self, depth: int) -> Node:
        number, name = 0, ""
        named = _NAMED.match(self.text, self.at)
        if named:
            self.at = named.end()
            name = named[1] or named[2]
        if named or not self.text.startswith("?", self.at):
            self.count += 1
            number = self.count
        elif not self._take("?:"):
            raise _refused(self.text[self.at : self.at + 3])
        node = self.choice(depth + 1)
        if not self._take(")"):
            raise PatternError("`(` is never closed", "write `\\(` for a parenthesis")
        return Capture(node, number, name) if number else node

    def _escaped(self) -> Node:
        char = self.text[self.at : self.at + 1]
        if char in _CLASSES:
            self.at += 1
            return Octets(_CLASSES[char])
        if char in ("A", "z", "Z") and char:
            self.at += 1
            return Edge(char == "A")
        return Char(self._escaped_char())

    def _escaped_char(self) -> str:
        """The character behind a backslash; raises `PatternError`."""
        char = self.text[self.at : self.at + 1]
        found = _HEX.match(self.text, self.at)
        if found:
            self.at = found.end()
            code = int(found[1] or found[2], 16)
            if code > 0x10FFFF or 0x7F < code < 0xA0 or 0xD800 <= code < 0xE000 or (found[2] and code > 0x7F):
                raise PatternError(f"`\\{found[0]}`, an octet outside of ASCII", "write the character itself")
            return chr(code)
        self.at += 1
        if char in _CONTROLS:
            return _CONTROLS[char]
        if not char or char.isalnum():
            raise PatternError(
                f"`\\{char}` cannot be expressed",
                "write it without lookaround, `\\b`, `\\Q` or backreferences",
            )
        return char

    def _class(self) -> Node:
        negated = self._take("^")
        octets: set[int] = set()
        first = True
        while first or not self._take("]"):
            if self.at >= len(self.text):
                raise PatternError("`[` is never closed", "write `\\[` for a bracket")
            octets |= self._class_item()
            first = False
        return Octets(ALL - octets if negated else frozenset(octets))

    def _class_item(self) -> frozenset[int]:
        found = re.compile(r"\[:(\^?)([a-z]+):\]").match(self.text, self.at)
        if found:
            if found[2] not in _POSIX:
                raise PatternError(f"`{found[0]}` cannot be expressed", "write the characters themselves")
            self.at = found.end()
            return ALL - _POSIX[found[2]] if found[1] else _POSIX[found[2]]
        low = self._class_char()
        if isinstance(low, frozenset):
            return low
        behind = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at : self.at + 1] != "-" or behind in ("]", ""):
            return frozenset((low,))
        self.at += 1
        high = self._class_char()
        if isinstance(high, frozenset) or high < low:
            raise PatternError("a range in `[…]` without order", "write `\\-` for a hyphen")
        return frozenset(range(low, high + 1))

    def _class_char(self) -> int | frozenset[int]:
        char = self.text[self.at]
        self.at += 1
        if char == "\\":
            escaped = self.text[self.at : self.at + 1]
            if escaped in _CLASSES:
                self.at += 1
                return _CLASSES[escaped]
            char = self._escaped_char()
        if not char.isascii():
            raise PatternError(f"{char!r} in `[…]` is several octets", "write `(?:a|b)` in place of `[ab]`")
        return ord(char)


def _refused(step: str) -> PatternError:
    if step[1:2] in ("=", "!", "<"):
        return PatternError("lookaround", "write what must stand there instead")
    return PatternError(f"`({step}` cannot be expressed", "write `(?:…)`, or flags in front of everything")
