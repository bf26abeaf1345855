"""Which rules can match a target URI at all, in file order.

Rules whose path is fixed text are found by that text; the rest are tried one after the other.
Callers see candidates in file order and nothing of how they were found.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from detour.core.message import Request
from detour.core.rule import Rule


class Index:
    """An immutable look-up over `rules`; `candidates` yields (number, rule, captures) in file order."""

    __slots__ = ("_by_path", "_others", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._by_path: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, rule in enumerate(rules):
            literal = None if rule.pattern.ignore_case else rule.pattern.path.literal
            if literal is None:
                self._others.append(number)
            else:
                self._by_path.setdefault(literal, []).append(number)

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
        value = next(request.parameters(parameter.name), None)
        if value is None or (parameter.value is not None and parameter.value != value):
            return None
        if parameter.group is not None:
            captures[parameter.group] = value
    return captures
