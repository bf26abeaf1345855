"""Patterns against the standard's own cases (web-platform-tests, urlpattern/resources).

A case is a pattern (a string, or a dictionary of components) and an input, with what must be captured
or the word "error". Cases about components go through `Component`, those about whole strings through
`Pattern`. What is left out is left out for a reason in REASONS, and every difference in DIFFERENCES is
held to still be one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from detour.core.pattern import Pattern
from detour.core.pattern_component import Component
from detour.core.pattern_syntax import COMPONENTS
from detour.core.url import normalize
from detour.errors import PatternError
from tests.core import url_init

DATA = Path(os.environ.get("DETOUR_DATA", Path(__file__).parents[3] / "shared" / "data"))
CASES_FILE = DATA / "url-pattern" / "urlpatterntestdata.json"
pytestmark = pytest.mark.skipif(not CASES_FILE.exists(), reason=f"{CASES_FILE.name} is not in $DETOUR_DATA")
CASES = json.loads(CASES_FILE.read_text("utf-8")) if CASES_FILE.exists() else []

REASONS = {
    "userinfo-or-fragment": "the pattern names username, password or hash: no server is asked for them",
    "relative-string": "a pattern string with a base URL: Detour's patterns are absolute, `/…` is any host's",
    "javascript-api": "the case is about the arguments that the JavaScript constructor and exec() refuse",
}
# Patterns that Detour reads otherwise than the standard, and why; as JSON, the way the cases write them.
DIFFERENCES = {
    '[{"protocol": "http", "port": "80 "}]': "text after a port's digits is refused, not dropped",
    '[{"pathname": "/caf%c3%a9"}]': "percent-triplets are normalized (RFC 3986 §6.2.2.1)",
    '[{"search": "q=caf%c3%a9"}]': "percent-triplets are normalized (RFC 3986 §6.2.2.1)",
    '[{"protocol": "javascript", "pathname": "var x = 1;"}]': "only http and https: no opaque paths",
    '[{"protocol": "(data|javascript)", "pathname": "var x = 1;"}]': "only http and https: no opaque paths",
    '["/foo"]': "`/…` is a whole pattern: any scheme, host and port",
    '["https://example.com/*?foo"]': "`?` directly after a group is refused",
    '["https://example.com/:name?foo"]': "`?` directly after a group is refused",
    '["https://example.com/(bar)?foo"]': "`?` directly after a group is refused",
    '["https://(sub.)?example.com/foo"]': "`?` directly after a group is refused",
    '["https://(sub.)?example(.com/)foo"]': "`?` directly after a group is refused",
    '["https://{sub.}?example{.com/}foo"]': "text after a host is refused",
    '[{"protocol": "http", "hostname": "example.com#ignoredhash"}]': "text after a host is refused",
    '["file:///foo/bar"]': "only http and https",
    '["foo://bar"]': "only http and https",
    '[{"pathname": "/([[a-z]--a])"}]': "RE2 has no set operations in character classes",
}


def exclusion(case: dict) -> str | None:
    """The key of REASONS for which a case cannot be asked at all."""
    strings = [one for one in case["pattern"] if isinstance(one, str)]
    init = case["pattern"][0] if case["pattern"] and isinstance(case["pattern"][0], dict) else None
    if (init is not None and strings) or case.get("expected_match") == "error":
        return "javascript-api"
    if init is not None and init.get("baseURL") == "":
        return "javascript-api"
    if strings and ("@" in strings[0] or "#" in strings[0]):
        return "userinfo-or-fragment"
    if init is not None and {"username", "password", "hash"} & set(init):
        return "userinfo-or-fragment"
    return "relative-string" if len(strings) > 1 else None


def written(case: dict) -> str:
    """The pattern of a case, as DIFFERENCES writes it."""
    return json.dumps(case["pattern"], ensure_ascii=False)


def components(case: dict) -> dict[str, Component]:
    """Detour's components for a case's pattern; raises `PatternError`."""
    pattern, options = case["pattern"], case["pattern"][-1:]
    ignore_case = bool(options and isinstance(options[0], dict) and options[0].get("ignoreCase"))
    if pattern and isinstance(pattern[0], str):
        whole = Pattern.parse(pattern[0], ignore_case=ignore_case)
        return {name: getattr(whole, name) for name in COMPONENTS}
    init = url_init.resolve_pattern(pattern[0] if pattern else {})
    return {
        ours: Component.parse(ours, init[name], ignore_case=ignore_case and ours in ("path", "query"))
        if name in init
        else Component.anything(ours)
        for name, ours in url_init.NAMES.items()
    }


def input_of(case: dict) -> dict[str, str]:
    """The input's components by Detour's names, normalized; raises `InvalidInit`."""
    inputs = case["inputs"]
    if inputs and isinstance(inputs[0], str):
        read = url_init.components_of(*inputs)
    else:
        read = url_init.resolve_input(inputs[0] if inputs else {})
    return {ours: normalize(read[name]) for name, ours in url_init.NAMES.items()}


def renumbered(captures: dict[str, str]) -> dict[str, str]:
    """Captures of one component, unnamed groups numbered from 0: Detour counts over the whole pattern."""
    numbers = count()
    return {str(next(numbers)) if name.isdigit() else name: value for name, value in captures.items()}


def check_expected_object(case: dict, ours: dict[str, Component]) -> None:
    """Each component the case spells out has the very parts of Detour's."""
    for name, text in case.get("expected_obj", {}).items():
        if name in url_init.NAMES and not (ours[url_init.NAMES[name]].implied and text == "*"):
            expected = Component.parse(url_init.NAMES[name], text)
            got = ours[url_init.NAMES[name]]
            assert [shape(part) for part in got.parts] == [shape(part) for part in expected.parts]
    for name in case.get("exactly_empty_components", ()):
        if name in url_init.NAMES:
            assert ours[url_init.NAMES[name]].literal == "", name


def shape(part) -> tuple:
    name = "" if part.name.isdigit() else part.name
    return part.kind, part.value, part.modifier, name, part.prefix, part.suffix


def check_match(case: dict, ours: dict[str, Component]) -> None:
    try:
        values = input_of(case)
    except url_init.InvalidInit:
        found = None
    else:
        every = {name: one.match(values[name]) for name, one in ours.items()}
        found = None if None in every.values() else every
    expected = case["expected_match"]
    assert (found is None) == (expected is None), found
    for name, result in (expected or {}).items():
        ours_name = url_init.NAMES.get(name)
        if ours_name and not ours[ours_name].implied:
            groups = {group: value or "" for group, value in result["groups"].items()}
            assert renumbered(found[ours_name]) == groups


def check(case: dict) -> None:
    """Assert that Detour does what the case says."""
    if case.get("expected_obj") == "error":
        with pytest.raises((PatternError, url_init.InvalidInit)):
            components(case)
        return
    ours = components(case)
    check_expected_object(case, ours)
    if "inputs" in case:
        check_match(case, ours)


def numbered(cases) -> list:
    return [pytest.param(case, id=f"{index}-{written(case)[:60]}") for index, case in cases]


INCLUDED = [(index, case) for index, case in enumerate(CASES) if exclusion(case) is None]
AS_THE_STANDARD = [(index, case) for index, case in INCLUDED if written(case) not in DIFFERENCES]
OTHERWISE = [(index, case) for index, case in INCLUDED if written(case) in DIFFERENCES]


@pytest.mark.parametrize("case", numbered(AS_THE_STANDARD))
def test_case_of_the_standard_holds(case):
    check(case)


def test_each_difference_still_is_one():
    same = set(DIFFERENCES)
    for _, case in OTHERWISE:
        try:
            check(case)
        except (AssertionError, PatternError, pytest.fail.Exception):
            same.discard(written(case))
    assert not same


def test_a_pattern_string_with_userinfo_or_fragment_is_refused():
    strings = [
        case["pattern"][0]
        for case in CASES
        if exclusion(case) == "userinfo-or-fragment" and isinstance(case["pattern"][0], str)
    ]
    assert len(strings) > 5
    for text in strings:
        with pytest.raises(PatternError):
            Pattern.parse(text)


def test_every_case_is_run_or_left_out_for_a_written_reason(record_property):
    reasons = Counter(exclusion(case) for case in CASES)
    reasons.pop(None)
    assert set(reasons) <= set(REASONS)
    assert len(AS_THE_STANDARD) + len(OTHERWISE) + sum(reasons.values()) == len(CASES)
    record_property("as the standard", len(AS_THE_STANDARD))
    record_property("otherwise", len(OTHERWISE))
    record_property("left out", dict(reasons))
    assert len(AS_THE_STANDARD) >= 0.75 * len(CASES)
