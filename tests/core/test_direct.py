"""The short way says what `decide` says, and is taken where it should be."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour import Request
from detour.core.matcher import RuleSet
from detour.core.shape import MOST_SHAPES
from tests.core.rules import rules


def ruleset_of(*lines: tuple[str, str], more: str = "") -> RuleSet:
    return rules(
        "".join(
            f"[[rule]]\nname = \"r{number}\"\npattern = '{pattern}'\nlocation = '{location}'\n{more}\n"
            for number, (pattern, location) in enumerate(lines)
        )
    )


def directly(ruleset: RuleSet, target: str, authority: str = "h", scheme: str = "http") -> str | None:
    found = ruleset.finder(scheme)(authority.encode(), target.encode())
    return None if found is None else found[1].decode()


def decided(ruleset: RuleSet, target: str, authority: str = "h", scheme: str = "http") -> str | None:
    return ruleset.decide(Request.of("POST", f"{scheme}://{authority}{target}"), 0).location


TAKEN = {
    "exact": (("/a", "https://b.test/x"), "/a", "https://b.test/x"),
    "exact, query kept": (("/a", "https://b.test/x"), "/a?q=1", "https://b.test/x?q=1"),
    "relative": (("/a", "/x"), "/a", "/x"),
    "prefix": (("/a/*", "https://b.test/x/{0}"), "/a/b/c?q=1", "https://b.test/x/b/c?q=1"),
    "whole site": (("/*", "https://b.test/{0}"), "/a/b", "https://b.test/a/b"),
    "segments": (("/a/:id/c/*", "https://b.test/{0}/{id}"), "/a/7/c/d/e", "https://b.test/d/e/7"),
    "a capture twice": (("/a/:id", "https://b.test/{id}/{id}"), "/a/7", "https://b.test/7/7"),
    "a capture left out": (("/a/:id/:no", "https://b.test/{id}"), "/a/7/8", "https://b.test/7"),
    "host": (("//h/a", "https://b.test/x"), "/a", "https://b.test/x"),
    "scheme": (("http://h/a", "https://b.test/x"), "/a", "https://b.test/x"),
    "regular expression": (("/a/(\\d+)/c", "https://b.test/{0}"), "/a/77/c", "https://b.test/77"),
    "wildcard in front": (("/*/old/:id", "https://b.test/{0}/{id}"), "/a/b/old/7", "https://b.test/a/b/7"),
    "query": (("/a\\?id=:id", "https://b.test/{id}"), "/a?id=7", "https://b.test/7"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_the_short_way_is_taken(case: str) -> None:
    rule, target, location = TAKEN[case]
    ruleset = ruleset_of(rule)
    assert directly(ruleset, target) == decided(ruleset, target) == location


def test_case_is_ignored_on_the_short_way_too() -> None:
    ruleset = ruleset_of(("/old/:id", "https://b.test/{id}"), more="ignore_case = true")
    assert directly(ruleset, "/oLD/aB") == decided(ruleset, "/oLD/aB") == "https://b.test/aB"


@pytest.mark.parametrize(
    ("pattern", "location", "target"),
    [
        ("/a", "/a", "/a"),
        ("/a/*", "/{0}", "/a//b.test/"),  # a relative reference must not become an authority
        ("/a/*", "https://h/{0}", "/a/b"),  # back to the same authority: may be the target itself
        ("/a/*", "https://b.test/{0}", "/a/%62"),  # as received it is not what the pattern sees
        ("/a/*", "https://b.test/{0}", "/a/../b"),
        ("/a/*", "https://b.test/{0}", "/a/'"),
        ("/a", "https://b.test/?t=1", "/a?q=1"),
        ("/a/(.*)", "https://b.test/{0}", "/a//c"),
    ],
)
def test_what_takes_a_closer_look_is_decided(pattern: str, location: str, target: str) -> None:
    assert directly(ruleset_of((pattern, location)), target) is None


@pytest.mark.parametrize("more", ["share = 0.5", "when = { header = { X = true } }", 'methods = ["GET"]'])
def test_terms_that_depend_on_the_request_are_decided(more: str) -> None:
    assert directly(ruleset_of(("/a", "https://b.test/"), more=more), "/a") is None


def test_a_rule_with_conditions_in_front_is_not_passed_by() -> None:
    text = '[[rule]]\nname = "stop"\npattern = "/a"\npass = true\nwhen = { header = { X = true } }\n'
    text += '[[rule]]\nname = "r"\npattern = "/*"\nlocation = "https://b.test/{0}"\n'
    ruleset = rules(text)
    assert directly(ruleset, "/a") is None
    assert directly(ruleset, "/b") == "https://b.test/b"


def test_keys_beyond_the_most_shapes_are_found_and_keep_their_place() -> None:
    masks = ["/".join(one) for one in product(("x", ":a"), repeat=5)]  # 32 shapes
    named = [mask.replace(":a", "", 0) for mask in masks]
    lines = []
    for number, mask in enumerate(named):
        pieces = [f":n{place}" if piece == ":a" else piece for place, piece in enumerate(mask.split("/"))]
        lines.append(("/" + "/".join(pieces), f"https://b.test/{number}"))
    assert len(lines) > MOST_SHAPES
    ruleset = ruleset_of(*lines)
    for number, mask in enumerate(masks):
        target = "/" + mask.replace(":a", "y")
        assert decided(ruleset, target) == f"https://b.test/{number}"
        assert directly(ruleset, target) in (None, f"https://b.test/{number}")
    assert directly(ruleset, "/" + masks[0]) == "https://b.test/0"


PATTERNS = st.sampled_from(
    [
        *("/a", "/a/b", "/*", "/a/*", "/a*", "/:x", "/a/:x", "/:x/b", "/:x/:y", "/a/:x/*", "/a{/}?", "/A/b"),
        *("//h/a", "//h/*", "//h:8080/a/:x", "http://h/a", "https://h/a/*", "//[::1]/a"),
        *("/a/([ab]+)", "/*/b", "//*.h/a", "/a\\?x=:x", "/a/:x.json", "/(a|b)"),
    ]
)
LOCATIONS = st.sampled_from(
    [
        *("https://b.test/z", "https://b.test/z?t=1", "https://b.test:8443/z#f", "https://h/a/b", "//h/z"),
        *("/z", "/a"),
    ]
)
MORE = st.sampled_from(
    [
        "",
        "",
        "",
        "ignore_case = true",
        'query = "drop"',
        'status = 308\ncache = "1h"',
        'cache = "1h"',
        'methods = ["GET"]',
    ]
)
TARGETS = st.sampled_from(
    [
        *("/", "/a", "/b", "/z", "/a/", "/a/b", "/a/c", "/A/B", "/a/b/c", "/b/b", "/a/b.json", "/ab"),
        *("/a?x=1", "/a/b?x", "/a?", "/a/%62", "/a/../b", "//a", "/a'", "/a/%2f"),
    ]
)
AUTHORITIES = st.sampled_from(["h", "h:8080", "x.h", "[::1]", "[::1]:8080", "h.test"])


def captured(pattern: str, location: str, take: bool) -> str:
    """The location with what the pattern captures, where it captures something and it is asked for."""
    name = "x" if ":x" in pattern else "0" if any(mark in pattern for mark in "*(") else ""
    at = location.find("/", location.find("//") + 2) if "//" in location else 0
    return f"{location[: at + 1]}{{{name}}}{location[at + 1 :]}" if name and take else location


@settings(max_examples=600)
@given(
    st.lists(st.tuples(PATTERNS, LOCATIONS, MORE, st.booleans()), min_size=1, max_size=6),
    st.lists(st.tuples(TARGETS, AUTHORITIES, st.sampled_from(["http", "https"])), min_size=1, max_size=6),
)
def test_what_the_short_way_says_is_what_is_decided(
    written: list[tuple[str, str, str, bool]], asked: list[tuple[str, str, str]]
) -> None:
    ruleset = rules(
        "".join(
            f"[[rule]]\nname = \"r{number}\"\npattern = '{pattern}'\n{more}\n"
            f"location = '{captured(pattern, location, take)}'\n"
            for number, (pattern, location, more, take) in enumerate(written)
        )
    )
    for target, authority, scheme in asked:
        found = ruleset.finder(scheme)(authority.encode(), target.encode())
        if found is None:
            continue
        decision = ruleset.decide(Request.of("POST", f"{scheme}://{authority}{target}"), 0)
        record, location = found
        assert decision.rule is not None
        assert (decision.location, decision.rule.span.line) == (location.decode(), record.line)
        assert decision.status == ruleset.form(record)[0]
