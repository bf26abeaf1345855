"""Shapes: how the text of a request is turned into the keys it may be found under.

The keys of a large set have few shapes: all of `/users-123/:id/orders/*` have one, whatever the number.
A shape says which segments of a path stand in a key as they are and which are replaced by ONE or REST, so
one look-up finds every rule of that shape, however many there are.

    /v1/orders                 any path, as it is
    /v1/ REST                  /-/ REST
    h/users/ ONE /orders/ REST  (named)  /-/ ONE /-/ REST

A path is met by the shapes that fit its number of segments: one look-up each, 0.9 µs among 10^6 keys,
where a marisa-trie of as many prefixes took 20 µs and a trie of segments 14 µs (bench/scale, 2026-11-24).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from detour.core.keys import FOLDED, ONE, REST, Key

LITERAL = "-"
MOST_SHAPES = 16  # that an index looks up one by one; keys of further shapes are found by tries

_EXPRESSIONS = {LITERAL: b"[^/]*", ONE: b"([^/]+)", REST: b"(.*)"}


class Shape(msgspec.Struct, frozen=True, array_like=True):
    """What the keys of one shape have in common. `mask` is "" for a path that stands in the key as it is."""

    folded: bool  # in lower case
    named: bool  # behind the authority
    mask: str  # a path, its segments replaced by LITERAL, ONE or REST

    @classmethod
    def of(cls, key: Key) -> Shape | None:
        """The shape of a key; None where its REST begins within a segment."""
        text = key.text.removeprefix(FOLDED)
        path = text[text.index("/") :]
        if ONE not in path and not path.endswith(REST):
            return cls(key.text != text, key.named, "")
        segments = path[1:].split("/")
        if segments[-1] != REST and segments[-1].endswith(REST):
            return None
        mask = "".join(f"/{segment if segment in (ONE, REST) else LITERAL}" for segment in segments)
        return cls(key.text != text, key.named, mask)

    def fits(self, segments: int) -> bool:
        """Whether a path of so many segments can have a key of this shape."""
        own = self.mask.count("/")
        return not own or own == segments or (own < segments and self.mask.endswith(REST))


Probe = tuple[bool, bool, Callable[[bytes], "re.Match[bytes] | None"] | None, bytes]


def probe(shape: Shape) -> Probe:
    """A shape as what a look-up needs: folded, named, and, unless the path is its own key, what takes the
    path apart into fixed texts and captures in turn, and the format that makes them the key."""
    if not shape.mask:
        return shape.folded, shape.named, None, b""
    expression, form, fixed = b"", b"", b""
    for kind in shape.mask[1:].split("/"):
        fixed += b"/"
        if kind == LITERAL:
            fixed += _EXPRESSIONS[LITERAL]
            continue
        expression += b"(%b)%b" % (fixed, _EXPRESSIONS[kind])
        form += b"%%b%b%%.0b" % kind.encode()  # "%.0b" takes a capture and writes nothing
        fixed = b""
    expression += b"(%b)" % fixed
    return shape.folded, shape.named, re.compile(expression, re.DOTALL).fullmatch, form + b"%b"


def key_of(probe: Probe, authority: bytes, path: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
    """The key of a path in a shape, and what its ONEs and its REST stand for; None where it has none."""
    folded, named, match, form = probe
    captures: tuple[bytes, ...] = ()
    key = path
    if match is not None:
        found = match(path)
        if found is None:
            return None
        pieces = found.groups()
        key, captures = form % pieces, pieces[1::2]
    if named:
        key = authority + key
    return (FOLDED.encode() + key.lower() if folded else key), captures
