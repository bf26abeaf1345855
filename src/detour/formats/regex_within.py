"""Whether one regular expression's texts are all another's, or none of them: by derivatives of the two.

A text is a decoded path, so it begins with a slash; both expressions search in it. Partial derivatives
(Antimirov 1996) are the states, one octet of each class that the expressions tell apart the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from detour.errors import PatternError
from detour.formats.regex import whole_node
from detour.formats.regex_syntax import EMPTY, Capture, Char, Choice, Node, Octets, Repeat, Sequence

_MOST = 2_000  # pairs of states, until nothing is said
States = frozenset[Node]


@lru_cache(maxsize=256)
def within(inner: str, outer: str, fold_inner: bool = False, fold_outer: bool = False) -> bool:
    """Whether every path that `inner` finds something in, `outer` does, too; False where that takes too long
    to tell. Raises `PatternError` for an expression that is not regular."""
    try:
        return all(
            any(map(_nullable, right))
            for left, right in _pairs(_prepared(inner, fold_inner), _prepared(outer, fold_outer))
            if _nullable(left)
        )
    except TooMany:
        return False


@lru_cache(maxsize=256)
def disjoint(one: str, other: str, fold_one: bool = False, fold_other: bool = False) -> bool:
    """As `within`, whether no path is found by both."""
    try:
        return not any(
            any(map(_nullable, right))
            for left, right in _pairs(_prepared(one, fold_one), _prepared(other, fold_other))
            if _nullable(left)
        )
    except TooMany:
        return False


class TooMany(Exception):
    """There are more states than anybody wants to wait for."""


def _prepared(regex: str, fold: bool) -> Node:
    node, own = whole_node(regex)
    return _plain(node, fold or own)


def _plain(node: Node, fold: bool) -> Node:
    """Of sets of octets alone, captures left out."""
    match node:
        case Char(char):
            octets = [Octets(_folded(frozenset((octet,)), fold)) for octet in char.encode()]
            return octets[0] if len(octets) == 1 else Sequence(tuple(octets))
        case Octets(octets=found):
            return Octets(_folded(found, fold))
        case Sequence(nodes):
            return Sequence(tuple(_plain(one, fold) for one in nodes))
        case Choice(nodes):
            return Choice(tuple(_plain(one, fold) for one in nodes))
        case Repeat(inner, least, most):
            return Repeat(_plain(inner, fold), least, most)
        case Capture(inner):
            return _plain(inner, fold)
    raise PatternError("`^` or `$` in the middle", "write one expression for each case")


def _folded(octets: frozenset[int], fold: bool) -> frozenset[int]:
    if not fold:
        return octets
    letters = {one for one in octets if chr(one).isascii() and chr(one).isalpha()}
    return octets | {one ^ 0x20 for one in letters}


def _pairs(ours: Node, theirs: Node) -> Iterator[tuple[Node, States]]:
    """Each state of ours, with all those of theirs that the same text leads to."""
    steps = _steps((ours, theirs))
    slash = ord("/")
    waiting = [(one, _after((theirs,), slash)) for one in _derived(ours, slash)]
    seen = set(waiting)
    while waiting:
        left, right = waiting.pop()
        yield left, right
        for octet in steps:
            after = None
            for one in _derived(left, octet):
                after = _after(right, octet) if after is None else after
                if (one, after) not in seen:
                    seen.add((one, after))
                    waiting.append((one, after))
        if len(seen) > _MOST:
            raise TooMany


def _after(states: frozenset[Node] | tuple[Node, ...], octet: int) -> States:
    return frozenset(one for state in states for one in _derived(state, octet))


def _steps(nodes: tuple[Node, ...]) -> list[int]:
    """An octet of each class that some set tells from the others."""
    sets = list(dict.fromkeys(found for node in nodes for found in _sets(node)))
    known = {tuple(octet in one for one in sets): octet for octet in range(256)}
    return list(known.values())


def _sets(node: Node) -> Iterator[frozenset[int]]:
    if isinstance(node, Octets):
        yield node.octets
    elif isinstance(node, Sequence | Choice):
        for one in node.nodes:
            yield from _sets(one)
    elif isinstance(node, Repeat):
        yield from _sets(node.node)


def _nullable(node: Node) -> bool:
    match node:
        case Sequence(nodes):
            return all(map(_nullable, nodes))
        case Choice(nodes):
            return any(map(_nullable, nodes))
        case Repeat(inner, least):
            return least == 0 or _nullable(inner)
    return False


def _derived(node: Node, octet: int) -> set[Node]:
    """What may follow the octet (a partial derivative)."""
    match node:
        case Octets(octets):
            return {EMPTY} if octet in octets else set()
        case Choice(nodes):
            return {one for each in nodes for one in _derived(each, octet)}
        case Sequence(nodes) if nodes:
            first, rest = nodes[0], Sequence(nodes[1:])
            found = {_joined(one, rest) for one in _derived(first, octet)}
            return found | _derived(rest, octet) if _nullable(first) else found
        case Repeat(inner, least, most) if most != 0:
            rest_of = Repeat(inner, max(0, least - 1), None if most is None else most - 1)
            return {_joined(one, rest_of) for one in _derived(inner, octet)}
    return set()


def _joined(one: Node, rest: Node) -> Node:
    ours = one.nodes if isinstance(one, Sequence) else (one,)
    theirs = rest.nodes if isinstance(rest, Sequence) else (rest,)
    return Sequence((*ours, *theirs))
