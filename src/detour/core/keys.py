"""Patterns as keys: the texts under which an index can find a rule without trying it.

A key is host and path in one text, in which ONE stands for one whole segment and REST, at the end,
for whatever follows. Both are control characters, which no normalized URL holds.

    /v1/orders                  exact      /v1/orders
    //h/v1/*                    prefix     h/v1/ REST
    /users/:id/orders/*         segments   /users/ ONE /orders/ REST
    /blog{/*}?                  both       /blog    /blog/ REST

A key that ignores case begins with FOLDED and is in lower case. A pattern has at most a few keys, and
together they match exactly what it matches, scheme aside; or it has none, and the index must try it:
regular expressions, wildcards in front, queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from detour.core.pattern import MAX_LENGTH, Pattern
from detour.core.pattern_component import Component
from detour.core.pattern_syntax import Part, PartKind

ONE = "\0"
REST = "\1"
FOLDED = "\2"


class Key(msgspec.Struct, frozen=True, array_like=True):
    """One text to find a rule under, and the names of what its ONEs and its REST capture, in order.

    `unmatched` are groups of the pattern that take no part in this key: they capture "".
    """

    text: str
    names: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether it names a host."""
        return not self.text.lstrip(FOLDED).startswith("/")

    def match(self, text: str) -> dict[str, str] | None:
        """Captures from a path, behind its host where the key names one; None where it does not fit."""
        if self.text.startswith(FOLDED):
            found = self._match(text, text.lower(), self.text[1:])
        else:
            found = self._match(text, text, self.text)
        if found is not None and self.unmatched:
            found |= dict.fromkeys(self.unmatched, "")
        return found

    def _match(self, text: str, compared: str, key: str) -> dict[str, str] | None:
        if not self.names:
            return {} if key == compared else None
        if ONE not in key:
            start = key[:-1]
            return {self.names[0]: text[len(start) :]} if compared.startswith(start) else None
        return self._match_segments(text, compared, key)

    def _match_segments(self, text: str, compared: str, key: str) -> dict[str, str] | None:
        wanted = key.split("/")
        cuts = len(wanted) - 1 if wanted[-1] == REST else -1
        given, looked_at = text.split("/", cuts), compared.split("/", cuts)
        if len(given) != len(wanted):
            return None
        captured = []
        for want, segment, seen in zip(wanted, given, looked_at, strict=True):
            if want == REST or (want == ONE and segment):
                captured.append(segment)
            elif want != seen:
                return None
        return dict(zip(self.names, captured, strict=True))


# Patterns that are their own keys: a host that no parser would change, segments that are plain or
# `:name`, and perhaps `*` at the end, or a slash that may be absent. Most of a large set; parsing one costs
# twenty times as much.
_PLAIN = re.compile(
    r"(?:(?P<scheme>https?):)?(?://(?P<host>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}))?"
    r"(?P<path>(?:/(?:[A-Za-z0-9_~!$&',;=@-][A-Za-z0-9._~!$&',;=@-]*|:[A-Za-z]+))*(?:/\*?)?)"
)
_SLASH = "{/}?"
_MOST_NAMES = 16
_NAME = re.compile(r"(?<=/):([A-Za-z]+)|\*")


class Filing(msgspec.Struct, frozen=True):
    """How a pattern can be found: its one scheme ("" for any), its keys (() when it must be tried), and
    the names of its groups."""

    scheme: str
    keys: tuple[Key, ...]
    groups: frozenset[str]


def file(pattern: str, ignore_case: bool = False) -> Filing:
    """How to find the rule of a pattern; raises `PatternError` for a text that is none."""
    start = pattern.removesuffix(_SLASH)
    plain = None if len(pattern) > MAX_LENGTH else _PLAIN.fullmatch(start)
    if plain is not None and (key := _plain_key(plain)) is not None:
        if start == pattern:
            found: tuple[Key, ...] = (key,)
        elif key.text.endswith((REST, "/")):
            return file_parsed(Pattern.parse(pattern, ignore_case=ignore_case))
        else:
            found = (key, Key(key.text + "/", key.names))
        filed = tuple(map(_folded, found)) if ignore_case else found
        return Filing(plain["scheme"] or "", filed, frozenset(key.names))
    return file_parsed(Pattern.parse(pattern, ignore_case=ignore_case))


def file_parsed(pattern: Pattern) -> Filing:
    """As `file`, for a pattern that has been parsed."""
    groups = frozenset(group.name for group in pattern.groups)
    found = keys(pattern)
    return Filing("", (), groups) if found is None else Filing(_scheme(pattern) or "", found, groups)


def _plain_key(plain: re.Match[str]) -> Key | None:
    host, path = plain["host"] or "", plain["path"]
    if not path or (plain["scheme"] and not host) or "xn--" in host:
        return None
    if ":" not in path and "*" not in path:
        return Key(host + path)
    names = [found[1] for found in _NAME.finditer(path)]
    if len({*names, "url"}) <= len(names) or len(names) > _MOST_NAMES:
        return None  # a name twice, one that is taken, or too many: the parser says so
    text = _NAME.sub(lambda found: REST if found[0] == "*" else ONE, path)
    return Key(host + text, tuple("0" if name is None else name for name in names))


def written(scheme: str, keys: tuple[Key, ...]) -> str:
    """The shortest pattern that is filed under one scheme, or any, and one key; "" for several keys."""
    if len(keys) != 1:
        return ""
    [key] = keys
    text = key.text.removeprefix(FOLDED)
    for name in key.names:
        text = text.replace(ONE, f":{name}", 1) if ONE in text else f"{text[:-1]}*"
    if text[0] == "/":
        return text
    return f"{scheme}://{text}" if scheme else f"//{text}"


def keys(pattern: Pattern) -> tuple[Key, ...] | None:
    """The keys of `pattern`, or None when it must be tried."""
    host = _host(pattern)
    if host is None or not pattern.query.implied or _scheme(pattern) is None:
        return None
    shapes = tuple(_shapes(pattern.path))
    if not shapes or any(shape is None for shape in shapes):
        return None
    groups = pattern.path.groups
    found = (
        Key(host + text, names, tuple(name for name in groups if name not in names))
        for text, names in (shape for shape in shapes if shape is not None)
    )
    return tuple(map(_folded, found) if pattern.ignore_case else found)


def _folded(key: Key) -> Key:
    return Key(FOLDED + key.text.lower(), key.names, key.unmatched)


def _scheme(pattern: Pattern) -> str | None:
    """The one scheme of `pattern`, "" for any, None where it is a choice of its own."""
    return "" if pattern.scheme.implied else pattern.scheme.literal


def _host(pattern: Pattern) -> str | None:
    """The authority as in a request, "" for any, None where it is not one text."""
    if pattern.hostname.implied:
        return "" if pattern.port.implied else None
    if pattern.hostname.literal is None or pattern.port.literal is None:
        return None
    port = pattern.port.literal
    return f"{pattern.hostname.literal}:{port}" if port else pattern.hostname.literal


def _shapes(path: Component) -> Iterator[tuple[str, tuple[str, ...]] | None]:
    """Text and names of each key; a None says that the path has no keys."""
    if path.implied:
        yield None
        return
    *body, last = path.parts
    start = _body(body)
    if start is None:
        yield None
    elif last.modifier == "?":
        yield start
        yield _end(start, _without_modifier(last))
    elif last.modifier:
        yield None
    else:
        yield _end(start, last)


def _without_modifier(part: Part) -> Part:
    return msgspec.structs.replace(part, modifier="")


def _body(parts: list[Part]) -> tuple[str, tuple[str, ...]] | None:
    text, names = "", []
    for part in parts:
        if part.modifier or part.suffix or part.kind not in (PartKind.FIXED, PartKind.SEGMENT):
            return None
        if part.kind is PartKind.FIXED:
            if text.endswith(ONE) and not part.value.startswith("/"):
                return None
            text += part.value
            continue
        text += part.prefix + ONE
        if text[-2:-1] != "/":
            return None
        names.append(part.name)
    return text, tuple(names)


def _end(start: tuple[str, tuple[str, ...]], last: Part) -> tuple[str, tuple[str, ...]] | None:
    if last.kind is not PartKind.WILDCARD:
        whole = _body([last]) if not start[0] else _body_after(start, last)
        return None if whole is None else (whole[0], start[1] + whole[1])
    text = start[0] + last.prefix + REST
    if last.suffix or (ONE in text and text[-2:-1] != "/"):
        return None
    return text, (*start[1], last.name)


def _body_after(start: tuple[str, tuple[str, ...]], last: Part) -> tuple[str, tuple[str, ...]] | None:
    """`last` behind `start`, under the same conditions as within a body."""
    before = Part(PartKind.FIXED, start[0].replace(ONE, "x"))
    made = _body([before, last])
    if made is None or (start[0].endswith(ONE) and last.kind is PartKind.FIXED and last.value[:1] != "/"):
        return None
    return start[0] + made[0][len(start[0]) :], made[1]
