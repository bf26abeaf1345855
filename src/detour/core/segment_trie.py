"""Keys of rare shapes, as a trie of segments in a hash table.

A node is a number; its children are found under "NODE/segment". A key's last node holds its rules.
Where both a literal and a one-segment child fit, both are followed: there are never more nodes than
the keys have segments, however many keys share them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from detour.core.hash_table import HashTable, Postings, build, hash_of
from detour.core.keys import ONE, REST

_ROOT = 0
_NONE = 0
_HAS_ONE, _HAS_REST = 1, 2  # what saves looking for children that are not there
_WILD = {ONE: _HAS_ONE, REST: _HAS_REST}


class SegmentTrieWriter:
    """Takes keys with their rule numbers, ascending."""

    def __init__(self) -> None:
        self._children: dict[str, int] = {}
        self._wild = bytearray(1)
        self._rules: dict[int, list[int]] = {}

    def add(self, key: str, number: int) -> None:
        node = _ROOT
        for segment in key.split("/"):
            child = self._children.setdefault(f"{node}/{segment}", len(self._children) + 1)
            if child == len(self._wild):
                self._wild.append(0)
            if segment in _WILD:
                self._wild[node] |= _WILD[segment]
            node = child
        held = self._rules.setdefault(node, [])
        if not held or held[-1] != number:
            held.append(number)

    def octets(self, postings: Postings) -> tuple[bytes | bytearray, bytes, bytes]:
        """The children, the values and the wildcards of the nodes, as `SegmentTrie` reads them."""
        ends = array("I", bytes(4 * (len(self._children) + 1)))
        for node, numbers in self._rules.items():
            ends[node] = postings.value(numbers) + 1
        hashes = [hash_of(child.encode()) for child in self._children]
        return build(hashes, [*self._children.values()], Postings()), ends.tobytes(), bytes(self._wild)


class SegmentTrie:
    """Look-ups in what a `SegmentTrieWriter` made; false when it holds nothing."""

    def __init__(self, children: memoryview, values: memoryview, wild: memoryview) -> None:
        self._children = HashTable(children)
        self._wild = wild
        self._values = values.cast("I")

    def __bool__(self) -> bool:
        return bool(self._children)

    def find(self, text: str) -> Iterator[int]:
        """The value of each key that fits `text`, host and path in one."""
        child, values, wild = self._children.get, self._values, self._wild
        segments = text.split("/")
        count = len(segments)
        waiting = [(_ROOT, 0)]
        while waiting:
            node, at = waiting.pop()
            if at == count:
                if values[node] != _NONE:
                    yield values[node] - 1
                continue
            segment = segments[at]
            kinds = wild[node]
            if kinds & _HAS_REST and (found := child(f"{node}/{REST}".encode())) is not None:
                waiting.append((found, count))
            if kinds & _HAS_ONE and segment and (found := child(f"{node}/{ONE}".encode())) is not None:
                waiting.append((found, at + 1))
            if (found := child(f"{node}/{segment}".encode())) is not None:
                waiting.append((found, at + 1))
