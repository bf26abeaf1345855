"""Patterns as keys: the texts under which an index can find a rule without trying it.

A key is host and path in one text, in which ONE stands for one whole segment and REST, at the end,
for whatever follows. Both are control characters, which no normalized URL holds.

    /v1/orders                  exact      /v1/orders
    //h/v1/*                    prefix     h/v1/ REST
    /users/:id/orders/*         segments   /users/ ONE /orders/ REST
    /blog{/*}?                  both       /blog    /blog/ REST

A pattern has at most a few keys, and together they match exactly what it matches, scheme aside; or
it has none, and the index must try it: regular expressions, wildcards in front, queries, `ignore_case`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detour.core.pattern import Pattern
from detour.core.pattern_component import Component
from detour.core.pattern_syntax import Part, PartKind

ONE = "\0"
REST = "\1"


class Key(msgspec.Struct, frozen=True, array_like=True):
    """One text to find a rule under, and the names of what its ONEs and its REST capture, in order.

    `unmatched` are groups of the pattern that take no part in this key: they capture "".
    """

    text: str
    names: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()

    def match(self, text: str) -> dict[str, str] | None:
        """Captures from host and path in one text, or None."""
        found = self._match(text)
        if found is not None and self.unmatched:
            found |= dict.fromkeys(self.unmatched, "")
        return found

    def _match(self, text: str) -> dict[str, str] | None:
        key = self.text
        if not self.names:
            return {} if key == text else None
        if ONE not in key:
            start = key[:-1]
            return {self.names[0]: text[len(start) :]} if text.startswith(start) else None
        return self._match_segments(text)

    def _match_segments(self, text: str) -> dict[str, str] | None:
        wanted = self.text.split("/")
        open_ended = wanted[-1] == REST
        given = text.split("/", len(wanted) - 1) if open_ended else text.split("/")
        if len(given) != len(wanted):
            return None
        captured = []
        for want, segment in zip(wanted, given, strict=True):
            if want == REST or (want == ONE and segment):
                captured.append(segment)
            elif want != segment:
                return None
        return dict(zip(self.names, captured, strict=True))


def keys(pattern: Pattern) -> tuple[Key, ...] | None:
    """The keys of `pattern`, or None when it must be tried."""
    host = _host(pattern)
    if host is None or pattern.ignore_case or not pattern.query.implied or _scheme(pattern) is None:
        return None
    shapes = tuple(_shapes(pattern.path))
    if not shapes or any(shape is None for shape in shapes):
        return None
    groups = pattern.path.groups
    return tuple(
        Key(host + text, names, tuple(name for name in groups if name not in names))
        for text, names in (shape for shape in shapes if shape is not None)
    )


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
