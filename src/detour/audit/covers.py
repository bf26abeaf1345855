"""Whether one rule answers everything that another one would: exact over keys (`core.keys`)."""

from __future__ import annotations

from collections.abc import Sequence

from detour.core.keys import FOLDED, ONE, REST, Key
from detour.core.message import METHODS
from detour.core.rule import Rule


def key_covers(wide: Key, narrow: Key) -> bool:
    """Whether `wide` matches every text that `narrow` matches."""
    outer, inner = wide.text, narrow.text
    if outer.startswith(FOLDED):
        outer, inner = outer[1:], inner.removeprefix(FOLDED).lower()
    elif inner.startswith(FOLDED):
        return False
    if not wide.named:
        inner = inner[inner.index("/") :]
    return _segments_cover(outer.split("/"), inner.split("/"))


def _segments_cover(outer: list[str], inner: list[str]) -> bool:
    for place, segment in enumerate(outer):
        if segment.endswith(REST):
            return place < len(inner) and "/".join(inner[place:]).startswith(segment[:-1])
        if place >= len(inner) or inner[place].endswith(REST):
            return False
        if segment != inner[place] and not (segment == ONE and inner[place]):
            return False
    return len(outer) == len(inner)


def keys_cover(wide: Sequence[Key], narrow: Sequence[Key]) -> bool:
    """Whether some key of `wide` covers each key of `narrow`."""
    return bool(narrow) and all(any(key_covers(one, other) for one in wide) for other in narrow)


def terms_cover(wide: Rule, narrow: Rule, now: float) -> bool:
    """Whether `wide` applies whenever `narrow` does, from `now` on, their patterns aside."""
    first, then = wide.terms, narrow.terms
    methods = first.methods is None or first.methods >= (METHODS if then.methods is None else then.methods)
    asked = set(first.when) <= set(then.when) and set(first.unless) <= set(then.unless)
    whole = first.share is None or (first.share == then.share and wide.series == narrow.series)
    always = first.start <= max(then.start, now) and first.end >= then.end
    return methods and asked and whole and always and set(wide.parameters) <= set(narrow.parameters)
