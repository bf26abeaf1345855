"""No pattern, and no text for one, takes long: RE2 is linear, sizes are bounded."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from detour.core.pattern import Pattern
from detour.errors import PatternError


@pytest.mark.parametrize(
    "pattern",
    [
        "/((?:a*)*b)",
        "/((?:a|a)*b)",
        "/((?:a+)+b)",
        "/(.*)(.*)(.*)(.*)(.*)b",
        "/:a-:b-:c-:d-:e-b",
        "/a" + "{:x0-}?" + "".join(f"{{:x{n}-}}?" for n in range(1, 99)) + "b",
        "/((?:a?){200}a{200}b)",
    ],
)
def test_no_pattern_takes_long_over_any_target(pattern):
    parsed = Pattern.parse(pattern)
    started = time.perf_counter()
    assert parsed.match_parts("http", "h", "", "/" + "a" * 8191, "") is None
    assert parsed.match_parts("http", "h", "", "/" + "a-" * 4095, "") is None
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "piece", ["(", "(a", "(?:", "((", "{", "{a", "\\", ":a", "*", "a/../", "[", "(\\(", "/:a0*{"]
)
def test_no_text_takes_long_to_refuse_or_parse(piece):
    started = time.perf_counter()
    text = ("/" + piece * 4096)[:4096]
    with suppress(PatternError):
        Pattern.parse(text)
    assert time.perf_counter() - started < 5
