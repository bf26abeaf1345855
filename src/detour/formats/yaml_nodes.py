"""YAML and JSON texts as nodes that know their lines.

Nothing is constructed but text, lists and tables: a tag (`!Ref`, `!!python/object`) is a name, never a
type. A scalar stays the text that was written, and is read as what the place asks for: YAML 1.1's `on`,
`yes` and `0123` surprise nobody who asks for text.

- Several documents in a text (`---`) are yielded one by one; a text that ends in a fault has yielded the
  documents before it.
- Anchors, aliases and merge keys (`<<`) are followed. What aliases add is counted, and bounded
  (a "billion laughs" is a fault), and so is depth: nothing here recurses.
- Of a key that comes twice the last counts, as in JSON parsers; `repeated` names them.
- A text that begins with a brace or bracket is read as JSON where it is JSON (surrogate pairs, keys of
  any length, tabs: what YAML parsers refuse of it), otherwise as YAML's flow style.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from json import JSONDecodeError, JSONDecoder

import msgspec
import yaml

from detour.errors import NodeError
from detour.formats.draft import LineFault

MAX_DEPTH = 200
MAX_ALIASED = 1_000_000  # nodes that the aliases of one document may add

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_CORE_TAG = "tag:yaml.org,2002:"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class Node(msgspec.Struct, frozen=True, eq=False):
    """A value of a document, and the line (from 1) it begins on."""

    line: int
    value: str | tuple[Node, ...] | Mapping[str, Node]
    plain: bool = False  # a scalar without quotes: what may be a number, a boolean or null
    tag: str = ""  # of another kind than YAML's own: `!Ref`
    repeated: tuple[str, ...] = ()  # keys that came more than once
    size: int = 1  # nodes in it, itself included

    @property
    def is_null(self) -> bool:
        """Whether it is written as no value: `null`, `~` or nothing."""
        return self.plain and not self.tag and self.value in _NULLS

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, Mapping)

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.value, tuple)

    # ---- what it must be; each raises `NodeError`

    @property
    def mapping(self) -> Mapping[str, Node]:
        """The table that it is; null is an empty one."""
        if isinstance(self.value, Mapping) and not self.tag:
            return self.value
        if self.is_null:
            return {}
        raise self.unlike("a table", "write keys and values")

    @property
    def sequence(self) -> tuple[Node, ...]:
        """The list that it is; null is an empty one."""
        if isinstance(self.value, tuple) and not self.tag:
            return self.value
        if self.is_null:
            return ()
        raise self.unlike("a list", "write a list")

    @property
    def text(self) -> str:
        """The text of a scalar, however it is written."""
        if isinstance(self.value, str) and not self.tag:
            return self.value
        raise self.unlike("text", "write one value")

    @property
    def integer(self) -> int:
        """A whole number, in quotes or not."""
        if isinstance(self.value, str) and not self.tag and _INTEGER.fullmatch(self.value):
            return int(self.value)
        raise self.unlike("a whole number", "write digits")

    @property
    def boolean(self) -> bool:
        """A boolean, in quotes or not (YAML 1.1's words for it too)."""
        if isinstance(self.value, str) and not self.tag:
            found = _BOOLEANS.get(self.value.lower())
            if found is not None:
                return found
        raise self.unlike("a boolean", "write true or false")

    def unlike(self, wanted: str, remedy: str) -> NodeError:
        """This node as the error that it is not `wanted`."""
        return NodeError(self.line, f"{self.described} where {wanted} belongs", remedy)

    @property
    def described(self) -> str:
        """What it is, for a message."""
        if self.tag:
            return f"a value of {self.tag}, which only its own program knows,"
        if self.is_null:
            return "no value"
        if isinstance(self.value, str):
            return repr(self.value if len(self.value) <= 60 else self.value[:57] + "…")
        return "a table" if self.is_mapping else "a list"

    # ---- of a table: what stands under a key; a null counts as absent

    def get(self, *keys: str) -> Node | None:
        """What stands under a key, then under the next one in that; None where there is no such table."""
        node: Node | None = self
        for key in keys:
            if node is None:
                return None
            node = node.mapping.get(key)
            node = None if node is None or node.is_null else node
        return node

    def text_at(self, key: str) -> str | None:
        found = self.get(key)
        return None if found is None else found.text

    def integer_at(self, key: str) -> int | None:
        found = self.get(key)
        return None if found is None else found.integer

    def boolean_at(self, key: str) -> bool | None:
        found = self.get(key)
        return None if found is None else found.boolean

    def list_at(self, key: str) -> tuple[Node, ...]:
        """The list under a key; empty where there is none."""
        found = self.get(key)
        return () if found is None else found.sequence

    def texts_at(self, key: str) -> tuple[str, ...]:
        """The list of texts under a key."""
        return tuple(one.text for one in self.list_at(key))

    def line_of(self, key: str) -> int:
        """The line of what stands under a key; the table's own where there is none."""
        found = self.get(key)
        return self.line if found is None else found.line


def documents(text: str) -> Iterator[Node | LineFault]:
    """Every document of a YAML or JSON text; a text that is neither ends in one fault."""
    try:
        if (document := _json_document(text)) is not None:
            yield document
        else:
            yield from _yaml_documents(text)
    except NodeError as error:
        yield fault(error)


def fault(error: NodeError, pattern: str | None = None) -> LineFault:
    """What a getter refused, as a fault of its line."""
    return LineFault(error.line, error.fact, error.remedy, pattern)


# ---- building


class _Open:
    """A list or table whose end has not come."""

    def __init__(self, line: int, tag: str, anchor: str | None, *, table: bool) -> None:
        self.line, self.tag, self.anchor, self.table = line, tag, anchor, table
        self.children: list[Node] = []

    def close(self) -> Node:
        size = 1 + sum(child.size for child in self.children)
        if not self.table:
            return Node(self.line, tuple(self.children), tag=self.tag, size=size)
        value, repeated = _table(zip(self.children[::2], self.children[1::2], strict=True))
        return Node(self.line, value, False, self.tag, repeated, size)


def _table(pairs: Iterable[tuple[Node, Node]]) -> tuple[Mapping[str, Node], tuple[str, ...]]:
    """The table of some keys and values, and the keys that come twice."""
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    repeated = []
    for key, value in pairs:
        if not isinstance(key.value, str):
            raise key.unlike("a key", "write a text before the colon")
        if key.value == "<<" and key.plain:
            for source in (value,) if value.is_mapping else value.sequence:
                merged = {**source.mapping, **merged}  # of several the first counts (yaml.org/type/merge)
            continue
        if key.value in own:
            repeated.append(key.value)
        own[key.value] = value
    return ({**merged, **own} if merged else own), tuple(repeated)


class _Builder:
    """One document, from its events."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.root: Node | None = None
        self.aliased = 0

    def begin(self, line: int, *, table: bool, tag: str = "", anchor: str | None = None) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise NodeError(line, f"nested more than {MAX_DEPTH} deep", "write it flatter")
        self.open.append(_Open(line, tag, anchor, table=table))

    def end(self) -> None:
        done = self.open.pop()
        self.add(done.close(), done.anchor)

    def add(self, node: Node, anchor: str | None = None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node

    def alias(self, line: int, name: str) -> None:
        node = self.anchors.get(name)
        if node is None:
            raise NodeError(line, f"the alias *{name} names no anchor before it", f"write &{name} first")
        self.aliased += node.size
        if self.aliased > MAX_ALIASED:
            raise NodeError(line, f"aliases that add more than {MAX_ALIASED} values", "write fewer")
        self.add(node)


# ---- YAML


def _yaml_documents(text: str) -> Iterator[Node]:
    builder = _Builder()
    last = text.count("\n") + 1  # YAML breaks lines at more characters, and may end behind the text
    events = yaml.parse(text.removeprefix("\ufeff"), Loader=_LOADER)
    while True:
        try:
            event = next(events, None)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = 1 if mark is None else min(mark.line + 1, last)
            raise NodeError(line, f"not YAML: {error.problem or error.context}", "correct it") from None
        except (yaml.YAMLError, ValueError) as error:  # a character that YAML does not allow
            found = getattr(error, "position", 0)
            line = text.count("\n", 0, found) + 1 if isinstance(found, int) else 1
            raise NodeError(line, "not YAML: a character that it does not allow", "correct it") from None
        if event is None:
            return
        if isinstance(event, yaml.DocumentEndEvent):
            if builder.root is not None:
                yield builder.root
            builder = _Builder()
        else:
            _take(event, builder, last)


def _take(event: yaml.Event, builder: _Builder, last: int) -> None:
    line = 1 if event.start_mark is None else min(event.start_mark.line + 1, last)
    if isinstance(event, yaml.ScalarEvent):
        tag = event.tag or ""
        core = tag.startswith(_CORE_TAG) and not tag.startswith(f"{_CORE_TAG}python")
        plain = tag != f"{_CORE_TAG}str" if core else bool(event.implicit[0])
        builder.add(Node(line, event.value, plain, _foreign(tag)), event.anchor)
    elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        table = isinstance(event, yaml.MappingStartEvent)
        builder.begin(line, table=table, tag=_foreign(event.tag or ""), anchor=event.anchor)
    elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        builder.end()
    elif isinstance(event, yaml.AliasEvent):
        builder.alias(line, event.anchor or "")


def _foreign(tag: str) -> str:
    """A tag as written where it is not one of YAML's own, "" where it is."""
    if tag == "!" or not tag:
        return ""
    if tag.startswith(_CORE_TAG):
        name = tag.removeprefix(_CORE_TAG)
        return f"!!{name}" if name.startswith("python") else ""
    return tag


# ---- JSON (RFC 8259)

_JSON = re.compile(
    r"[ \t\r\n]*(?:(?P<mark>[{}\[\],:])|(?P<quote>\")"
    r"|(?P<word>true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))"
)
_decode = JSONDecoder().raw_decode
_AFTER: Mapping[str, Sequence[str]] = {"{": ("key", "}"), "[": ("value", "]")}


def _json_document(text: str) -> Node | None:
    """A JSON text as one document; None where it is no JSON."""
    text = text.removeprefix("\ufeff")
    if not re.match(r"[ \t\r\n]*[{\[]", text):
        return None
    builder = _Builder()
    line, counted, place = 1, 0, 0
    wanted: Sequence[str] = ("value",)
    while found := _JSON.match(text, place):
        start = found.end()
        line, counted = line + text.count("\n", counted, start), start
        place = start
        if found["mark"]:
            kind, token = found["mark"], found["mark"]
        elif found["quote"]:
            kind = "key" if "key" in wanted else "value"
            try:
                token, place = _decode(text, start - 1)
            except JSONDecodeError:
                return None
        else:
            kind, token = "value", found["word"]
        opens = token in ("{", "[") and kind == token
        if ("value" if opens else kind) not in wanted:
            return None
        if opens:
            builder.begin(line, table=token == "{")
            wanted = _AFTER[token]
            continue
        wanted = _json_step(builder, Node(line, token, plain=not found["quote"]), kind)
        if not builder.open:
            return builder.root if not text[place:].strip(" \t\r\n") else None
    return None


def _json_step(builder: _Builder, node: Node, kind: str) -> Sequence[str]:
    """Take one token; what may follow it."""
    if kind == ":":
        return ("value",)
    if kind == ",":
        return ("key",) if builder.open[-1].table else ("value",)
    if kind in "}]":
        builder.end()
    else:
        builder.add(node)
        if kind == "key":
            return (":",)
    return (",", "}" if builder.open and builder.open[-1].table else "]")
