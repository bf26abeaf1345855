"""Examples written beside a rule, held against the whole rule set."""

from __future__ import annotations

from math import inf

from detour.core.decision import Decision
from detour.core.location import resolve
from detour.core.matcher import RuleSet, sticky_chance
from detour.core.message import Request
from detour.core.rule import Expect, Rule
from detour.core.url import URL

SOMEBODY = "192.0.2.1"  # RFC 5737: an address that is nobody's


def failure(ruleset: RuleSet, rule: Rule, expect: Expect, now: float) -> str | None:
    """Why `expect` of `rule` does not hold, in one line; None when it holds.

    It is asked at its `at`, else at `now` when the rule is in force then, else when it starts, else
    one second before it ends. The client counts as chosen by the rule's own share.
    """
    decision = ruleset.decide(
        Request.of(expect.method, expect.url, expect.headers, expect.client or SOMEBODY),
        instant(rule, expect, now),
        lambda salt, key: 0.0 if salt == rule.series else sticky_chance(salt, key),
    )
    if expect.none and decision.location is not None:
        return f"expected no redirect, got {_told(decision)}"
    if not (expect.none and rule.template is not None) and _series(decision) != rule.series:
        return f"expected this rule to answer, got {_told(decision)}"
    if expect.status is not None and decision.status != expect.status:
        return f"expected status {expect.status}, got {_told(decision)}"
    if expect.location is not None and not _same(expect, decision):
        return f"expected {expect.location}, got {_told(decision)}"
    return None


def instant(rule: Rule, expect: Expect, now: float) -> float:
    """When an example is asked, in seconds since the epoch."""
    if expect.at is not None:
        return expect.at
    if rule.terms.alive(now):
        return now
    return rule.terms.start if rule.terms.start != -inf else rule.terms.end - 1


def _series(decision: Decision) -> str:
    return decision.rule.series if decision.rule else ""


def _same(expect: Expect, decision: Decision) -> bool:
    if decision.location is None or expect.location is None:
        return False
    base = URL.parse(expect.url)
    there = resolve(decision.location, base)
    return there is not None and there == resolve(expect.location, base)


def _told(decision: Decision) -> str:
    by = f" by {decision.rule.name}" if decision.rule else ", no rule answers"
    return f"{decision.status} {decision.location or ''}".rstrip() + by
