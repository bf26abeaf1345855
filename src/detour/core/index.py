"""Which rules can match a target URI at all, in file order.

Rules whose path is fixed text are found by that text; the rest are tried one after the other.
Callers see candidates in file order and nothing of how they were found.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from detour.core.message import Request
from detour.core.pattern_component import Component
from detour.core.pattern_syntax import PartKind
from detour.core.rule import Rule


class Index:
    """An immutable look-up over `rules`; `candidates` yields (number, rule, captures) in file order."""

    __slots__ = ("_by_path", "_others", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._by_path: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, rule in enumerate(rules):
            texts = () if rule.pattern.ignore_case else _fixed_paths(rule.pattern.path)
            for text in texts:
                self._by_path.setdefault(text, []).append(number)
            if not texts:
                self._others.append(number)

    def candidates(self, request: Request) -> Iterator[tuple[int, Rule, dict[str, str]]]:
        """Each rule whose pattern matches: its place in the order, itself, what it captured.

        Conditions are not looked at.
        """
        exact = self._by_path.get(request.path)
        for number in merge(exact, self._others) if exact else self._others:
            rule = self.rules[number]
            captures = rule.pattern.match(request)
            if captures is None:
                continue
            if rule.parameters:
                captures = with_parameters(rule, request, captures)
                if captures is None:
                    continue
            yield number, rule, captures


def with_parameters(rule: Rule, request: Request, captures: dict[str, str]) -> dict[str, str] | None:
    """Add what an imported line captures from query parameters; None where one is missing."""
    captures = dict(captures)
    for parameter in rule.parameters:
        value = next(iter([*request.parameters(parameter.name)][-1:]), None)  # the last, as Netlify reads it
        if value is None or (parameter.value is not None and parameter.value != value):
            return None
        if parameter.group is not None:
            captures[parameter.group] = value
    return captures


def _fixed_paths(path: Component) -> tuple[str, ...]:
    """The only paths a component matches, where they are few: fixed text, with `{/}?` at the end or not."""
    if path.literal is not None:
        return (path.literal,)
    if len(path.parts) == 2 and all(part.kind is PartKind.FIXED for part in path.parts):
        text, end = path.parts
        if not text.modifier and end.modifier == "?":
            return (text.value, text.value + end.value)
    return ()
