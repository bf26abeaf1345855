"""Rules as octets: written once, in file order, and decoded one by one when they are asked for.

A million rules are then one block of memory that all workers share, and no objects at all. Most rules of a
large set are simple: one key, a fixed Location or one with captures in its path, and everything else like
the rules around them. Such a rule is three texts and three numbers, from which `core.direct` makes the
answer without making a rule (0.2 µs to decode; a whole record takes 1.2 µs).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import msgspec

from detour.core.keys import FOLDED, ONE, REST, Key, written
from detour.core.rule import ParameterCapture, Rule, Terms
from detour.core.shape import Shape
from detour.core.template import Part, Slot, Template
from detour.errors import Span

Octets = bytes | bytearray | memoryview

_CHUNK = 1 << 18  # octets of records that are held back until they go on


class Form(msgspec.Struct, frozen=True, array_like=True):
    """What simple rules that were written alike share."""

    file: int
    terms: int
    status: int
    scheme: str  # the one the pattern is for; "" for any
    names: tuple[str, ...]  # of the key's captures; () where there is no key
    slots: tuple[str, ...]  # the captures in the Location, left to right
    location_scheme: str  # "" for the request's
    ignore_case: bool
    takes_query: bool


class Simple(msgspec.Struct, frozen=True, array_like=True, tag=0, gc=False):
    """A rule with one key of plain octets, or with none, and a Location whose captures stand in its path."""

    form: int
    series: int
    line: int
    key: bytes  # b"" where the pattern must be tried
    authority: bytes  # of the Location; b"" for the request's
    reference: bytes  # path, query and fragment of the Location, with ONE where a capture stands
    pattern: str = ""  # "": what scheme and key are written as


class Whole(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Any other rule, with what many rules share replaced by its number in `Shared`."""

    series: int
    file: int
    terms: int
    line: int
    scheme: str  # the one the pattern is for; "" for any, and where the pattern must be tried
    keys: tuple[Key, ...]  # () where the pattern must be tried
    status: int
    template: Template | None
    pattern: str = ""  # "": what scheme and key are written as
    name: str = ""  # "": the series, or SERIES:LINE in an import
    ignore_case: bool = False
    parameters: tuple[ParameterCapture, ...] = ()
    takes_query: bool = False


Record = Simple | Whole


class Shared(msgspec.Struct, frozen=True):
    """What records refer to by number, and what an index knows of all keys."""

    series: tuple[str, ...]  # in file order
    starts: tuple[int, ...]  # the number of each one's first rule; its others follow
    imports: tuple[str, ...]  # those that are imports
    files: tuple[str, ...]
    terms: tuple[Terms, ...]
    forms: tuple[Form, ...]
    shapes: tuple[Shape, ...]  # that keys are looked up in, in the order of their first rules
    unshaped: int  # the number of the first rule that is found in another way; as many as there are: none
    named: bool  # whether some other key names a host
    unnamed: bool  # whether some other key names none
    folded: bool  # whether some other key ignores case


class Records(Sequence[Rule]):
    """The rules in octets that a `RecordWriter` wrote, in file order."""

    def __init__(self, octets: memoryview, ends: memoryview, shared: Shared) -> None:
        self._octets = octets
        self._ends = ends.cast("Q")
        self._decode: Callable[[memoryview], Record] = msgspec.msgpack.Decoder(Record).decode
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
        return self.filed(number % len(self))[0]

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
        if isinstance(record, Simple):
            form = self.shared.forms[record.form]
            keys = (Key(record.key.decode(), form.names),) if record.key else ()
            return self._simple_rule(record, form, keys), form.scheme, keys
        return self._whole_rule(record), record.scheme, record.keys

    def _simple_rule(self, record: Simple, form: Form, keys: tuple[Key, ...]) -> Rule:
        series = self.shared.series[record.series]
        return Rule(
            self.usual_name(series, record.line),
            series,
            Span(self.shared.files[form.file], record.line),
            record.pattern or written(form.scheme, keys),
            _template(record, form),
            form.status,
            self.shared.terms[form.terms],
            form.ignore_case,
            (),
            form.takes_query,
        )

    def _whole_rule(self, record: Whole) -> Rule:
        series = self.shared.series[record.series]
        return Rule(
            record.name or self.usual_name(series, record.line),
            series,
            Span(self.shared.files[record.file], record.line),
            record.pattern or written(record.scheme, record.keys),
            record.template,
            record.status,
            self.shared.terms[record.terms],
            record.ignore_case,
            record.parameters,
            record.takes_query,
        )

    def usual_name(self, series: str, line: int) -> str:
        """What a rule is called that was not given another name."""
        return f"{series}:{line}" if series in self.shared.imports else series


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
        self._forms: dict[Form, int] = {}
        self._encode = msgspec.msgpack.Encoder().encode_into

    def add(self, rule: Rule, scheme: str, keys: tuple[Key, ...]) -> None:
        """Append `rule`, which has these keys for one scheme or any."""
        series = self._series.get(rule.series)
        if series is None:
            series = self._begin(rule)
        file = self._files.setdefault(rule.span.file, len(self._files))
        self._encode(self._record(rule, scheme, keys, series, file), self._held, -1)
        self.ends.append(self._gone + len(self._held))
        if len(self._held) >= _CHUNK:
            self.flush()

    def _record(self, rule: Rule, scheme: str, keys: tuple[Key, ...], series: int, file: int) -> Record:
        usual = f"{rule.series}:{rule.span.line}" if rule.series in self._imports else rule.series
        terms = self._number_of(rule.terms)
        pattern = "" if rule.pattern == written(scheme, keys) else rule.pattern
        template = rule.template
        location = None if template is None else _simple_location(template)
        if template is not None and location is not None and rule.name == usual and not rule.parameters:
            slots, authority, reference = location
            key = keys[0] if keys else Key("")
            if not keys or (not pattern and is_simple(key, slots)):
                to, fold, takes_query = template.scheme, rule.ignore_case, rule.takes_query
                form = Form(file, terms, rule.status, scheme, key.names, slots, to, fold, takes_query)
                number = self._forms.setdefault(form, len(self._forms))
                line, octets = rule.span.line, key.text.encode()
                return Simple(number, series, line, octets, authority, reference, pattern)
        return Whole(
            series,
            file,
            terms,
            rule.span.line,
            scheme,
            keys,
            rule.status,
            template,
            pattern,
            "" if rule.name == usual else rule.name,
            rule.ignore_case,
            rule.parameters,
            rule.takes_query,
        )

    def flush(self) -> None:
        """Send on what is held back."""
        self._sink(self._held)
        self._gone += len(self._held)
        self._held = bytearray()

    def shared(self, shapes: tuple[Shape, ...], unshaped: int, others: tuple[bool, bool, bool]) -> Shared:
        """What the records written so far refer to, and what the index knows: the last fields."""
        return Shared(
            tuple(self._series),
            tuple(self._starts),
            tuple(self._imports),
            tuple(self._files),
            tuple(self._kept),
            tuple(self._forms),
            shapes,
            unshaped,
            *others,
        )

    @property
    def series(self) -> tuple[str, ...]:
        """The names that hits of the rules so far are counted under."""
        return tuple(self._series)

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


# --- what is simple ------------------------------------------------------------------------------------

# Octets that no parser changes in a path and no slot encodes; with "/." or "//" anything may happen.
PLAIN_OCTETS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&()*+,;=:@./"
_PLAIN = f"[{re.escape(PLAIN_OCTETS.decode())}]"
_SIMPLE_KEY = re.compile(rf"{FOLDED}?[^/\0]*(?!.*//|.*/\.)(?:{_PLAIN}|{ONE})*{REST}?", re.DOTALL).fullmatch
_SIMPLE_REFERENCE = re.compile(rf"/(?!/)(?!.*//|.*/\.)(?:{_PLAIN}|{ONE}|\?)*").fullmatch


def is_simple(key: Key, slots: tuple[str, ...]) -> bool:
    """Whether a key can be compared octet by octet with a target, and its captures be put into a path."""
    captured = all(slot in key.names for slot in slots)
    return captured and not key.unmatched and _SIMPLE_KEY(key.text) is not None


def _simple_location(template: Template) -> tuple[tuple[str, ...], bytes, bytes] | None:
    """Slots, authority and reference of a template that has slots in its path only; None for others.

    A relative reference must be plain as well: then it can be compared with the target it answers.
    """
    [authority, *more] = template.authority or ("",)
    tail = (*(template.query or ()), *(template.fragment or ()))
    if more or not isinstance(authority, str) or not all(isinstance(part, str) for part in tail):
        return None
    if template.hosts or (":" in authority and not template.scheme):
        return None
    slots = tuple(part.name for part in template.path if isinstance(part, Slot))
    if any(name.startswith("url.") for name in slots):
        return None
    reference = "".join(part if isinstance(part, str) else ONE for part in template.path)
    reference += "" if template.query is None else f"?{''.join(map(str, template.query))}"
    reference += "" if template.fragment is None else f"#{''.join(map(str, template.fragment))}"
    if not authority and (template.scheme or _SIMPLE_REFERENCE(reference) is None):
        return None
    return slots, authority.encode(), reference.encode()


def _template(record: Simple, form: Form) -> Template:
    """The template that a simple record was made from."""
    text, fragment_mark, fragment = record.reference.decode().partition("#")
    path, query_mark, query = text.partition("?")
    parts: list[Part] = []
    for place, literal in enumerate(path.split(ONE)):
        if place:
            parts.append(Slot(form.slots[place - 1], "path"))
        if literal:
            parts.append(literal)
    return Template(
        form.location_scheme,
        (record.authority.decode(),) if record.authority else (),
        tuple(parts),
        _literals(query) if query_mark else None,
        _literals(fragment) if fragment_mark else None,
    )


def _literals(text: str) -> tuple[Part, ...]:
    return (text,) if text else ()
