"""Rules as octets: written once, in file order, and decoded one by one when they are asked for.

A million rules are then one block of memory that all workers share, and no objects at all.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import msgspec

from detour.core.keys import FOLDED, Key, written
from detour.core.rule import ParameterCapture, Rule, Terms
from detour.core.template import Template
from detour.errors import Span

Octets = bytes | bytearray | memoryview

_CHUNK = 1 << 18  # octets of records that are held back until they go on


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A rule, with what many rules share replaced by its number in `Shared`."""

    series: int
    file: int
    terms: int
    line: int
    scheme: str  # the one the pattern is for; "" for any, and where the pattern must be tried
    keys: tuple[Key, ...]  # () where the pattern must be tried
    status: int
    template: Template | None
    pattern: str = ""  # "": what scheme and key are written as
    name: str = ""  # "": SERIES:LINE
    ignore_case: bool = False
    parameters: tuple[ParameterCapture, ...] = ()
    takes_query: bool = False


class Shared(msgspec.Struct, frozen=True):
    """What records refer to by number."""

    series: tuple[str, ...]  # in file order
    starts: tuple[int, ...]  # the number of each one's first rule; its others follow
    imports: tuple[str, ...]  # those that are imports
    files: tuple[str, ...]
    terms: tuple[Terms, ...]
    named: bool  # whether some key names a host
    unnamed: bool  # whether some key names none
    folded: bool  # whether some key ignores case

    def rule(self, record: Record) -> Rule:
        """The rule that `record` stands for."""
        series = self.series[record.series]
        return Rule(
            record.name or f"{series}:{record.line}",
            series,
            Span(self.files[record.file], record.line),
            record.pattern or written(record.scheme, record.keys),
            record.template,
            record.status,
            self.terms[record.terms],
            record.ignore_case,
            record.parameters,
            record.takes_query,
        )


class RecordWriter:
    """Takes rules in file order; what goes to `sink`, and `ends`, is what `Records` reads."""

    def __init__(self, sink: Callable[[Octets], object]) -> None:
        self._sink = sink
        self._held = bytearray()
        self._gone = 0  # octets that went to the sink
        self.ends = array("Q", [0])
        self._series: dict[str, int] = {}
        self._starts: list[int] = []
        self._imports: dict[str, None] = {}
        self._files: dict[str, int] = {}
        self._terms: dict[int, int] = {}  # by identity: the lines of an import share one value
        self._kept: list[Terms] = []
        self._named = self._unnamed = self._folded = False
        self._encode = msgspec.msgpack.Encoder().encode_into

    def add(self, rule: Rule, scheme: str, keys: tuple[Key, ...]) -> None:
        """Append `rule`, which has these keys for one scheme or any."""
        for key in keys:
            self._folded |= key.text.startswith(FOLDED)
            self._named |= key.named
            self._unnamed |= not key.named
        series = self._series.get(rule.series)
        if series is None:
            series = self._begin(rule)
        short = f"{rule.series}:{rule.span.line}"
        record = Record(
            series,
            self._files.setdefault(rule.span.file, len(self._files)),
            self._number_of(rule.terms),
            rule.span.line,
            scheme,
            keys,
            rule.status,
            rule.template,
            "" if rule.pattern == written(scheme, keys) else rule.pattern,
            "" if rule.name == short else rule.name,
            rule.ignore_case,
            rule.parameters,
            rule.takes_query,
        )
        self._encode(record, self._held, -1)
        self.ends.append(self._gone + len(self._held))
        if len(self._held) >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Send on what is held back."""
        self._sink(self._held)
        self._gone += len(self._held)
        self._held = bytearray()

    def shared(self) -> Shared:
        """What the records written so far refer to."""
        return Shared(
            tuple(self._series),
            tuple(self._starts),
            tuple(self._imports),
            tuple(self._files),
            tuple(self._kept),
            self._named,
            self._unnamed,
            self._folded,
        )

    def _begin(self, first: Rule) -> int:
        series = self._series[first.series] = len(self._series)
        self._starts.append(len(self.ends) - 1)
        if first.name != first.series:
            self._imports[first.series] = None
        return series

    def _number_of(self, terms: Terms) -> int:
        number = self._terms.get(id(terms))
        if number is None:
            number = self._terms[id(terms)] = len(self._kept)
            self._kept.append(terms)  # which also keeps its identity from being given away
        return number


class Records(Sequence[Rule]):
    """The rules in octets that a `RecordWriter` wrote, in file order."""

    def __init__(self, octets: memoryview, ends: memoryview, shared: Shared) -> None:
        self._octets = octets
        self._ends = ends.cast("Q")
        self._decode = msgspec.msgpack.Decoder(Record).decode
        self.shared = shared

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, number: int) -> Rule: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[Rule, ...]: ...
    def __getitem__(self, number: int | slice) -> Rule | tuple[Rule, ...]:
        if isinstance(number, slice):
            return tuple(self[one] for one in range(*number.indices(len(self))))
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self.shared.rule(self.record(number % len(self)))

    def __iter__(self) -> Iterator[Rule]:
        return (self[number] for number in range(len(self)))

    def place_of(self, name: str) -> int | None:
        """The number of the last rule of that name; takes long for a line of a large import."""
        series = name.partition(":")[0]  # an import's, for its lines
        if series not in self.shared.series:
            return None
        place = self.shared.series.index(series)
        ends = (*self.shared.starts[1:], len(self))
        numbers = range(self.shared.starts[place], ends[place])
        return next((number for number in reversed(numbers) if self[number].name == name), None)

    def record(self, number: int) -> Record:
        """Rule `number` as it was written."""
        ends = self._ends
        return self._decode(self._octets[ends[number] : ends[number + 1]])

    def filed(self, number: int) -> tuple[Rule, str, tuple[Key, ...]]:
        """Rule `number`, its one scheme ("" for any), and the keys it is found under."""
        record = self.record(number)
        return self.shared.rule(record), record.scheme, record.keys
