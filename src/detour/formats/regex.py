"""Regular expressions of other programs as native patterns.

Programs match the decoded path, patterns the path as a URL holds it. So a character that a URL holds
percent-encoded is written so here; `.` and negated classes take an encoded octet as the one octet that
it is. What may stand in a path as it is and was encoded all the same (`%2C` for a comma) is matched by
`.` and negated classes only; `[^/]+` and `.*` see `%2F` as three characters. `.` matches line ends too.

A pattern begins with the slash every path begins with; where a group captures it, it is part of the text
that stands for the group in a template. Where one pattern cannot tell what the groups hold, there are
several, tried in order (`expressions`): `^(.*)/$` is `/:p1(.*)/` and `/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import msgspec

from detour.core.pattern import Pattern
from detour.errors import PatternError
from detour.formats.redirects_file import literal, path_pattern
from detour.formats.regex_render import Renderer
from detour.formats.regex_syntax import (
    ANY,
    ANYTHING,
    EMPTY,
    Capture,
    Char,
    Choice,
    Edge,
    Node,
    Octets,
    Parsed,
    Repeat,
    Sequence,
    parse,
)

_MOST = 8  # patterns of one expression
_LAZY = Repeat(ANY, 0, None, lazy=True)
_SLASH = Char("/")


class Expression(msgspec.Struct, frozen=True):
    """A native pattern of one component, and what stands in a template for what the expression captures.

    `captures` maps numbers and names to template *text*: `{p1}`, `/{p1}`, or "" for what never takes part.
    A number up to `count` that is missing cannot be had: refuse the line that uses it.
    """

    pattern: str
    captures: Mapping[int | str, str]
    count: int
    ignore_case: bool


def expression(
    regex: str,
    *,
    component: Literal["path", "hostname"] = "path",
    ignore_case: bool = False,
    whole: bool = False,
    slash: bool = True,
    used: Collection[int | str] | None = None,
) -> Expression:
    """One pattern that matches what `regex` finds; raises `PatternError`.

    `whole`: it must match the whole text. `slash=False`: it sees the path without its first slash.
    `used`: the captures that matter (None: all that can be had). `ignore_case` of the outcome goes into the
    rule's: it is also true where the expression says so itself.
    """
    found = expressions(
        regex, component=component, ignore_case=ignore_case, whole=whole, slash=slash, used=used
    )
    if len(found) == 1:
        return found[0]
    return expressions(
        regex, component=component, ignore_case=ignore_case, whole=whole, slash=slash, used=(), merged=True
    )[0]


def expressions(
    regex: str,
    *,
    component: Literal["path", "hostname"] = "path",
    ignore_case: bool = False,
    whole: bool = False,
    slash: bool = True,
    used: Collection[int | str] | None = None,
    merged: bool = False,
    prefix: str = "/",
) -> tuple[Expression, ...]:
    """As `expression`, as many patterns as are needed to have the captures; the first that matches counts.

    `prefix`: what the (decoded) path is known to begin with.
    """
    parsed = parse(regex)
    fold = ignore_case or parsed.ignore_case
    captures = set(_captures(parsed.node))
    wanted = {one.number for one in captures if used is None or one.number in used or one.name in used}
    is_path = component == "path"
    alternatives = list(_alternatives(parsed.node, whole, is_path and slash, bool(wanted)))
    for char in prefix[1:] if is_path else "":
        alternatives = [left for one in alternatives for left in _behind(one, char)]
        if len(alternatives) > _MOST:
            raise PatternError("too many ways to read this", "begin the expression with `^`")
    if not alternatives:
        raise PatternError("no path matches this", "begin it with `/`")
    if len(alternatives) > 1 and (merged or not wanted or len(alternatives) > _MOST):
        alternatives, wanted = [Choice(tuple(alternatives))], set()
    return tuple(
        _made(node, parsed, captures, frozenset(wanted), is_path, fold, prefix) for node in alternatives
    )


def whole_node(regex: str) -> tuple[Node, bool]:
    """The tree of all texts that an expression finds something in, and whether it says itself that case is
    ignored; raises `PatternError`."""
    parsed = parse(regex)
    return Choice(tuple(_alternatives(parsed.node, False, False, False))), parsed.ignore_case


def _made(
    node: Node,
    parsed: Parsed,
    captures: set[Capture],
    wanted: frozenset[int],
    is_path: bool,
    fold: bool,
    prefix: str,
) -> Expression:
    renderer = Renderer(is_path, fold, wanted)
    text = renderer.pattern(node)
    absent = {one.number for one in captures} - {one.number for one in _captures(node)}
    known: dict[int | str, str] = dict.fromkeys(absent, "")
    for number, said in renderer.captures.items():
        known[number] = said
    named: dict[int | str, str] = {
        one.name: known[one.number] for one in captures if one.name and one.number in known
    }
    known_part = literal("".join(map(renderer.encoded, prefix)))
    pattern = path_pattern(f"{known_part}{text}") if is_path else text
    Pattern.parse(pattern if is_path else f"//{pattern}/")
    return Expression(pattern, {**known, **named}, parsed.count, fold)


def _alternatives(node: Node, whole: bool, slash: bool, captured: bool) -> Iterator[Node]:
    """What the rest of the text, behind the path's first slash, matches as a whole; first come, first."""
    branches = node.nodes if isinstance(node, Choice) else (node,)
    anchored = [_anchored(branch) for branch in branches]
    if whole:
        anchored = [(True, body, True) for _, body, _ in anchored]
    for begins, body, ends in anchored:
        behind = body if ends or _reaches_end(body) else Sequence((body, ANYTHING))
        if begins or _reaches_start(body):
            yield from _behind(behind) if slash else (behind,)
        elif slash:
            yield from _searched(body, behind, captured)
        else:
            yield Sequence((_LAZY if captured else ANYTHING, behind))


def _searched(body: Node, behind: Node, captured: bool) -> Iterator[Node]:
    """An expression that may begin anywhere: where the path's first slash is its first, or further on."""
    at_start = list(_behind(behind))
    if _only_slash(body) and len(at_start) == 1:
        skipped = Repeat(Sequence((_LAZY, _SLASH)), 0, 1, lazy=True)
        yield Sequence((skipped, at_start[0]))
        return
    yield from at_start
    yield Sequence((_LAZY if captured else ANYTHING, behind))


def _anchored(node: Node) -> tuple[bool, Node, bool]:
    """Whether it begins with `^`, what is left, whether it ends with `$`; else `PatternError`."""
    begins, node = _without_edge(node, start=True)
    ends, node = _without_edge(node, start=False)
    if any(isinstance(one, Edge) for one in _walk(node)):
        raise PatternError("`^` or `$` in the middle", "write one expression for each case")
    return begins, node, ends


def _without_edge(node: Node, *, start: bool) -> tuple[bool, Node]:
    if isinstance(node, Edge) and node.start == start:
        return True, EMPTY
    if isinstance(node, Capture):
        found, inner = _without_edge(node.node, start=start)
        return found, Capture(inner, node.number, node.name, node.front)
    if isinstance(node, Sequence) and node.nodes:
        at = 0 if start else -1
        found, inner = _without_edge(node.nodes[at], start=start)
        rest = node.nodes[1:] if start else node.nodes[:-1]
        return found, Sequence((inner, *rest) if start else (*rest, inner))
    if isinstance(node, Choice):
        both = [_without_edge(one, start=start) for one in node.nodes]
        if all(found for found, _ in both):
            return True, Choice(tuple(inner for _, inner in both))
    return False, node


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Sequence | Choice):
        for one in node.nodes:
            yield from _walk(one)
    elif isinstance(node, Repeat | Capture):
        yield from _walk(node.node)


def _captures(node: Node) -> Iterator[Capture]:
    return (Capture(EMPTY, one.number, one.name) for one in _walk(node) if isinstance(one, Capture))


def _reaches_end(node: Node) -> bool:
    """Whether it ends with a greedy `.*`, which takes all there is."""
    if isinstance(node, Sequence) and node.nodes:
        return _reaches_end(node.nodes[-1])
    if isinstance(node, Capture):
        return _reaches_end(node.node)
    return isinstance(node, Repeat) and (node.node, node.most, node.lazy) == (ANY, None, False)


def _reaches_start(node: Node) -> bool:
    """Whether it begins with `.*`: if it is found anywhere, then from the first character on."""
    if isinstance(node, Sequence) and node.nodes:
        return _reaches_start(node.nodes[0])
    if isinstance(node, Capture):
        return _reaches_start(node.node)
    return isinstance(node, Repeat) and (node.node, node.most) == (ANY, None) and node.least < 2


def _only_slash(node: Node) -> bool:
    """Whether a slash is the only thing it can begin with."""
    if isinstance(node, Sequence):
        return bool(node.nodes) and _only_slash(node.nodes[0])
    if isinstance(node, Choice):
        return all(map(_only_slash, node.nodes))
    if isinstance(node, Capture):
        return _only_slash(node.node)
    if isinstance(node, Repeat):
        return node.least > 0 and _only_slash(node.node)
    return node == _SLASH


# --- the path's first slash taken out (J. Brzozowski's derivative, by `/`) ----------------------


def _behind(node: Node, char: str = "/") -> Iterator[Node]:
    """What is left of `node` when `char` has been read, each way there is, in order of preference."""
    flat = tuple(_flat(node))
    if not flat:
        return
    first, *rest = flat
    left = _derived(first, char)
    taken = [] if left is None else [Sequence((left, *rest))]
    skipped = list(_behind(Sequence(tuple(rest)), char)) if rest and _nullable(first) else []
    if taken and skipped and not _simple(first):
        raise PatternError("a lazy group that may hold the first slash", "write the slash before it")
    kept = _finished(first)
    if kept:
        skipped = [Sequence((*kept, one)) for one in skipped]
    yield from (*skipped, *taken) if _lazy(first) else (*taken, *skipped)


def _finished(node: Node) -> tuple[Node, ...]:
    """The groups in what matches nothing further, with what they hold."""
    found = (one for one in _walk(node) if isinstance(one, Capture) and one.front)
    return tuple(Capture(EMPTY, one.number, one.name, one.front) for one in found)


def _simple(node: Node) -> bool:
    """Whether it is one repetition, or none of what it repeats is lazy."""
    if isinstance(node, Capture):
        return _simple(node.node)
    lazy = any(isinstance(one, Repeat) and one.lazy for one in _walk(node))
    return not lazy or (isinstance(node, Repeat) and isinstance(node.node, Char | Octets))


def _lazy(node: Node) -> bool:
    if isinstance(node, Capture):
        return _lazy(node.node)
    return isinstance(node, Repeat) and node.lazy


def _flat(node: Node) -> Iterator[Node]:
    if isinstance(node, Sequence):
        for one in node.nodes:
            yield from _flat(one)
    else:
        yield node


def _derived(node: Node, char: str) -> Node | None:
    if isinstance(node, Char | Octets):
        found = node.char == char if isinstance(node, Char) else char.isascii() and ord(char) in node.octets
        return EMPTY if found else None
    if isinstance(node, Capture):
        inner = _derived(node.node, char)
        return None if inner is None else Capture(inner, node.number, node.name, front=f"{node.front}{char}")
    if isinstance(node, Repeat):
        inner = _derived(node.node, char)
        most = None if node.most is None else node.most - 1
        if inner is None or node.most == 0:
            return None
        if most == 0:
            return inner
        return Sequence((inner, Repeat(node.node, max(node.least - 1, 0), most, node.lazy)))
    if isinstance(node, Sequence):
        return _chosen(list(_behind(node, char)))
    if isinstance(node, Choice):
        return _chosen([one for each in node.nodes if (one := _derived(each, char)) is not None])
    return None


def _chosen(nodes: list[Node]) -> Node | None:
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    return Choice(tuple(nodes))


def _nullable(node: Node) -> bool:
    if isinstance(node, Sequence):
        return all(map(_nullable, node.nodes))
    if isinstance(node, Choice):
        return any(map(_nullable, node.nodes))
    if isinstance(node, Capture):
        return _nullable(node.node)
    return isinstance(node, Repeat) and (node.least == 0 or _nullable(node.node))
