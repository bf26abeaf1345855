"""Cloudflare's `_redirects`, against the cases of Cloudflare's own parser and rules engine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from detour.core.url import URL
from detour.errors import URLError
from detour.formats.cloudflare_pages import DEFAULT_STATUS, read
from detour.formats.draft import Draft, LineFault
from tests.formats.dialect_data import DATA, Site, data_file

CASES_FILE = DATA / "cloudflare-redirects" / "cases.json"
CASES: dict[str, list[dict[str, Any]]] = (
    json.loads(CASES_FILE.read_text("utf-8")) if CASES_FILE.exists() else {"parse": [], "match": []}
)

# What Cloudflare's parser calls a mistake, and what the fault says here.
KINDS = {
    "token-count": "tokens where two or three belong",
    "invalid-status": "is no status here",
    "duplicate": "is a `from` in line",
    "line-too-long": "a line of",
    "absolute-from": "has a host",
    "proxy-absolute": "a 200 may only lead to a path",
    "infinite-loop": "is a loop on Cloudflare",
    "max-dynamic": "more than 100 dynamic rules",
    "max-static": "more than 2000 static rules",
}

# Cases that Detour answers otherwise, each with the reason.
LEFT_OUT = {
    "cf-parse-index-loop-html-none": "html_handling is a setting beside the file; Detour takes its default",
    "cf-limit-raised": "limits raised by an option of the parser; a deployed file has Cloudflare's",
}
# Rules and requests of match cases that a `_redirects` file, or an HTTP server, cannot meet.
HOSTED = (
    "https://"  # only `_headers` rules name hosts; a `from` with one is refused (cf-parse-malformed-urls)
)


def static(count: int) -> list[str]:
    return [f"/a/{number} /b/{number}" for number in range(count)]


def dynamic(count: int) -> list[str]:
    return [f"/a/{number}/* /b/{number}/:splat" for number in range(count)]


# The cases that are described instead of written out.
GENERATED = {
    "cf-limit-dynamic-100": ["", "# comment", *dynamic(150), "# comment", ""],
    "cf-limit-static-2000": static(2050),
    "cf-limit-both": [*static(2050), *dynamic(150)],
}


def parse_cases(generated: bool) -> list[Any]:
    cases = [
        case for case in CASES["parse"] if case["id"] not in LEFT_OUT and ("generate" in case) == generated
    ]
    return [pytest.param(case, id=case["id"]) for case in cases]


def outcomes(text: str) -> tuple[list[Draft], list[LineFault]]:
    read_in = list(read(text))
    return (
        [one for one in read_in if isinstance(one, Draft)],
        [one for one in read_in if isinstance(one, LineFault)],
    )


def as_cloudflare_writes(draft: Draft) -> tuple[int, str]:
    return draft.line, draft.pattern.replace("\\", "")


@pytest.mark.parametrize("case", parse_cases(generated=False))
def test_a_file_says_what_cloudflares_parser_reads_in_it(case: dict[str, Any]) -> None:
    drafts, faults = outcomes(case["input"])
    rules, invalid = case["expect"]["rules"], case["expect"]["invalid"]
    assert [as_cloudflare_writes(draft) for draft in drafts] == [
        (rule["line"], rule["from"]) for rule in rules
    ]
    for draft, rule in zip(drafts, rules, strict=True):
        if rule["status"] == 200:
            assert (draft.location, draft.status) == (None, None)
        else:
            assert draft.location == rule["to"]
            assert (draft.status or DEFAULT_STATUS) == rule["status"]
    assert [fault.line for fault in faults] == [one["line"] for one in invalid]
    assert all(KINDS[one["kind"]] in fault.fact for fault, one in zip(faults, invalid, strict=True))


@pytest.mark.parametrize("case", parse_cases(generated=True))
def test_cloudflares_limits_hold(case: dict[str, Any]) -> None:
    lines, expect = GENERATED[case["id"]], case["expect"]
    drafts, faults = outcomes("\n".join(lines))
    assert len(drafts) == expect["rules_count"]
    assert len(faults) == expect.get("invalid_count", len(expect.get("invalid", ())))
    if "first_line" in expect:
        assert drafts[0].line == expect["first_line"]
    for one in expect.get("invalid", ()):
        assert len(lines) - faults[0].line + 1 == one["skipped_lines"]
    kinds = {one["kind"] for one in expect.get("invalid", [])} | (
        {expect["kind"]} if "kind" in expect else set()
    )
    assert all(any(KINDS[kind] in fault.fact for fault in faults) for kind in kinds)


def match_requests() -> Iterator[Any]:
    """(rules, URL, the Locations of all rules that match, in order), without what names a host."""
    for case in CASES["match"]:
        rules = {path: f"/{to}" for path, to in case["rules"].items() if not path.startswith(HOSTED)}
        hosted = [f"{to}" for path, to in case["rules"].items() if path.startswith(HOSTED)]
        of_a_host = re.compile("|".join(re.sub(r":\w+", "[^/]*", to) for to in hosted) or "(?!)")
        for url, answers in case["requests"]:
            wanted = [f"/{to}" for to in answers if not of_a_host.fullmatch(f"{to}")]
            if not url.startswith("other:"):  # no HTTP request has another scheme
                yield pytest.param(rules, url, wanted, id=f"{case['id']} {url}")


@pytest.mark.parametrize(("rules", "url", "answers"), list(match_requests()))
def test_each_rule_answers_what_cloudflares_engine_answers(
    rules: dict[str, str], url: str, answers: list[str]
) -> None:
    found = [Site("cloudflare-pages", f"{path} {to}").answer(url) for path, to in rules.items()]
    locations = [answer[1] for answer in found if answer is not None and answer[1] is not None]
    assert [URL.parse(location).path for location in locations] == answers


def test_no_request_has_a_scheme_other_than_http() -> None:
    data_file("cloudflare-redirects", "cases.json")
    others = [url for case in CASES["match"] for url, _ in case["requests"] if url.startswith("other:")]
    assert others
    for url in others:
        with pytest.raises(URLError):
            Site("cloudflare-pages", "/a /b").answer(url)


def test_what_is_left_out_is_in_the_cases() -> None:
    data_file("cloudflare-redirects", "cases.json")
    assert set(LEFT_OUT) <= {case["id"] for case in CASES["parse"]}


H = "https://h.example"


@pytest.mark.parametrize(
    ("rules", "target", "location"),
    [
        ("/a/:x-:y /b/:y/:x", "/a/1-2-3", "/b/3/1-2"),  # the first takes as much as it can
        ("/a/:x* /b/:x/:splat", "/a/1/2", "/b/1//2"),
        ("/a/x:y.html /b/:y", "/a/x1.html", "/b/1"),
        ("/a/*/c /b/:splat", "/a/1/2/c", "/b/1/2"),
        ("/a*c /b/:splat", "/a1/2c", "/b/1/2"),
        ("/a/* /b/:splatter/:splat", "/a/1", "/b/:splatter/1"),  # whole names only
        ("/a/:id/:id_2 /b/:id_2/:id", "/a/1/2", "/b/2/1"),
        ("/a/ /b", "/a", None),
        ("/a /b", "/a/", None),
        ("/a/* /b", "/a", None),
        ("/a /b", "/a?q=1", "/b?q=1"),
        ("/a /b?x=1#y", "/a?q=1", "/b?x=1#y"),
        ("/a //b//c", "/a", "/b//c"),
        ("//a/b /c", "//a/b", "/c"),
        ("/a /b\n/a/* /c", "/a", "/b"),
        ("/* /c\n/a /b", "/a", "/c"),
    ],
)
def test_a_rule_answers_as_the_engines_expressions_do(rules: str, target: str, location: str | None) -> None:
    answer = Site("cloudflare-pages", rules).answer(H + target)
    assert answer == (None if location is None else (302, H + location))


@pytest.mark.parametrize("source", ["/*/*", "/:a/:a", "/:splat/*"])
def test_a_name_that_comes_twice_is_a_fault(source: str) -> None:
    [fault] = read(f"{source} /b")
    assert isinstance(fault, LineFault)
    assert "more than once" in fault.fact


@pytest.mark.parametrize("to", ["b", "http://h.example/", "mailto:a@b", "https://:99999/"])
def test_a_destination_is_a_path_or_an_https_url(to: str) -> None:
    [fault] = read(f"/a {to}")
    assert isinstance(fault, LineFault)
    assert fault.pattern == "/a"


def test_what_cloudflare_silently_reads_otherwise_is_noted() -> None:
    [dropped, slashed] = read("/a?b=c /d\ne /f")
    assert isinstance(dropped, Draft)
    assert isinstance(slashed, Draft)
    assert "'?b=c'" in dropped.note
    assert "`/e`" in slashed.note


def test_static_rules_behind_a_dynamic_one_count_as_dynamic() -> None:
    drafts, faults = outcomes("\n".join(["/x/* /y", *static(120)]))
    assert len(drafts) == 100
    assert [fault.line for fault in faults] == [101]
