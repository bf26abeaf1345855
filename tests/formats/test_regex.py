"""Foreign regular expressions as patterns, held against Python's `re` over the decoded octets."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detour.core.pattern import Pattern
from detour.errors import PatternError
from detour.formats.regex import Expression, expression, expressions

SAFE = "/-.,_~!$&'()*+:;=@[]|"  # what a path holds as it is
CHARS = "/abB1.-é ,%?"
ITEMS = st.sampled_from(
    [
        "a",
        "b",
        "B",
        "1",
        "/",
        r"\.",
        "-",
        "(?:é)",
        " ",
        ",",
        "%",
        "[ab]",
        "[^/]",
        r"\d",
        r"\w",
        ".",
        "[^a]",
        r"[^/?]",
    ]
)


@st.composite
def regexes(draw: st.DrawFn) -> str:
    """Expressions with captures, choices, repetitions and anchors; groups not deeper than two."""
    quantifier = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "{2}", "{1,2}"])
    atom = st.tuples(ITEMS, quantifier).map("".join)
    run = st.lists(atom, max_size=3).map("".join)
    choice = st.lists(run, min_size=1, max_size=2).map("|".join)
    group = st.tuples(st.sampled_from(["({})", "({})", "(?:{})"]), choice).map(
        lambda two: two[0].format(two[1])
    )
    nested = st.tuples(run, group, run).map(lambda three: "({}{}{})".format(*three))
    quantified = st.tuples(group | nested, st.sampled_from(["", "", "?"])).map("".join)
    body = "".join(draw(st.lists(run | quantified, min_size=1, max_size=4)))
    return draw(st.sampled_from(["^/", "^", "/", ""])) + body + draw(st.sampled_from(["$", ""]))


PATHS = st.text(CHARS, max_size=8).map(lambda text: f"/{text}")


def of(found: Expression, text: str) -> list[str] | None:
    """What the captures of a pattern hold, by number."""
    pattern = Pattern.parse(found.pattern, ignore_case=found.ignore_case)
    captured = pattern.match_parts("http", "h.example", "", text, "")
    if captured is None:
        return None
    return [said.format(**captured) for number, said in sorted(found.captures.items(), key=str)]


def encoded(text: str) -> str:
    return quote(text, safe=SAFE)


@settings(max_examples=400, deadline=None)
@given(regexes(), PATHS)
def test_a_pattern_matches_and_captures_what_the_expression_does(regex: str, path: str) -> None:
    assume(not any(one in (".", "..") for one in path.split("/")))
    try:
        found = expressions(regex)
        one = expression(regex)
    except PatternError as error:
        found, refusal = (), error.fact
    wanted = re.search(regex.encode(), path.encode(), re.DOTALL)
    if not found:
        if "a lazy group" in refusal:
            return
        assert "no path matches" in refusal
        assert wanted is None
        return
    assert (of(one, encoded(path)) is not None) == (wanted is not None)
    answers = [(each, held) for each in found if (held := of(each, encoded(path))) is not None]
    assert bool(answers) == (wanted is not None)
    if wanted is None:
        return
    each, held = answers[0]
    theirs = [quote(wanted[int(number)] or b"", safe=SAFE) for number in sorted(each.captures, key=str)]
    assert held == theirs, (each, regex)


ROWS = [
    # regex, pattern, captures
    ("^/foo$", "/foo", {}),
    ("^/foo/(.*)$", "/foo/{:p1(.*)}", {1: "{p1}"}),
    (r"\.php$", "/*.php", {}),
    (r"^/a b/é/([^/]+)/?$", "/a%20b/%C3%A9/{:p1([^/]+)}{/}?", {1: "{p1}"}),
    ("^(/en/.*)/x$", r"/{:p1(en\/.*)}/x", {1: "/{p1}"}),
    (r"^/((a|b)/(c))x$", "/{:p2(a|b)}/{:p3(c)}x", {2: "{p2}", 3: "{p3}", 1: "{p2}/{p3}"}),
    ("^((/))$", "/", {2: "/", 1: "/"}),
    (r"^/(?<id>\d+)$", r"/{:p1(\d+)}", {1: "{p1}", "id": "{p1}"}),
]


@pytest.mark.parametrize(("regex", "pattern", "captures"), ROWS)
def test_an_expression_becomes_a_readable_pattern(
    regex: str, pattern: str, captures: dict[int | str, str]
) -> None:
    found = expression(regex)
    assert (found.pattern, dict(found.captures)) == (pattern, captures)


def test_two_patterns_where_a_group_may_or_may_not_hold_the_first_slash() -> None:
    found = expressions("^(.*)/$")
    assert [(one.pattern, dict(one.captures)) for one in found] == [
        ("/{:p1(.*)}/", {1: "/{p1}"}),
        ("/", {1: ""}),
    ]


@pytest.mark.parametrize(
    ("regex", "fact"),
    [
        ("^/(?!a)", "lookaround"),
        (r"^/(a)\1", "cannot be expressed"),
        ("^/a*+", "possessive"),
        ("^/a^b", "in the middle"),
        ("^foo", "no path matches"),
        ("^/(a", "never closed"),
        ("^/[a", "never closed"),
        (r"^/a\bc", "cannot be expressed"),
        ("^/" + "(" * 99 + ")" * 99, "groups in groups"),
    ],
)
def test_what_is_no_regular_language_is_refused(regex: str, fact: str) -> None:
    with pytest.raises(PatternError) as caught:
        expression(regex)
    assert fact in caught.value.fact


def test_hosts_whole_matches_and_paths_without_their_first_slash() -> None:
    host = expression(r"^(www\.)?(?<name>.+)\.example\.com$", component="hostname")
    assert host.pattern == r"{:h1(www\.)}?{:h2(.+)}.example.com"
    assert host.captures["name"] == "{h2}"
    assert expression("/a", whole=True).pattern == "/a"
    assert expression("^a/(.*)$", slash=False).pattern == "/a/{:p1(.*)}"
    assert expression("(?i)^/a").ignore_case


@settings(max_examples=300)
@given(st.text("^$/ab()[]{}|*+?\\.1,<>:!=P-é", max_size=20))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        found = expressions(text)
    except PatternError as error:
        found = ()
        refused = error
    assert found or refused.remedy
    assert all(isinstance(Pattern.parse(one.pattern), Pattern) for one in found)
