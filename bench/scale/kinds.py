"""The rule sets: kinds of rules by number, what is asked of them, and what must be answered.

Everything follows from a rule's number, so that no peer and no run sees other rules. No two rules of a set
match the same target: a peer may look them up in whichever order is its fastest and still be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Literal, NamedTuple

import msgspec

HOST = "www.example.com"
NEW = "https://new.example.com"
_ADJECTIVES = (
    "quick brown lazy early late quiet loud small tall green amber plain proud brave calm eager "
    "fair glad happy kind lively merry neat odd polite rapid sharp tidy vast warm young zesty"
)
_NOUNS = (
    "fox dog river garden letter window market summer winter engine bridge castle forest island journey "
    "kitchen lantern meadow needle orchard pencil quarry ribbon saddle tunnel umbrella valley walnut yard "
    "zebra harbour museum"
)
ADJECTIVES, NOUNS = _ADJECTIVES.split(), _NOUNS.split()  # 32 each

Form = Literal["exact", "prefix", "regex"]


class Rule(NamedTuple):
    """One rule as each peer can be told it."""

    form: Form
    source: str  # in Detour's pattern syntax
    template: str  # in Detour's template syntax
    key: str  # what a peer looks up: a path, what a path begins with, or an anchored regex
    to: str  # the Location: whole, what stands before the rest of the path, or with \1 \2 for groups


class Shape(msgspec.Struct, frozen=True):
    """A sort of rule: `rule` writes one, `ask` draws a target that it matches, and the Location due."""

    rule: Callable[[int], Rule]
    ask: Callable[[int, Random], tuple[str, str]]


def _slug(number: int) -> str:
    """Another one for each number below 2^31, in no order."""
    mixed = (number * 1540483477 + 97) % (1 << 31)
    mixed = (mixed ^ (mixed >> 15)) * 739982445 % (1 << 31)
    adjective, noun, other = mixed % 32, mixed // 32 % 32, mixed // 1024 % 32
    return f"{ADJECTIVES[adjective]}-{ADJECTIVES[other]}-{NOUNS[noun]}-{mixed // 32768:04x}"


def _exact(old: str, new: str) -> Rule:
    return Rule("exact", old, new, old, new)


def _sequential(number: int) -> tuple[str, str]:
    return f"/old/item-{number:06d}", f"{NEW}/item-{number:06d}"


def _article(number: int) -> tuple[str, str]:
    slug = _slug(number)
    return f"/articles/{slug}", f"{NEW}/stories/{slug}"


def _rest(lot: Random) -> str:
    return f"{lot.choice(NOUNS)}/page-{lot.randrange(1_000_000)}"


def _prefix(n: int) -> Rule:
    key, to = f"/p{n}/area/", f"{NEW}/q{n}/"
    return Rule("prefix", f"{key}*", f"{to}{{0}}", key, to)


def _ask_prefix(n: int, lot: Random) -> tuple[str, str]:
    rest = _rest(lot)
    return f"/p{n}/area/{rest}", f"{NEW}/q{n}/{rest}"


def _segment(n: int) -> Rule:
    source, template = f"/users-{n}/:id/orders/*", f"{NEW}/u{n}/{{id}}/orders/{{0}}"
    return Rule("regex", source, template, rf"^/users-{n}/([^/]+)/orders/(.*)$", rf"{NEW}/u{n}/\1/orders/\2")


def _ask_segment(n: int, lot: Random) -> tuple[str, str]:
    user, rest = lot.randrange(1_000_000), _rest(lot)
    return f"/users-{n}/{user}/orders/{rest}", f"{NEW}/u{n}/{user}/orders/{rest}"


def _regex(n: int) -> Rule:
    source, template = rf"/r{n}/(\d+)/(a|b)x", f"{NEW}/s{n}/{{0}}/{{1}}"
    return Rule("regex", source, template, rf"^/r{n}/(\d+)/(a|b)x$", rf"{NEW}/s{n}/\1/\2")


def _ask_regex(n: int, lot: Random) -> tuple[str, str]:
    digits, letter = lot.randrange(1_000_000), lot.choice("ab")
    return f"/r{n}/{digits}/{letter}x", f"{NEW}/s{n}/{digits}/{letter}"


def _leading(n: int) -> Rule:
    return Rule("regex", f"/*/w{n}/x", f"{NEW}/w{n}/{{0}}", rf"^/(.*)/w{n}/x$", rf"{NEW}/w{n}/\1")


def _ask_leading(n: int, lot: Random) -> tuple[str, str]:
    rest = _rest(lot)
    return f"/{rest}/w{n}/x", f"{NEW}/w{n}/{rest}"


SEQUENTIAL = Shape(lambda n: _exact(*_sequential(n)), lambda n, _: _sequential(n))
SLUG = Shape(lambda n: _exact(*_article(n)), lambda n, _: _article(n))
PREFIX = Shape(_prefix, _ask_prefix)
SEGMENT = Shape(_segment, _ask_segment)
REGEX = Shape(_regex, _ask_regex)
LEADING = Shape(_leading, _ask_leading)


class Kind(msgspec.Struct, frozen=True):
    """A kind of rule set: rule number n has the shape `cycle[n % len(cycle)]`."""

    name: str
    title: str
    cycle: tuple[Shape, ...]
    counts: tuple[int, ...]
    quick: tuple[int, ...]

    def rules(self, count: int) -> Iterator[Rule]:
        """The set, in file order."""
        return (self._shape(number).rule(number) for number in range(count))

    def ask(self, number: int, lot: Random) -> tuple[str, str]:
        """A target that rule `number` matches, and the Location; with a number that no rule has, a miss."""
        return self._shape(number).ask(number, lot)

    def forms(self) -> set[Form]:
        """The forms of rule in a set of any size."""
        return {shape.rule(0).form for shape in self.cycle}

    def _shape(self, number: int) -> Shape:
        return self.cycle[number % len(self.cycle)]


_MILLION = (1, 10**3, 10**5, 10**6)
_SEGMENTS = (1, 10**3, 10**4, 10**5, 10**6)  # 10^4: as many as the peers hold
_FEW = (1, 10**2, 10**3, 10**4)

KINDS = (
    Kind("exact-seq", "exact, /old/item-000123", (SEQUENTIAL,), _MILLION, (1, 10**6)),
    Kind("exact-slug", "exact, /articles/quick-brown-fox-7f3a", (SLUG,), _MILLION, (1, 10**6)),
    Kind("prefix", "/p123/area/*", (PREFIX,), _MILLION, (1, 10**6)),
    Kind("segment", "/users-123/:id/orders/*", (SEGMENT,), _SEGMENTS, (1, 10**4, 10**6)),
    Kind("regex", r"/r123/(\d+)/(a|b)x", (REGEX,), _FEW, (1, 10**4)),
    Kind("wildcard", "one in ten /*/w123/x, else regex", (LEADING, *(REGEX,) * 9), _FEW, (1, 10**4)),
    Kind(
        "mixed",
        "of ten: 4 exact, 2 prefix, 2 segment, 1 regex, 1 /*/w123/x",
        (SLUG, SEGMENT, PREFIX, SEQUENTIAL, LEADING, SLUG, REGEX, PREFIX, SLUG, SEGMENT),
        _FEW,
        (1, 10**4),
    ),
)
