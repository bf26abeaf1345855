"""Which rules can match a target URI at all, in file order, however many rules there are.

Rules are filed by what their pattern requires, each where it costs least:

    keys       whole segments, literal or any       hash table, one look-up for each shape of key
    prefix     one that ends within a segment       marisa-trie, all prefixes in one call
    segments   keys of rarer shapes                 trie of segments in a hash table
    tried      all others                           by their rarest required word; RE2 sets

What is found is put in file order, and each rule's own key or pattern is held against the request before it
counts. Everything lies in sections of octets: built once, mapped by every worker.
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
from detour.core.shape import MOST_SHAPES, Shape, key_of, probe
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
        self._shapes: dict[Shape, None] = {}
        self._prefixes: dict[str, list[int]] = {}
        self._segments = SegmentTrieWriter()
        self._tried = TriedWriter()
        self._unshaped: int | None = None  # the first rule that no shape finds
        self._named = self._unnamed = self._folded = False  # whether keys without a shape are
        self.count = 0

    def add(self, rule: Rule, filing: Filing) -> None:
        """Append `rule`, whose pattern is filed so."""
        for key in filing.keys:
            self._file(key)
        if not filing.keys:
            self._tried.add(Pattern.parse(rule.pattern, ignore_case=rule.ignore_case), self.count)
            self._note_unshaped()
        self._records.add(rule, filing.scheme, filing.keys)
        self.count += 1

    def _file(self, key: Key) -> None:
        shape = Shape.of(key)
        if shape is not None and (shape in self._shapes or len(self._shapes) < MOST_SHAPES):
            self._shapes[shape] = None
            self._hashes.append(hash_of(key.text.encode()))
            self._numbers.append(self.count)
            return
        self._note_unshaped()
        self._named |= key.named
        self._unnamed |= not key.named
        self._folded |= key.text.startswith(FOLDED)
        if ONE not in key.text and key.text.endswith(REST):
            self._prefixes.setdefault(key.text[:-1], []).append(self.count)
        else:
            self._segments.add(key.text, self.count)

    def _note_unshaped(self) -> None:
        if self._unshaped is None:
            self._unshaped = self.count

    @property
    def series(self) -> tuple[str, ...]:
        """The names that hits of the rules so far are counted under."""
        return self._records.series

    def sections(self) -> Iterator[tuple[str, Octets]]:
        """Everything as octets, by name: once, and one after the other, so that nobody holds all."""
        self._records.flush()
        if self._kept is not None:
            yield "records", self._kept
        postings = Postings()
        yield "shared", msgspec.msgpack.encode(self._shared())
        yield "ends", _octets(self._records.ends)
        yield "keys", build(self._hashes, self._numbers, postings)
        yield from self._prefix_sections(postings)
        names = "segments", "segment_values", "segment_wildcards"
        yield from zip(names, self._segments.octets(postings), strict=True)
        yield from zip(("words", "word_sorts", "wordless"), self._tried.octets(postings), strict=True)
        yield "postings", _octets(postings.numbers)

    def _shared(self) -> Shared:
        unshaped = self.count if self._unshaped is None else self._unshaped
        return self._records.shared(tuple(self._shapes), unshaped, (self._named, self._unnamed, self._folded))

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
        self.shared = msgspec.msgpack.decode(sections["shared"], type=Shared)
        self.rules = Records(sections["records"], sections["ends"], self.shared)
        self.postings = sections["postings"].cast("I")
        self.keys = HashTable(sections["keys"])
        self._probes = tuple(probe(shape) for shape in self.shared.shapes)
        self._prefixes = _opened(sections["prefix"])
        self._prefix_values = sections["prefix_values"].cast("I")
        self._segments = SegmentTrie(
            sections["segments"], sections["segment_values"], sections["segment_wildcards"]
        )
        # Not methods of this object: a cycle would keep the mapping open until the collector comes by.
        self._filed = lru_cache(_DECODED)(self.rules.filed)
        self.patterns = _Patterns(self.rules)
        words = sections["words"], sections["word_sorts"], sections["wordless"]
        self.tried = Tried(*words, self.postings, self.patterns.of)

    def candidates(self, request: Request) -> Iterator[tuple[int, Rule, dict[str, str]]]:
        """Each rule whose pattern matches: its place in the order, itself, what it captured.

        Conditions are not looked at.
        """
        for number in self._numbers(request):
            rule, captures = self._captured(number, request)
            if captures is not None:
                yield number, rule, captures

    def _captured(self, number: int, request: Request) -> tuple[Rule, dict[str, str] | None]:
        """Rule `number`, and what it captures; None where it does not match after all."""
        rule, scheme, keys = self._filed(number)
        if scheme and scheme != request.scheme:
            return rule, None
        captures = _match(keys, request) if keys else self.patterns.match(rule, request)
        if captures is not None and rule.parameters:
            captures = with_parameters(rule, request, captures)
        return rule, captures

    def _numbers(self, request: Request) -> list[int]:
        """The rules to look at, each once, in file order."""
        numbers: list[int] = []
        authority = (request.authority if request.hostname else "").encode()
        path = request.path.encode()
        for one in self._probes:
            found = key_of(one, authority, path)
            if found is not None and (value := self.keys.get(found[0])) is not None:
                numbers += posted(value, self.postings)
        for text in self._texts(request):
            numbers += self._unshaped(text)
        if self.tried:
            for among in self.tried.find(request.path, request.hostname):
                numbers += among
        return numbers if len(numbers) < 2 else sorted(set(numbers))

    @property
    def has_tries(self) -> bool:
        """Whether some keys have no shape."""
        return self._prefixes is not None or bool(self._segments)

    def _texts(self, request: Request) -> tuple[str, ...]:
        """What the request is looked up as where keys have no shape, as far as there are such keys: its path,
        its host and path, in lower case."""
        shared = self.shared
        texts: tuple[str, ...] = (request.path,) if shared.unnamed else ()
        if shared.named and request.hostname:
            texts += (request.authority + request.path,)
        return (*texts, *(FOLDED + text.lower() for text in texts)) if shared.folded else texts

    def _unshaped(self, text: str) -> Iterator[int]:
        if self._prefixes is not None:
            for _, place in self._prefixes.iter_prefixes_with_ids(text):
                yield from posted(self._prefix_values[place], self.postings)
        if self._segments:
            for value in self._segments.find(text):
                yield from posted(value, self.postings)


class _Patterns:
    """The patterns of rules that must be tried, parsed when they are asked for."""

    def __init__(self, rules: Records) -> None:
        self._rules = rules
        self._parse = lru_cache(_PARSED)(Pattern.parse)

    def of(self, number: int) -> Pattern:
        rule = self._rules[number]
        return self._parse(rule.pattern, ignore_case=rule.ignore_case)

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
