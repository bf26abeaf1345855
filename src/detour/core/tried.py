"""Rules that no key finds: regular expressions, wildcards in front, queries.

Most of them still require some whole segment of the path, or some label of the host, to be there: the
rarest such word of each is where it is filed. What has no word, or shares its word with many, is
asked all at once of an RE2 set, in time linear in the request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import re2

from detour.core.hash_table import HashTable, Postings, build, hash_of, posted
from detour.core.pattern import Pattern
from detour.core.pattern_component import Component
from detour.core.pattern_matcher import path_expression
from detour.core.pattern_syntax import Part, PartKind

FEW = 16  # rules under one word that are tried one by one
SET_MEMORY = 1 << 28  # octets RE2 may use for one set: 10^5 segment patterns need 2.5e8
_GAP = "\0"
_SEGMENTS, _FOLDED, _LABELS = 1, 2, 4  # the sorts of words


def words(pattern: Pattern) -> set[str]:
    """What a target URI must hold for `pattern` to match: "/segment"s of its path, ".label"s of its host."""
    segments = _skeleton(pattern.path).split("/")[1:]
    required = {f"/{segment}" for segment in segments if segment and _GAP not in segment}
    if pattern.ignore_case:
        required = {word.lower().replace("/", "//") for word in required}
    labels = _skeleton(pattern.hostname).split(".")
    return required | {f".{label}" for label in labels if label and _GAP not in label}


def words_of(path: str, hostname: str, sorts: int) -> Iterator[str]:
    """Every word of `sorts` that a target URI holds, under which a rule can be filed; each once."""
    segments = dict.fromkeys(path.split("/"))
    if sorts & _SEGMENTS:
        yield from [f"/{segment}" for segment in segments]
    if sorts & _FOLDED:
        yield from dict.fromkeys([f"//{segment.lower()}" for segment in segments])
    if sorts & _LABELS:
        yield from dict.fromkeys([f".{label}" for label in hostname.split(".")])


def _sort(word: str) -> int:
    return _LABELS if word[0] == "." else _FOLDED if word[1:2] == "/" else _SEGMENTS


def _skeleton(component: Component) -> str:
    """The fixed text of a component, with a gap wherever something else may stand."""
    if component.implied:
        return _GAP
    return "".join(_fixed(part) for part in component.parts)


def _fixed(part: Part) -> str:
    if part.modifier:
        return _GAP
    return part.value if part.kind is PartKind.FIXED else f"{part.prefix}{_GAP}{part.suffix}"


class TriedWriter:
    """Takes patterns with their rule numbers, ascending."""

    def __init__(self) -> None:
        self._words: list[tuple[int, set[str]]] = []
        self._seen: Counter[str] = Counter()

    def add(self, pattern: Pattern, number: int) -> None:
        required = words(pattern)
        self._words.append((number, required))
        self._seen.update(required)

    def octets(self, postings: Postings) -> tuple[bytes | bytearray, bytes, bytes]:
        """The table of words, their sorts, and the numbers of rules without one."""
        hashes, numbers, wordless = [], [], []
        sorts = 0
        for number, required in self._words:
            if required:
                word = min(required, key=lambda word: (self._seen[word], word))
                sorts |= _sort(word)
                hashes.append(hash_of(word.encode()))
                numbers.append(number)
            else:
                wordless.append(number)
        table = build(hashes, numbers, postings)
        return table, bytes([sorts]), postings.value(wordless).to_bytes(4, "little") if wordless else b""


class Tried:
    """The rules to try for a request. Sets are made when it is opened, from the patterns of the rules."""

    def __init__(
        self,
        table: memoryview,
        sorts: memoryview,
        wordless: memoryview,
        postings: memoryview,
        pattern: Callable[[int], Pattern],
    ) -> None:
        self._table = HashTable(table)
        self._sorts = sorts[0]
        self._postings = postings
        self._pattern = pattern
        self._sets: dict[int, PathSet] = {}
        self._wordless = (int.from_bytes(wordless, "little"),) if len(wordless) else ()

    def __bool__(self) -> bool:
        return bool(self._table) or bool(self._wordless)

    def find(self, path: str, hostname: str) -> Iterator[Sequence[int]]:
        """Numbers of rules whose pattern may match."""
        for value in self._wordless:
            yield self._among(value, path)
        if self._table:
            for word in words_of(path, hostname, self._sorts):
                found = self._table.get(word.encode())
                if found is not None:
                    yield self._among(found, path)

    def _among(self, value: int, path: str) -> Sequence[int]:
        numbers = posted(value, self._postings)
        if len(numbers) <= FEW:
            return numbers
        found = self._sets.get(value)
        if found is None:
            found = self._sets[value] = PathSet(numbers, (self._pattern(number) for number in numbers))
        return found.match(path)


class PathSet:
    """Many patterns' paths as one automaton."""

    def __init__(self, numbers: Sequence[int], patterns: Iterable[Pattern]) -> None:
        options = re2.Options()
        options.log_errors = False
        options.max_mem = SET_MEMORY
        options.dot_nl = True  # as a pattern by itself
        self._set = re2.Set.FullMatchSet(options)
        self._numbers = numbers
        for pattern in patterns:
            self._set.Add(path_expression(pattern.path.parts, pattern.ignore_case))
        self._set.Compile()

    def match(self, path: str) -> list[int]:
        """Numbers of the patterns whose path matches, in no order."""
        return [self._numbers[place] for place in self._set.Match(path) or ()]  # None: no match
