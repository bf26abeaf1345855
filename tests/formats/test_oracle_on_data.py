"""On every readable rule file of $DETOUR_DATA, the index answers as the first rule that matches would.

The oracle tries each rule's pattern in file order. Requests are made from the patterns themselves, hit and
near miss, so that overlapping rules meet.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache

import pytest

from detour import Decision, Pattern, Request, Rule, RuleSet
from detour.core.index import with_parameters
from detour.core.matcher import is_self
from tests.formats.dialect_data import DATA, imported

ASKED = 30  # rules of one file that are asked about
ASKED_OF_MANY = 6  # where the oracle is slow: over 10,000 rules
VERCEL = "packages+c*bulk*.json", "packages+cli+test+fixtures+unit+commands+redirects+sample.*"


def files() -> Iterator[tuple[str, str, str]]:
    """Name, dialect and text of each file."""
    for path in sorted((DATA / "netlify-redirect-parser").rglob("redirects_file/*")):
        if not path.is_file():
            continue  # the fixture of a folder in the place of a file
        yield path.name, "netlify", path.read_text("utf-8")
    for path in (DATA / "gateway-api-site-_redirects" / "_redirects",):
        if path.exists():
            yield "gateway-api", "netlify", path.read_text("utf-8")
    cases = DATA / "cloudflare-redirects" / "cases.json"
    if cases.exists():
        for case in json.loads(cases.read_text())["parse"]:
            if "input" in case:  # two are made of generated text
                yield case["id"], "cloudflare-pages", case["input"]
    for pattern in VERCEL:
        for path in sorted((DATA / "vercel-routing-utils" / "files").glob(pattern)):
            yield path.name, "vercel-bulk", path.read_text("utf-8")


FILES = list(files())


@cache
def parsed(pattern: str, ignore_case: bool) -> Pattern:
    return Pattern.parse(pattern, ignore_case=ignore_case)


def first_match(ruleset: RuleSet, request: Request) -> str | None:
    """The name of the first rule, in file order, that matches and does not point at the request itself."""
    for rule in ruleset.rules:
        captures = parsed(rule.pattern, rule.ignore_case).match(request)
        if captures is not None and rule.parameters:
            captures = with_parameters(rule, request, captures)
        if captures is not None and not points_at_itself(rule, request, captures):
            return rule.name
    return None


def points_at_itself(rule: Rule, request: Request, captures: dict[str, str]) -> bool:
    if rule.template is None:
        return False
    kept = "" if rule.takes_query or rule.terms.query == "drop" else request.received_query
    location = rule.template.location(request, captures, kept)
    return location is None or is_self(location, request)


def requests(ruleset: RuleSet, chance: random.Random) -> Iterator[Request]:
    """What the patterns are about, and what lies beside it."""
    rules = ruleset.rules
    most = ASKED if len(rules) < 10_000 else ASKED_OF_MANY
    for number in chance.sample(range(len(rules)), min(len(rules), most)):
        rule = rules[number]
        text = re.sub(r"\\(.)", r"\1", re.sub(r"\{[^}]*\}[?*+]?", "", rule.pattern))
        host, slash, path = text.partition("//")[2].partition("/") if "//" in text else ("h", "/", text[1:])
        path = re.sub(r":\w+(\([^)]*\))?", "seg", path).replace("*", "one/two")
        asked = "&".join(f"{one.name}={one.value or 7}" for one in rule.parameters)
        for variant in (path, f"{path}/", f"{path}/more", path.upper(), f"{path}x"):
            yield Request.of("GET", f"https://{host or 'h'}{slash or '/'}{variant}?{asked}")


@pytest.mark.skipif(not FILES, reason="no rule files: set DETOUR_DATA")
@pytest.mark.parametrize(("name", "dialect", "text"), FILES, ids=[name for name, _, _ in FILES])
def test_the_index_answers_as_the_first_rule_that_matches(name: str, dialect: str, text: str) -> None:
    ruleset = imported(dialect, text).ruleset
    for request in requests(ruleset, random.Random(name)):
        decision: Decision = ruleset.decide(request, 0.0)
        assert (decision.rule.name if decision.rule else None) == first_match(ruleset, request), request


def test_most_files_have_rules_that_are_asked() -> None:
    if not FILES:
        pytest.skip("no rule files: set DETOUR_DATA")
    small = [(dialect, text) for _, dialect, text in FILES if len(text) < 10**5]
    asked = [any(requests(imported(*one).ruleset, random.Random(1))) for one in small]
    assert sum(asked) >= len(asked) // 2, "the others hold nothing but faults and comments"
