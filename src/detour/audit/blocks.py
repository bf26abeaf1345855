"""Where a rule stands in its file: its line, its table (TOML), or its item of a list (YAML, JSON).

Lines count from 1, as in spans; a block ends with its last line, included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec
import yaml

from detour.audit.survey import Place, lines_of
from detour.errors import Span

# The lists whose items are rules, innermost first, by dialect.
ITEMS: dict[str, tuple[str, ...]] = {
    "vercel": ("redirects", "routes"),
    "cloudflare-rules": ("rules",),
    "envoy": ("routes",),
    "gateway-api": ("rules",),
    "istio": ("http",),
}
TABLES = frozenset({"native", "netlify-toml"})
LINES = frozenset(
    {"netlify", "cloudflare-pages", "ipfs", "csv", "cloudflare-bulk", "vercel-bulk", "nginx", "apache"}
    | {"haproxy", "caddy"}
)
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_MOST_COMPOSED = 1_000_000  # characters of a file whose nodes are looked for
_NEW_TABLE = re.compile(r"\s*\[(?!\[?(?:rule|redirects)\.)")  # `[rule.when]` belongs to the rule before


class Block(msgspec.Struct, frozen=True):
    """The lines of a rule."""

    file: str
    first: int
    last: int
    comma: bool = False  # an item of a JSON list
    follows: bool = False  # whether another item follows
    leads: bool = False  # whether another item stands ahead of it

    @property
    def span(self) -> Span:
        return Span(self.file, self.first)

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def block_of(place: Place, span: Span | None = None) -> Block | None:
    """The block of the rule at `span`, by default the place's own; None where that is not known."""
    span = span or place.rule.span
    dialect, rows = place.layer.dialect, lines_of(place.layer, span.file)
    if not 0 < span.line <= len(rows) or (dialect == "native" and place.rule.name != place.rule.series):
        return None  # lines of an import are in another language
    if dialect in TABLES:
        return _table(span, rows)
    if dialect in ITEMS:
        return _item(span, rows, ITEMS[dialect])
    if dialect not in LINES or _is_json(rows):
        return None
    first = span.line
    while dialect == "apache" and first > 1 and rows[first - 2].lstrip().lower().startswith("rewritecond"):
        first -= 1  # conditions belong to the rule behind them
    return Block(span.file, first, span.line)


def _is_json(rows: list[str]) -> bool:
    """Whether it is Caddy's JSON: a Caddyfile's first brace opens its options."""
    return re.match(r'\s*\{\s*"', "\n".join(rows[:9])) is not None


def _table(span: Span, rows: list[str]) -> Block | None:
    first = span.line
    while first > 0 and not rows[first - 1].lstrip().startswith("[["):
        first -= 1
    if first == 0:
        return None
    last = first
    while last < len(rows) and not _NEW_TABLE.match(rows[last]):
        last += 1
    while last > first and (not rows[last - 1].strip() or rows[last - 1].lstrip().startswith("#")):
        last -= 1
    return Block(span.file, first, last)


def _item(span: Span, rows: list[str], lists: tuple[str, ...]) -> Block | None:
    for path in paths("\n".join(rows), span.line):
        for _, key, sequence in path:
            if key not in lists or not isinstance(sequence, yaml.SequenceNode):
                continue
            at = next((at for at, one in enumerate(sequence.value) if _holds(one, span.line)), None)
            if at is not None:
                return _block_of_item(span.file, rows, sequence, at)
    return None


def _block_of_item(file: str, rows: list[str], sequence: yaml.SequenceNode, at: int) -> Block | None:
    one = sequence.value[at]
    first, last = one.start_mark.line + 1, _last_line(one)
    leads, follows = at > 0, at + 1 < len(sequence.value)
    if not sequence.flow_style:
        while last > first and not rows[last - 1].strip():
            last -= 1
        return Block(file, first, last, leads=leads, follows=follows)
    alone = rows[first - 1][: one.start_mark.column].strip() == ""
    rest = rows[last - 1][one.end_mark.column :].strip()
    return Block(file, first, last, True, follows, leads) if alone and rest in ("", ",") else None


def paths(text: str, line: int) -> Iterator[list[tuple[yaml.MappingNode, str, yaml.Node]]]:
    """The way to the innermost value that holds `line`, innermost first: (mapping, key, value)."""
    for root in _composed(text) if len(text) <= _MOST_COMPOSED else ():
        if _holds(root, line):
            found = list(_way(root, line))
            yield found[::-1]


def _way(node: yaml.Node, line: int) -> Iterator[tuple[yaml.MappingNode, str, yaml.Node]]:
    while True:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.start_mark.line + 1 <= line <= max(_last_line(value), key.start_mark.line + 1):
                    yield node, str(key.value), value
                    node = value
                    break
            else:
                yield node, "", node
                return
        elif isinstance(node, yaml.SequenceNode):
            within = next((one for one in node.value if _holds(one, line)), None)
            if within is None:
                return
            node = within
        else:
            return


def _holds(node: yaml.Node, line: int) -> bool:
    return bool(node.start_mark.line + 1 <= line <= _last_line(node))


def _last_line(node: yaml.Node) -> int:
    """The last line of a node; a block ends where the next thing begins."""
    end = node.end_mark
    begins_next = end.column == 0 or (isinstance(node, yaml.CollectionNode) and not node.flow_style)
    return max(end.line if begins_next else end.line + 1, node.start_mark.line + 1)


@lru_cache(maxsize=4)
def _composed(text: str) -> tuple[yaml.Node, ...]:
    try:
        return tuple(node for node in yaml.compose_all(text, _LOADER) if node is not None)
    except (yaml.YAMLError, RecursionError):
        return ()
