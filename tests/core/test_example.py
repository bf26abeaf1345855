"""Examples written beside rules: which there are, when they are asked, and when they hold."""

from __future__ import annotations

import pytest

from detour import RuleSet
from detour.core.example import failure, instant
from tests.core.rules import rules

RULE = '[[rule]]\nname = "r"\npattern = "/a"\n{}\n'
FROM, UNTIL = "from = 1970-01-01T00:01:40Z", "until = 1970-01-01T00:03:20Z"  # 100 s, 200 s


def failures(ruleset: RuleSet, now: float = 0.0) -> list[str | None]:
    return [failure(ruleset, example, now) for example in ruleset.examples]


def test_each_element_of_an_inline_list_is_an_example() -> None:
    expects = ", ".join(f'{{ request = "GET http://h/a", location = "{to}" }}' for to in ("/b", "/WRONG"))
    assert failures(rules(RULE.format(f'location = "/b"\nexpect = [{expects}]'))) == [
        None,
        "expected /WRONG, got 307 /b by r",
    ]


def test_examples_of_an_import_run_once_and_without_any_line() -> None:
    text = """[[rule]]
name = "old"
import = "_redirects"
dialect = "netlify"
[[rule.expect]]
request = "GET http://h/a"
location = "/x"
"""
    assert failures(rules(text, _redirects="/a /x\n/b /y\n")) == [None]
    assert failures(rules(text, _redirects="# nothing yet")) == [
        "expected this rule to answer, got 404, no rule answers"
    ]


@pytest.mark.parametrize(
    ("window", "now", "asked"),
    [
        ("", 5.0, 5.0),
        (f"{FROM}\n{UNTIL}", 150.0, 150.0),
        (f"{FROM}\n{UNTIL}", 250.0, 100.0),
        (FROM, 5.0, 100.0),
        (UNTIL, 200.0, 199.0),
    ],
)
def test_an_example_is_asked_while_its_rule_is_in_force(window: str, now: float, asked: float) -> None:
    text = f'location = "/b"\n{window}\nexpect = [{{ request = "GET http://h/a", status = 307 }}]'
    ruleset = rules(RULE.format(text))
    assert [instant(example, now) for example in ruleset.examples] == [asked]
    assert failures(ruleset, now) == [None]


def test_an_example_says_itself_when_it_is_asked() -> None:
    expect = '{ request = "GET http://h/a", none = true, at = 1970-01-01T00:03:20Z }'
    assert failures(rules(RULE.format(f'location = "/b"\n{UNTIL}\nexpect = [{expect}]'))) == [None]


def test_none_means_that_nothing_redirects_and_of_a_pass_rule_that_it_answers() -> None:
    expect = 'expect = [{ request = "GET http://h/z", none = true }]'
    assert failures(rules(RULE.format(f'location = "/b"\n{expect}'))) == [None]
    (fact,) = failures(rules(RULE.format(f"pass = true\n{expect}")))
    assert fact == "expected this rule to answer, got 404, no rule answers"


def test_the_client_of_an_example_is_in_the_rules_share() -> None:
    text = 'location = "/b"\nshare = 0.000001\nexpect = [{ request = "GET http://h/a", status = 307 }]'
    assert failures(rules(RULE.format(text))) == [None]
