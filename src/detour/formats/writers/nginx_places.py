"""Where each rule goes in an nginx `server`: which location, and what stands in it, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

import msgspec
import re2

from detour.formats.writers.ways import Way


class Step(msgspec.Struct, frozen=True):
    """One rule in a location: the tests it asks, and the line that answers."""

    way: Way
    tests: tuple[tuple[str, str], ...]  # (variable, regular expression of the whole of it)
    lines: tuple[str, ...]
    only_methods: bool  # whether nothing but the method is asked


class Place(msgspec.Struct, frozen=True):
    """A location: `=` and `^~` with a path, `~` and `~*` with a regular expression."""

    kind: str
    text: str
    steps: tuple[Step, ...]


def places(steps: list[Step]) -> Iterator[Place]:
    """The locations of a server, in their order, each with all that may answer in it."""
    exact: dict[str, list[int]] = {}
    prefix: dict[str, list[int]] = {}
    others: list[int] = []
    for number, step in enumerate(steps):
        kept = exact if step.way.exact is not None else prefix if step.way.prefix is not None else None
        if kept is None or step.way.rule.ignore_case:
            others.append(number)
        else:
            kept.setdefault(step.way.exact or step.way.prefix or "", []).append(number)
    seen: set[str] = set()
    regexes: list[Way] = []
    for number, step in enumerate(steps):
        place = _place(step.way, regexes)
        if f"{place.kind} {place.text}" in seen:
            continue
        seen.add(f"{place.kind} {place.text}")
        covering = _covering(step.way, exact, prefix, others, steps)
        own = tuple(_inside(number, covering, steps))
        if step not in own:
            continue  # another answers all that it matches
        if place.kind.startswith("~"):
            regexes.append(step.way)
        yield msgspec.structs.replace(place, steps=own)


def _place(way: Way, regexes: list[Way]) -> Place:
    """Where a rule goes: as what it is, unless a regular expression in front may match the same."""
    if not way.rule.ignore_case and (path := way.exact) is not None:
        if _is_decodable(path) and not any(_may_match(regex, path) for regex in regexes):
            return Place("=", _decoded(path), ())
    elif not way.rule.ignore_case and (start := way.prefix) is not None:
        clear = not any(
            start.startswith(regex.fixed_start) or regex.fixed_start.startswith(start) for regex in regexes
        )
        if _is_decodable(start) and clear:
            return Place("^~", _decoded(start), ())
    return Place("~*" if way.rule.ignore_case else "~", _decoded_regex(way), ())


def _may_match(regex: Way, path: str) -> bool:
    flag = "(?i)" if regex.rule.ignore_case else ""
    return bool(re2.fullmatch(f"{flag}{regex.regex}", path))


def _covering(
    way: Way,
    exact: dict[str, list[int]],
    prefix: dict[str, list[int]],
    others: list[int],
    steps: list[Step],
) -> set[int]:
    """The rules that match every path that `way` matches; itself among them."""
    text = way.exact if way.exact is not None else way.fixed_start
    found = {number for number, step in enumerate(steps) if step.way is way} if not text else set()
    if not way.rule.ignore_case:  # what minds case covers nothing that does not
        found |= {number for end in range(len(text) + 1) for number in prefix.get(text[:end], ())}
        found |= set(exact.get(text, ())) if way.exact is not None else set()
    if way.exact is not None and not way.rule.ignore_case:
        found |= {number for number in others if _may_match(steps[number].way, text)}
    found |= {
        number
        for number in others
        if steps[number].way.regex == way.regex and _folds(steps[number].way) >= _folds(way)
    }
    return found


def _folds(way: Way) -> bool:
    return way.rule.ignore_case


def _inside(first: int, covering: set[int], steps: list[Step]) -> Iterator[Step]:
    """What stands in the location of a step, in order: the rules that cover it, up to one without conditions;
    and between, where a request may fall through, those that match some of its paths, asking for the path."""
    step = steps[first]
    for number in _candidates(first, covering, steps):
        other = steps[number]
        if number in covering:
            yield other
            if _is_settled(other.way):
                return
        elif _may_overlap(other.way, step.way):
            yield _guarded(other)


def _candidates(first: int, covering: set[int], steps: list[Step]) -> Iterable[int]:
    """The numbers to look at: `covering` alone where they settle it, else all behind the first of them."""
    settled = min((number for number in covering if _is_settled(steps[number].way)), default=None)
    if settled is not None and settled <= first:
        return sorted(covering)
    behind = range(first + 1, len(steps) if settled is None else settled)
    return sorted({*covering, *behind})


def _is_settled(way: Way) -> bool:
    return way.rule.terms.methods is None and not way.rule.terms.when and not way.query_regex


def _may_overlap(way: Way, other: Way) -> bool:
    """Whether some path may fit both; for two that are no fixed text only their beginnings are compared."""
    if other.exact is not None:
        return _may_match(way, other.exact)
    if way.exact is not None:
        return _may_match(other, way.exact)
    mine, yours = way.fixed_start, other.fixed_start
    if way.rule.ignore_case or other.rule.ignore_case:
        mine, yours = mine.lower(), yours.lower()
    return mine.startswith(yours) or yours.startswith(mine)


def _guarded(step: Step) -> Step:
    """The step with its path among its tests."""
    if any(variable == "$path_as_sent" for variable, _ in step.tests):
        return step
    return msgspec.structs.replace(step, tests=(*step.tests, ("$path_as_sent", step.way.regex)))


# --- text as nginx matches it ------------------------------------------------------------------------


def _is_decodable(path: str) -> bool:
    """Whether the decoded path can be written as a word: printable, and UTF-8."""
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return text.isprintable()


def _decoded(path: str) -> str:
    return unquote_to_bytes(path).decode()


def _decoded_regex(way: Way) -> str:
    """The regular expression of a path, for decoded ones: what it spells as octets becomes their escapes."""
    return re.sub(r"%([0-9A-Fa-f]{2})", r"\\x\1", way.regex)
