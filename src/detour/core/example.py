"""Examples written beside a rule, held against the whole rule set."""

from __future__ import annotations

from math import inf

from detour.core.decision import Decision
from detour.core.location import resolve
from detour.core.matcher import RuleSet, sticky_chance
from detour.core.message import Request
from detour.core.rule import Example
from detour.core.url import URL

SOMEBODY = "192.0.2.1"  # RFC 5737: an address that is nobody's


def failure(ruleset: RuleSet, example: Example, now: float) -> str | None:
    """Why `example` does not hold, in one line; None when it holds.

    It is asked at its `at`, else at `now` when its rule is in force then, else when that starts, else
    one second before it ends. The client counts as chosen by the rule's own share.
    """
    decision = ruleset.decide(
        Request.of(example.method, example.url, example.headers, example.client or SOMEBODY),
        instant(example, now),
        lambda salt, key: 0.0 if salt == example.rule else sticky_chance(salt, key),
    )
    if example.none and decision.location is not None:
        return f"expected no redirect, got {_told(decision)}"
    if example.answers and (decision.rule is None or decision.rule.series != example.rule):
        return f"expected this rule to answer, got {_told(decision)}"
    if example.status is not None and decision.status != example.status:
        return f"expected status {example.status}, got {_told(decision)}"
    if example.location is not None and not _leads(decision, example.location, example.url):
        return f"expected {example.location}, got {_told(decision)}"
    return None


def instant(example: Example, now: float) -> float:
    """When an example is asked, in seconds since the epoch."""
    if example.at is not None:
        return example.at
    if example.start <= now < example.end:
        return now
    return example.start if example.start != -inf else example.end - 1


def _leads(decision: Decision, location: str, url: str) -> bool:
    if decision.location is None:
        return False
    base = URL.parse(url)
    there = resolve(decision.location, base)
    return there is not None and there == resolve(location, base)


def _told(decision: Decision) -> str:
    by = f" by {decision.rule.name}" if decision.rule else ", no rule answers"
    return f"{decision.status} {decision.location or ''}".rstrip() + by
