"""Which rules can match a target URI at all, in file order, however many rules there are.

Rules are filed by what their pattern requires, each where it costs least:

    exact      host and path are one text           hash table, one look-up
    prefix     a text, and whatever follows         marisa-trie, all prefixes in one call
    segments   whole segments, literal or any       trie of segments in a hash table
    tried      all others                           by their rarest required word; RE2 sets

A request is looked up under its host and under any host. What is found is put in file order, and each
rule's own key or pattern is held against the request before it counts. Everything lies in sections of
octets: built once, mapped by every worker.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import marisa_trie
import msgspec

from detour.core.hash_table import HashTable, Postings, build, hash_of, posted
from detour.core.keys import FOLDED, ONE, REST, Filing, Key
from detour.core.message import Request
from detour.core.pattern import Pattern
from detour.core.record import Octets, Records, RecordWriter, Shared
from detour.core.rule import Rule
from detour.core.segment_trie import SegmentTrie, SegmentTrieWriter
from detour.core.tried import Tried, TriedWriter

Sections = Mapping[str, memoryview]

_DECODED = 1024  # rules kept decoded
_PARSED = 16384  # patterns kept parsed, of rules that must be tried


class IndexWriter:
    """Takes rules in file order; `sections` are what `Index` reads.

    A `sink` gets the section "records" while it is made: most of the octets, and then none of `sections`.
    """

    def __init__(self, sink: Callable[[Octets], object] | None = None) -> None:
        kept = bytearray()
        self._kept = kept if sink is None else None
        self._records = RecordWriter(sink or kept.extend)
        self._hashes, self._numbers = array("Q"), array("I")
        self._prefixes: dict[str, list[int]] = {}
        self._segments = SegmentTrieWriter()
        self._tried = TriedWriter()
        self.count = 0

    def add(self, rule: Rule, filing: Filing) -> None:
        """Append `rule`, whose pattern is filed so."""
        for key in filing.keys:
            self._file(key)
        if not filing.keys:
            self._tried.add(Pattern.parse(rule.pattern, ignore_case=rule.ignore_case), self.count)
        self._records.add(rule, filing.scheme, filing.keys)
        self.count += 1

    def _file(self, key: Key) -> None:
        if ONE in key.text:
            self._segments.add(key.text, self.count)
        elif key.text.endswith(REST):
            self._prefixes.setdefault(key.text[:-1], []).append(self.count)
        else:
            self._hashes.append(hash_of(key.text))
            self._numbers.append(self.count)

    @property
    def series(self) -> tuple[str, ...]:
        """The names that hits of the rules so far are counted under."""
        return self._records.shared().series

    def sections(self) -> Iterator[tuple[str, Octets]]:
        """Everything as octets, by name: once, and one after the other, so that nobody holds all."""
        self._records.flush()
        if self._kept is not None:
            yield "records", self._kept
        postings = Postings()
        yield "shared", msgspec.msgpack.encode(self._records.shared())
        yield "ends", _octets(self._records.ends)
        yield "exact", build(self._hashes, self._numbers, postings)
        yield from self._prefix_sections(postings)
        names = "segments", "segment_values", "segment_wildcards"
        yield from zip(names, self._segments.octets(postings), strict=True)
        yield from zip(("words", "wordless"), self._tried.octets(postings), strict=True)
        yield "postings", _octets(postings.numbers)

    def _prefix_sections(self, postings: Postings) -> Iterator[tuple[str, Octets]]:
        trie = marisa_trie.Trie(self._prefixes)
        values = array("I", [0]) * len(self._prefixes)
        for text, numbers in self._prefixes.items():
            values[trie[text]] = postings.value(numbers)
        yield "prefix", trie.tobytes() if self._prefixes else b""
        yield "prefix_values", _octets(values)


class Index:
    """Look-ups in the sections that an `IndexWriter` made."""

    def __init__(self, sections: Sections) -> None:
        self.sections = sections
        shared = msgspec.msgpack.decode(sections["shared"], type=Shared)
        self.rules = Records(sections["records"], sections["ends"], shared)
        self._postings = sections["postings"].cast("I")
        self._exact = HashTable(sections["exact"])
        self._prefixes = _opened(sections["prefix"])
        self._prefix_values = sections["prefix_values"].cast("I")
        self._segments = SegmentTrie(
            sections["segments"], sections["segment_values"], sections["segment_wildcards"]
        )
        # Not methods of this object: a cycle would keep the mapping open until the collector comes by.
        self._filed = lru_cache(_DECODED)(self.rules.filed)
        self._patterns = _Patterns(self.rules)
        self._tried = Tried(sections["words"], sections["wordless"], self._postings, self._patterns.of)

    def candidates(self, request: Request) -> Iterator[tuple[int, Rule, dict[str, str]]]:
        """Each rule whose pattern matches: its place in the order, itself, what it captured.

        Conditions are not looked at.
        """
        for number in self._numbers(request):
            rule, captures = self._captured(number, request)
            if captures is not None:
                yield number, rule, captures

    def sole(self, request: Request) -> tuple[Rule, dict[str, str]] | None:
        """The rule that matches and its captures, where no other need even be looked at."""
        numbers = self._numbers(request)
        if len(numbers) != 1:
            return None
        rule, captures = self._captured(numbers[0], request)
        return None if captures is None else (rule, captures)

    def _texts(self, request: Request) -> tuple[str, ...]:
        """What the request is looked up as, as far as keys have that: its path, its host and path, in lower
        case."""
        shared = self.rules.shared
        if not shared.named or not request.hostname:
            texts: tuple[str, ...] = (request.path,)
        else:
            named = request.authority + request.path
            texts = (request.path, named) if shared.unnamed else (named,)
        return (*texts, *(FOLDED + text.lower() for text in texts)) if shared.folded else texts

    def _captured(self, number: int, request: Request) -> tuple[Rule, dict[str, str] | None]:
        """Rule `number`, and what it captures; None where it does not match after all."""
        rule, scheme, keys = self._filed(number)
        if scheme and scheme != request.scheme:
            return rule, None
        captures = _match(keys, request) if keys else self._patterns.match(rule, request)
        if captures is not None and rule.parameters:
            captures = with_parameters(rule, request, captures)
        return rule, captures

    def _numbers(self, request: Request) -> list[int]:
        """The rules to look at, each once, in file order."""
        postings = self._postings
        numbers: list[int] = []
        for text in self._texts(request):
            if self._exact and (value := self._exact.get(text)) is not None:
                numbers += posted(value, postings)
            if self._prefixes is not None:
                for _, place in self._prefixes.iter_prefixes_with_ids(text):
                    numbers += posted(self._prefix_values[place], postings)
            if self._segments:
                for value in self._segments.find(text):
                    numbers += posted(value, postings)
        if self._tried:
            for found in self._tried.find(request):
                numbers += found
        return numbers if len(numbers) < 2 else sorted(set(numbers))


class _Patterns:
    """The patterns of rules that must be tried, parsed when they are asked for."""

    def __init__(self, rules: Records) -> None:
        self._rules = rules
        self._parse = lru_cache(_PARSED)(Pattern.parse)

    def of(self, number: int) -> Pattern:
        record = self._rules.record(number)
        return self._parse(record.pattern, ignore_case=record.ignore_case)

    def match(self, rule: Rule, request: Request) -> dict[str, str] | None:
        return self._parse(rule.pattern, ignore_case=rule.ignore_case).match(request)


def _octets(numbers: array[int]) -> memoryview:
    return memoryview(numbers).cast("B")


def _opened(octets: memoryview) -> marisa_trie.Trie | None:
    if not len(octets):
        return None
    trie = marisa_trie.Trie()
    trie.map(octets)
    return trie


def _match(keys: tuple[Key, ...], request: Request) -> dict[str, str] | None:
    for key in keys:
        captures = key.match(request.authority + request.path if key.named else request.path)
        if captures is not None:
            return captures
    return None


def with_parameters(rule: Rule, request: Request, captures: dict[str, str]) -> dict[str, str] | None:
    """Add what an imported line captures from query parameters; None where one is missing."""
    captures = dict(captures)
    for parameter in rule.parameters:
        values = [*request.parameters(parameter.name)]
        value = values[-1] if values else None  # the last, as Netlify reads it
        if value is None or (parameter.value is not None and parameter.value != value):
            return None
        if parameter.group is not None:
            captures[parameter.group] = value
    return captures
