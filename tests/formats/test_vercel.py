"""vercel.json, on the routes that Vercel's own compiler makes and the paths they must and must not match."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.vercel import detect, read
from tests.formats.dialect_data import DATA, data_file
from tests.formats.layers import Answer, counted, decide, dialects_of, layer_of

FOLDER = DATA / "vercel-routing-utils"
FILE = FOLDER / "superstatic_cases.json"
CASES: dict[str, Any] = (
    {case["name"]: case["steps"] for case in json.loads(FILE.read_text("utf-8"))} if FILE.exists() else {}
)
SETTINGS: dict[str, dict[str, Any]] = {
    "convertCleanUrls true": {"cleanUrls": True},
    "convertCleanUrls true, trailingSlash true": {"cleanUrls": True, "trailingSlash": True},
    "convertTrailingSlash enabled": {"trailingSlash": True},
    "convertTrailingSlash disabled": {"trailingSlash": False},
}
LOOKS_AROUND = "its source looks ahead"
DIFFERENCES = {
    10: LOOKS_AROUND,
    19: "`missing` asks for a host by an expression: no pattern is all that it does not match",
    20: "`has` asks for two hosts, and captures fields and parameters",
}
HOSTS = {0: ("x-test.vercel.app", {"subdomain": "x"}), 18: ("b.c.example", {"a": "b.c", "b": "example"})}
NO_PATH = "/next.php?page=/"  # a query in what is matched as a path


def redirects() -> list[tuple[int, dict[str, Any], dict[str, Any], list[str], list[str]]]:
    steps = CASES.get("convertRedirects")
    if not steps:
        return []
    call, paths = steps
    return list(
        zip(
            range(99),
            call["call"]["args"][0],
            call["expect"],
            paths["mustMatch"],
            paths["mustNotMatch"],
            strict=False,
        )
    )


@pytest.mark.parametrize("case", redirects(), ids=lambda case: f"{case[0]} {case[1]['source']}")
def test_a_redirect_answers_as_its_compiled_route(case: tuple[int, Any, Any, Any, Any]) -> None:
    number, written, route, matching, others = case
    layer = layer_of("vercel", json.dumps({"redirects": [written]}))
    if number in DIFFERENCES:
        assert len(layer.not_understood) == 1
        return
    assert layer.not_understood == ()
    for path in matching:
        found = re.fullmatch(route["src"], path)
        assert found is not None
        to = re.sub(
            r"\$(\d+)", lambda slot, found=found: found[int(slot[1])] or "", route["headers"]["Location"]
        )
        host, captured = HOSTS.get(number, ("h.example", {}))
        for name, value in captured.items():
            to = to.replace(f"${name}", value)
        to = re.sub(r"^/", f"https://{host}/", to)
        got = decide(layer, "GET", f"https://{host}{path}")
        assert got is not None, path
        assert (got[0], got[1].rstrip("/")) == (route["status"], to.rstrip("/"))
    for path in others:
        assert decide(layer, "GET", f"https://h.example{path}") is None, path


@pytest.mark.parametrize("name", SETTINGS)
def test_clean_urls_and_trailing_slashes_match_what_they_must(name: str) -> None:
    if name not in CASES:
        data_file("vercel-routing-utils", FILE.name)
    call, paths = CASES[name]
    layer = layer_of("vercel", json.dumps(SETTINGS[name]))
    routes = [*call["expect"], *(CASES["convertTrailingSlash enabled"][0]["expect"] if "," in name else ())]
    for route, matching, others in zip(
        call["expect"], paths["mustMatch"], paths["mustNotMatch"], strict=True
    ):
        for path in matching if "headers" in route else ():
            if path != NO_PATH:
                assert decide(layer, "GET", f"https://h.example{path}") is not None, path
        for path in others:
            answered = any(re.fullmatch(one["src"], path) for one in routes if "headers" in one)
            if not answered and path != NO_PATH:
                assert decide(layer, "GET", f"https://h.example{path}") is None, path


def test_what_is_off_redirects_nobody() -> None:
    assert list(read('{"cleanUrls": false, "redirects": []}')) == []


@pytest.mark.parametrize(
    ("site", "url", "answer"),
    [
        ({"cleanUrls": True}, "/a/index.html", (308, "/a")),
        ({"cleanUrls": True}, "/index", (308, "/")),
        ({"cleanUrls": True, "trailingSlash": True}, "/a.html", (308, "/a/")),
        ({"trailingSlash": True}, "/.well-known/x", None),
        ({"trailingSlash": True}, "/a/b", (308, "/a/b/")),
        ({"trailingSlash": False}, "/a/b/?c", (308, "/a/b?c")),
        ({"redirects": [{"source": "/a/:id", "destination": "/b?x=:id"}]}, "/a/1?y=2", (308, "/b?x=1&y=2")),
        (
            {"routes": [{"src": "/old", "status": 302, "headers": {"Location": "/new"}}]},
            "/old",
            (302, "/new"),
        ),
        ({"routes": [{"src": "/old", "status": 404}]}, "/old", None),
    ],
)
def test_what_a_site_answers(site: dict[str, Any], url: str, answer: Answer) -> None:
    wanted = None if answer is None else (answer[0], f"https://h.example{answer[1]}")
    assert decide(layer_of("vercel", json.dumps(site)), "GET", f"https://h.example{url}") == wanted


def test_conditions_are_read() -> None:
    has = [{"type": "host", "value": "h.example"}, {"type": "header", "key": "X-A", "value": "1"}]
    missing = [{"type": "cookie", "key": "seen"}]
    site = {"redirects": [{"source": "/a", "destination": "/b", "has": has, "missing": missing}]}
    layer = layer_of("vercel", json.dumps(site))
    assert decide(layer, "GET", "https://h.example/a", (("X-A", "1"),)) == (308, "https://h.example/b")
    assert decide(layer, "GET", "https://h.example/a") is None
    assert decide(layer, "GET", "https://o.example/a", (("X-A", "1"),)) is None
    assert decide(layer, "GET", "https://h.example/a", (("X-A", "1"), ("Cookie", "seen=1"))) is None


H = "h.example"


@pytest.mark.parametrize(
    ("kind", "value", "held", "others"),
    [
        ("host", "(?<a>www|web)\\.h\\.example", ["www.h.example", "web.h.example"], [H, "x.h.example"]),
        ("host", "h.example", [H], ["www.h.example", "hxexample"]),
        ("host", {"eq": "h-1.example"}, ["h-1.example"], [H]),
        ("host", {"inc": ["a.example", "b.example"]}, ["a.example", "b.example"], ["c.example", "aXexample"]),
        ("header", "(?<v>hello|world)", ["hello", "world"], ["hell", "helloworld"]),
        ("header", {"re": "a|b"}, ["a", "b"], ["c"]),
        ("header", "(?<v>.*)", ["x"], []),
        ("header", {"inc": ["a.b", "c"]}, ["a.b", "c"], ["aXb"]),
    ],
)
def test_a_condition_is_an_expression_of_the_whole_value(
    kind: str, value: object, held: list[str], others: list[str]
) -> None:
    condition = (
        {"type": kind, "value": value} if kind == "host" else {"type": kind, "key": "v", "value": value}
    )
    site = {"redirects": [{"source": "/a", "destination": "/b", "has": [condition]}]}
    layer = layer_of("vercel", json.dumps(site))
    assert layer.not_understood == ()
    for one in (*held, *others):
        host, fields = (one, ()) if kind == "host" else (H, (("V", one),))
        answer = decide(layer, "GET", f"https://{host}/a", fields)
        assert answer == ((308, f"https://{host}/b") if one in held else None), one


@pytest.mark.parametrize(
    ("has", "to", "fact"),
    [
        ([{"type": "host", "value": "a"}, {"type": "host", "value": "b"}], "/b", "two hosts at once"),
        ([{"type": "query", "key": "id"}], "/b/:id", "holds `:id`, which a condition captures"),
        ([{"type": "header", "key": "x", "value": "(?<y>.*)"}], "/:y", "holds `:y`, which a condition"),
        ([{"type": "header", "key": "x", "value": "[a-c]"}], "/b", "'[a-c]' is a regular expression"),
        ([{"type": "header", "key": "x", "value": {"neq": "a"}}], "/b", "compared by `neq`"),
        ([{"type": "host", "value": "(?=a).*"}], "/b", "look"),
    ],
)
def test_a_condition_that_no_rule_says_is_listed(has: list[dict[str, Any]], to: str, fact: str) -> None:
    site = {"redirects": [{"source": "/a", "destination": to, "has": has}]}
    [fault] = layer_of("vercel", json.dumps(site)).not_understood
    assert fact in fault.fact


@pytest.mark.parametrize(
    ("site", "fact"),
    [
        ({"cleanUrls": "x"}, "'x' where a boolean belongs"),
        ({"redirects": {}}, "a table where a list belongs"),
        ({"redirects": [{"source": "/a"}]}, "a redirect without `source` or `destination`"),
        ({"redirects": [{"source": "a", "destination": "/"}]}, "the source 'a' does not begin with a slash"),
        (
            {"redirects": [{"source": "/a", "destination": "/", "statusCode": 300}]},
            "300 is no status to redirect with here",
        ),
        ({"redirects": [{"source": "/(a", "destination": "/"}]}, "a parenthesis without its end in '/(a'"),
    ],
)
def test_what_cannot_be_expressed_is_listed(site: dict[str, Any], fact: str) -> None:
    assert [one.fact for one in layer_of("vercel", json.dumps(site)).not_understood] == [fact]


def test_every_site_of_the_data_is_detected_and_read_and_no_other_file_is() -> None:
    data_file("vercel-routing-utils", "files")
    sites = {name for name, dialect in dialects_of("vercel-routing-utils").items() if dialect == "vercel"}
    assert len(sites) == 33
    read_files = counted("vercel", FOLDER.name, "files")
    assert {name: read_files[name][1] for name in sites if read_files[name][1]} == {
        "packages+cli+test+dev+fixtures+invalid-clean-urls+vercel.json": 1,
        "packages+cli+test+dev+fixtures+invalid-redirects+vercel.json": 1,
        "packages+cli+test+dev+fixtures+invalid-trailing-slash+vercel.json": 1,
        "packages+next+test+fixtures+23-custom-routes-verbose+vercel.json": 1,  # comments: no JSON
    }
    for folder in ("caddy", "envoy-route-tests", "traefik", "cloudflare-redirects"):
        assert "vercel" not in dialects_of(folder).values()


@given(st.text(), st.text("/:ab()*+?{}\\$.|[]!"))
def test_any_text_and_any_source_yield_drafts_and_faults(text: str, source: str) -> None:
    whole = json.dumps({"redirects": [{"source": "/" + source, "destination": "/" + source}]})
    for one in (text, whole, whole[:-3]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
    layer_of("vercel", whole)
