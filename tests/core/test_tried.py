"""Many rules that no key finds: sets of regular expressions answer as trying them one by one would."""

from __future__ import annotations

import random

import pytest

from detour import Pattern, Request, RuleSet
from tests.core.rules import rules

FAMILIES = {
    "no word at all": "/*x{n}",
    "one word in common": "/shop/(\\d+)-{n}",
    "one word in common, whatever its case": "/Shop/(a|b){n}",
    "a host's label in common": "//*.shop.example/(a|b){n}*",
}
PATHS = [
    "/ax{n}",
    "/shop/77-{n}",
    "/SHOP/a{n}",
    "/Shop/b{n}",
    "/a{n}/more",
    "/shop/a{n}",
    "/x{n}",
    "/shop/-{n}",
]
COUNT = 60  # more than are tried one by one


def family(pattern: str) -> str:
    fold = "ignore_case = true" if "Shop" in pattern else ""
    return "".join(
        f"[[rule]]\nname = \"r{n}-{len(pattern)}\"\npattern = '{pattern.replace('{n}', str(n % 25))}'\n"
        f'location = "https://new.example/{n}"\n{fold}\n'
        for n in range(COUNT)
    )


def first(ruleset: RuleSet, request: Request) -> str | None:
    for rule in ruleset.rules:
        if Pattern.parse(rule.pattern, ignore_case=rule.ignore_case).match(request) is not None:
            return rule.name
    return None


def asked() -> list[Request]:
    hosts = ["h.example", "a.shop.example", "shop.example"]
    return [
        Request.of("GET", f"http://{random.Random(n).choice(hosts)}{path.replace('{n}', str(n))}")
        for n in range(0, 30, 3)
        for path in PATHS
    ]


@pytest.mark.parametrize("pattern", FAMILIES.values(), ids=FAMILIES.keys())
def test_a_set_answers_as_its_members_in_order(pattern: str) -> None:
    ruleset = rules(family(pattern))
    answers = [first(ruleset, request) for request in asked()]
    decided = [ruleset.decide(request, 0.0).rule for request in asked()]
    assert [rule.name if rule else None for rule in decided] == answers
    assert any(answers)


def test_all_families_together_keep_their_order() -> None:
    ruleset = rules("".join(family(pattern) for pattern in FAMILIES.values()))
    for request in asked():
        rule = ruleset.decide(request, 0.0).rule
        assert (rule.name if rule else None) == first(ruleset, request)
