"""URL Pattern syntax: text into tokens, tokens into parts (https://urlpattern.spec.whatwg.org/).

A component of a pattern is a sequence of parts. A part is fixed text, or a group that captures: a
segment wildcard (`:id`: one or more characters up to the component's delimiter), a full wildcard
(`*`: anything, also nothing) or a regexp (`(\\d+)`). Braces tie text to a group, or make text
repeatable: `{/:id}?`. A modifier `?`, `*` or `+` says how often a part may stand.

Where the standard tokenizes twice, leniently to cut a pattern into components and strictly to parse
each of them, here it is done once: what is wrong becomes an INVALID token that carries its fault,
and the parser raises it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Literal

import msgspec

from detour.errors import PatternError

MAX_GROUPS = 100  # RE2 copies its captures for every live state: time grows with their number
RESERVED_NAME = "url"  # `{url.path}` in a template is the request's own


def shorten(text: str) -> str:
    """At most 80 characters of `text`, for a message."""
    return text if len(text) <= 80 else f"{text[:79]}…"


class TokenKind(Enum):
    """Kinds of token (URL Pattern, "token type"); TEXT is the standard's "char", here a run of characters."""

    OPEN = "{"
    CLOSE = "}"
    REGEXP = "(…)"
    NAME = ":name"
    TEXT = "text"
    ESCAPED = "\\"
    MODIFIER = "modifier"
    ASTERISK = "*"
    END = "end"
    INVALID = "invalid"


class Token(msgspec.Struct, frozen=True):
    """One token: `index` is where it stands in the pattern, `fault` what is wrong with an INVALID one."""

    kind: TokenKind
    index: int
    value: str
    fault: tuple[str, str] = ("", "")


class PartKind(Enum):
    """What a part matches (URL Pattern, "part type")."""

    FIXED = "fixed text"
    SEGMENT = "segment wildcard"
    WILDCARD = "full wildcard"
    REGEXP = "regexp"


class Part(msgspec.Struct, frozen=True):
    """One part of a component; texts are encoded as they stand in a normalized URL.

    `value` is the text of a FIXED part and the expression of a REGEXP part. `prefix` and `suffix` are
    fixed texts around a group that share its `modifier` ("", "?", "*" or "+").
    """

    kind: PartKind
    value: str = ""
    modifier: str = ""
    name: str = ""
    prefix: str = ""
    suffix: str = ""


class Shape(msgspec.Struct, frozen=True):
    """How groups behave in a component (URL Pattern, "options")."""

    delimiter: str = ""  # a segment wildcard stops before it
    prefix: str = ""  # directly before a group it belongs to the group

    @property
    def segment(self) -> str:
        """The regular expression of a segment wildcard."""
        return f"[^\\{self.delimiter}]+?" if self.delimiter else ".+?"


ComponentName = Literal["scheme", "hostname", "port", "path", "query"]

COMPONENTS: tuple[ComponentName, ...] = ("scheme", "hostname", "port", "path", "query")

SHAPES: dict[str, Shape] = {
    "scheme": Shape(),
    "hostname": Shape(delimiter="."),
    "port": Shape(),
    "path": Shape(delimiter="/", prefix="/"),
    "query": Shape(),
}


# --- tokens (URL Pattern, "tokenizing") ---------------------------------------------------------------------

_SINGLE = {
    "*": TokenKind.ASTERISK,
    "+": TokenKind.MODIFIER,
    "?": TokenKind.MODIFIER,
    "{": TokenKind.OPEN,
    "}": TokenKind.CLOSE,
}
# `/ # @ [ ]` stand alone, because a pattern is cut into components at them.
_RUN = re.compile(r"[^*+?{}\\:(/#@\[\]]+")


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`, END last. Never raises: faults are INVALID tokens."""
    tokens = []
    index = 0
    while index < len(text):
        token, index = _token_at(text, index)
        tokens.append(token)
    return [*tokens, Token(TokenKind.END, index, "")]


def _token_at(text: str, index: int) -> tuple[Token, int]:
    character = text[index]
    if kind := _SINGLE.get(character):
        return Token(kind, index, character), index + 1
    if scan := _SCANNERS.get(character):
        return scan(text, index)
    run = _RUN.match(text, index)
    value = run[0] if run else character
    return Token(TokenKind.TEXT, index, value), index + len(value)


def _escaped_at(text: str, index: int) -> tuple[Token, int]:
    escaped = text[index + 1 : index + 2]
    if not escaped:
        return _invalid(text, index, "`\\` at the end escapes nothing", "write `\\\\` for a backslash")
    return Token(TokenKind.ESCAPED, index, escaped), index + 2


def _name_at(text: str, index: int) -> tuple[Token, int]:
    end = index + 1
    while end < len(text) and is_name_character(text[end], first=end == index + 1):
        end += 1
    if end == index + 1:
        return _invalid(text, index, "`:` is followed by no name", "write `:name`, or `\\:` for a colon")
    return Token(TokenKind.NAME, index, text[index + 1 : end]), end


def is_name_character(character: str, *, first: bool) -> bool:
    """Whether a group's name may hold it: an ECMAScript identifier's code points."""
    if first:
        return character == "$" or character.isidentifier()
    return character in "$\u200c\u200d" or f"a{character}".isidentifier()


def _regexp_at(text: str, index: int) -> tuple[Token, int]:
    try:
        end = _regexp_end(text, index + 1)
    except PatternError as error:
        return _invalid(text, index, error.fact, error.remedy)
    return Token(TokenKind.REGEXP, index, text[index + 1 : end]), end + 1


def _regexp_end(text: str, start: int) -> int:
    """Where the `)` stands that closes the expression; raises `PatternError` for one the standard refuses."""
    if text[start : start + 1] in ("?", ")"):
        raise PatternError("a group begins `(?` or is empty", "write an expression, as in `(\\d+)`")
    depth, position = 1, start
    while depth:
        step = text[position : position + 2]
        _check_step(step)
        if step[0] == "\\":
            position += 2
            continue
        depth += (step[0] == "(") - (step[0] == ")")
        position += 1
    return position - 1


def _check_step(step: str) -> None:
    """Refuse what may not come next in an expression: its next one or two characters are `step`."""
    if not step:
        raise PatternError("`(` is never closed", "close it with `)`, or write `\\(` for a parenthesis")
    if not (step if step[0] == "\\" else step[0]).isascii():
        raise PatternError(
            f"{step!r} in a group is not ASCII", "write it as it stands in a URL, percent-encoded: `%C3%A9`"
        )
    if step[0] == "(" and step != "(?":
        raise PatternError("a capturing group inside a group", "write `(?:…)`, or `\\(` for a parenthesis")


def _invalid(text: str, index: int, fact: str, remedy: str) -> tuple[Token, int]:
    return Token(TokenKind.INVALID, index, text[index], (fact, remedy)), index + 1


_SCANNERS: dict[str, Callable[[str, int], tuple[Token, int]]] = {
    "\\": _escaped_at,
    ":": _name_at,
    "(": _regexp_at,
}


# --- parts (URL Pattern, "parsing") ----------------------------------------------------------------------


class GroupNames:
    """Names the groups of one pattern: unnamed ones "0", "1", … as written; no name twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._unnamed = 0

    def claim(self, name: str | None) -> str:
        """The name of the next group; raises `PatternError` for one that is taken or reserved."""
        if name is None:
            name = str(self._unnamed)
            self._unnamed += 1
        if name in self._taken:
            raise PatternError(f"two groups are called `:{shorten(name)}`", "give each its own name")
        if name == RESERVED_NAME:
            raise PatternError(
                "`:url` is taken", "call it otherwise: `{url.…}` is the request's in a template"
            )
        if len(self._taken) == MAX_GROUPS:
            raise PatternError(f"more than {MAX_GROUPS} groups", "capture less, or split the rule")
        self._taken.add(name)
        return name


def parse_parts(
    tokens: Sequence[Token], encode: Callable[[str], str], shape: Shape, names: GroupNames
) -> tuple[Part, ...]:
    """Parts of one component from its tokens, END last (URL Pattern, "parse a pattern string").

    `encode` turns fixed text into what stands in a URL. Raises `PatternError`.
    """
    return _PartParser(tokens, encode, shape, names).parse()


class _PartParser:
    def __init__(
        self, tokens: Sequence[Token], encode: Callable[[str], str], shape: Shape, names: GroupNames
    ) -> None:
        self._tokens = tokens
        self._encode = encode
        self._shape = shape
        self._names = names
        self._index = 0
        self._pending = ""  # fixed text that may go on
        self._parts: list[Part] = []

    def parse(self) -> tuple[Part, ...]:
        while not self._take(TokenKind.END):
            self._element()
        self._flush()
        return tuple(self._parts)

    def _take(self, *kinds: TokenKind) -> Token | None:
        token = self._tokens[self._index]
        if token.kind not in kinds:
            return None
        self._index += 1
        return token

    def _element(self) -> None:
        text = self._take(TokenKind.TEXT)
        name, expression = self._group()
        if name or expression:
            self._bare_group(text.value if text else "", name, expression)
        elif text or (text := self._take(TokenKind.ESCAPED)):
            self._pending += text.value
        elif self._take(TokenKind.OPEN):
            self._braces()
        else:
            raise self._unexpected()

    def _group(self) -> tuple[Token | None, Token | None]:
        name = self._take(TokenKind.NAME)
        if name:
            return name, self._take(TokenKind.REGEXP)
        return None, self._take(TokenKind.REGEXP, TokenKind.ASTERISK)

    def _bare_group(self, before: str, name: Token | None, expression: Token | None) -> None:
        """A group outside of braces: only the prefix character before it belongs to it."""
        prefix = before if before == self._shape.prefix else ""
        if not prefix:
            self._pending += before
        self._add_group(prefix, name, expression, "", self._modifier())

    def _braces(self) -> None:
        prefix = self._text()
        name, expression = self._group()
        suffix = self._text()
        if not self._take(TokenKind.CLOSE):
            raise self._unexpected()
        modifier = self._modifier()
        if name or expression:
            self._add_group(prefix, name, expression, suffix, modifier)
        elif modifier:
            self._flush()
            self._add_fixed(prefix, modifier)
        else:
            self._pending += prefix

    def _modifier(self) -> str:
        token = self._take(TokenKind.MODIFIER, TokenKind.ASTERISK)
        return token.value if token else ""

    def _text(self) -> str:
        value = ""
        while token := self._take(TokenKind.TEXT, TokenKind.ESCAPED):
            value += token.value
        return value

    def _flush(self) -> None:
        pending, self._pending = self._pending, ""
        self._add_fixed(pending, "")

    def _add_fixed(self, text: str, modifier: str) -> None:
        if text:
            self._parts.append(Part(PartKind.FIXED, self._encode(text), modifier))

    def _add_group(
        self, prefix: str, name: Token | None, expression: Token | None, suffix: str, modifier: str
    ) -> None:
        self._flush()
        kind = self._kind(expression)
        self._parts.append(
            Part(
                kind,
                expression.value if expression and kind is PartKind.REGEXP else "",
                modifier,
                self._names.claim(name.value if name else None),
                self._encode(prefix),
                self._encode(suffix),
            )
        )

    def _kind(self, expression: Token | None) -> PartKind:
        if expression is None or expression.value == self._shape.segment:
            return PartKind.SEGMENT
        if expression.kind is TokenKind.ASTERISK or expression.value == ".*":
            return PartKind.WILDCARD
        return PartKind.REGEXP

    def _unexpected(self) -> PatternError:
        token = self._tokens[self._index]
        if token.kind is TokenKind.INVALID:
            return PatternError(*token.fault)
        if token.kind is TokenKind.END:
            return PatternError("`{` is never closed", "close it with `}`, or write `\\{` for a brace")
        text = shorten(token.value)
        return PatternError(
            f"`{text}` has no meaning where it stands", f"write `\\{text}` for the text itself"
        )
