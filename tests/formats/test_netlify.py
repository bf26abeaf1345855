"""Netlify's `_redirects`: grammar against Netlify's own fixtures, matching against Netlify's own engine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour.core.url import URL
from detour.formats.draft import Draft, LineFault
from detour.formats.netlify import DEFAULT_STATUS, detect, read, read_line
from detour.formats.redirects_file import lines
from tests.formats.dialect_data import DATA, Site, data_file, imported, same_url
from tests.formats.netlify_engine import NetlifyEngine

FIXTURES = "netlify-redirect-parser/tests/fixtures/redirects_file"

# What Netlify's parser says of a file, and what a fault says of it here.
REFUSALS = {
    "/Invalid URL/": "is not a URL",
    "/must not start/": "Netlify's own",
    "/Invalid status code/": "is not a status",
    "/Missing destination/": "names no destination",
    "/must start with/": "no destination",
    # A path with a query answers nothing on Netlify: said first, because `to` alone would not help.
    '/Missing "to" field/': "no request path holds",
}


def expected(name: str) -> list[dict[str, Any]]:
    path = DATA / "netlify-redirect-parser" / name
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def parsed_files() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(fixture, the redirects Netlify's parser makes of it) for each fixture that is expected to parse."""
    tables = [*expected("expected_line-parser.json")[:1], *expected("expected_merge.json")]
    for _, options, redirects in (row for table in tables for row in table["table"]):
        [*files] = options.get("redirectsFiles", [])
        if len(files) == 1 and "configRedirects" not in options and files[0] != "non_existing":
            yield files[0], redirects
    # Given there only together with a netlify.toml, which comes after the file's own redirects.
    for _, options, redirects in (row for table in expected("expected_merge.json") for row in table["table"]):
        if options.get("redirectsFiles") == ["simple_multiple"]:
            yield "simple_multiple", redirects[:1]


def refused_files() -> list[tuple[str, str]]:
    rows = [row for table in expected("expected_line-parser.json")[1:] for row in table["table"]]
    return [(name, fact) for name, _, fact in rows if name != "invalid_dir"]  # a directory is no text


def fixture(name: str) -> str:
    return data_file(FIXTURES, name).read_text("utf-8")


def rule_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


# ---- grammar


def as_netlify_writes(draft: Draft) -> tuple[str, str | None]:
    """`from` and `to` of a draft, back in Netlify's syntax."""
    pattern = draft.pattern.replace("{/*}?", "/*").replace("{/}?", "").replace("\\", "")
    location = draft.location
    for group in ["0", *(parameter.group for parameter in draft.parameters if parameter.group)]:
        location = location and location.replace(f"{{{group}}}", ":splat" if group == "0" else f":{group}")
    return pattern, location


def as_netlify_expects(redirect: dict[str, Any]) -> tuple[str, str | None]:
    path = redirect["path"].rstrip("/") or "/"
    origin = f"{redirect['scheme']}://{redirect['host']}" if "host" in redirect else ""
    redirects = redirect.get("status", DEFAULT_STATUS) in (301, 302, 303, 307, 308)
    return origin + path, redirect["to"] if redirects else None


@pytest.mark.parametrize(("name", "redirects"), list(parsed_files()))
def test_a_file_says_what_netlifys_parser_reads_in_it(name: str, redirects: list[dict[str, Any]]) -> None:
    outcomes = list(read(fixture(name)))
    if name == "simple_multiple":
        outcomes = outcomes[-1:]  # the other data keeps the last of two equal paths only
    assert len(outcomes) == len(redirects)
    for outcome, redirect in zip(outcomes, redirects, strict=True):
        if "conditions" in redirect or "signed" in redirect:
            assert isinstance(outcome, LineFault)
            assert outcome.pattern is not None
            continue
        assert isinstance(outcome, Draft)
        assert as_netlify_writes(outcome) == as_netlify_expects(redirect)
        assert outcome.status == (None if redirect.get("status") == 200 else redirect.get("status"))
        wanted = {one.name: f":{one.group}" if one.group else one.value for one in outcome.parameters}
        assert wanted == redirect.get("query", {})


@pytest.mark.parametrize(("name", "fact"), refused_files())
def test_a_file_that_netlify_refuses_has_faults_and_nothing_else(name: str, fact: str) -> None:
    text = fixture(name)
    faults = list(read(text))
    assert all(isinstance(fault, LineFault) for fault in faults)
    assert len(faults) == len(rule_lines(text))
    assert any(REFUSALS[fact] in fault.fact for fault in faults if isinstance(fault, LineFault))


def test_every_fixture_is_in_one_of_the_tables() -> None:
    data_file(FIXTURES)
    files = {path.name for path in (DATA / FIXTURES).iterdir() if path.is_file()}
    tables = {name for name, _ in parsed_files()} | {name for name, _ in refused_files()}
    assert files - tables == {"large_45000_redirects_file"}


def test_the_fixtures_hold_as_many_rules_and_faults_as_their_tables_say() -> None:
    data_file(FIXTURES)
    parsed = dict(parsed_files())
    conditional = [
        redirect
        for redirects in parsed.values()
        for redirect in redirects
        if "conditions" in redirect or "signed" in redirect
    ]
    expressed = sum(map(len, parsed.values())) - len(conditional)
    refused = sum(len(rule_lines(fixture(name))) for name, _ in refused_files())
    outcomes = [outcome for name in parsed for outcome in read(fixture(name))]
    outcomes += [outcome for name, _ in refused_files() for outcome in read(fixture(name))]
    # simple_multiple has a second line, which that table drops because their paths are equal
    assert sum(isinstance(outcome, Draft) for outcome in outcomes) == expressed + 1
    assert sum(isinstance(outcome, LineFault) for outcome in outcomes) == len(conditional) + refused


def test_45000_lines_are_45000_rules_within_seconds() -> None:
    text = fixture("large_45000_redirects_file")
    started = time.process_time()
    drafts = list(read(text))
    assert time.process_time() - started < 5
    pairs = [line.split() for line in rule_lines(text)]
    assert len(pairs) == 45_000
    assert [(draft.pattern, draft.location) for draft in drafts if isinstance(draft, Draft)] == [
        (f"{source}{{/}}?", to) for source, to in pairs
    ]


def test_a_real_site_has_a_rule_for_each_line_but_the_one_without_a_slash() -> None:
    text = data_file("gateway-api-site-_redirects", "_redirects").read_text("utf-8")
    lines = rule_lines(text)
    outcomes = imported("netlify", text)
    assert len(outcomes.rules) == sum(line.startswith("/") for line in lines)
    [fault] = outcomes.faults
    assert "'geps/by-state/' does not begin with a slash" in fault.fact
    site = Site("netlify", text, faults=1)
    assert site.answer("https://gateway-api.example/guides/") == (
        301,
        "https://gateway-api.example/guides/getting-started/introduction/",
    )


def only(text: str) -> Draft | LineFault:
    [outcome] = read(text)
    return outcome


def test_text_that_means_something_in_a_pattern_or_a_template_is_escaped() -> None:
    draft = only("/a(b)+:c /d{e}/#{f}")
    assert isinstance(draft, Draft)
    assert draft.pattern == "/a\\(b\\)\\+\\:c{/}?"
    assert draft.location == "/d%7Be%7D/#{{f}}"
    assert Site("netlify", "/a(b)+:c /d").answer("http://h.example/a(b)+:c") == (301, "http://h.example/d")


def test_a_name_that_is_no_identifier_gets_one() -> None:
    site = Site("netlify", "/a/:my-id/:my_id/:1 /b/:1/:my_id/:my-id")
    assert site.answer("http://h.example/a/x/y/z") == (301, "http://h.example/b/z/y/x")


def test_a_colon_that_captures_nothing_stays_and_is_noted() -> None:
    draft = only("/a/:x /wiki/Talk:Page/:y")
    assert isinstance(draft, Draft)
    assert draft.location == "/wiki/Talk:Page/:y"
    assert ":y" in draft.note
    assert "Page" not in draft.note


@pytest.mark.parametrize("status", [304, 99, 500, 201])
def test_a_status_that_neither_redirects_nor_passes_is_a_fault(status: int) -> None:
    fault = only(f"/a /b {status}")
    assert isinstance(fault, LineFault)
    assert fault.fact == f"{status} is not a redirect status"
    assert fault.pattern == "/a{/}?"


@pytest.mark.parametrize(
    ("line", "fact", "remedy"),
    [
        ("/a/* 301", "the status '301' follows, but no destination", "write `from to [status]`"),
        ("/a?b=1&c=2 /d", "no request path holds a '?'", "write `/a b=1 c=2 /to`"),
        ("a/b /c", "'a/b' does not begin with a slash", "write `/a/b`"),
        ("//h.example/a /c", "begins with two slashes", "write one slash"),
        ("/a*b /c", "stands for itself", "a segment of its own"),
        ("/a/*/* /c", "more than one asterisk", "keep the last"),
        ("http://*.h.example/a /c", "has an asterisk", "a line for each host"),
        ("/a b /c", "neither a parameter nor a destination", "`name=value`"),
        ("/a /b Country=de", "'Country=de' is not a status", "write the status before the conditions"),
        ("/a /b 302 Country=de Cookie=x", "depends on Country, Cookie", "on_fault"),
        ("/a http://:/", "is not a URL", "write it whole"),
        ("X-Field: value", "does not begin with a slash", "`_headers`"),
        ("/a /b 301 /c", "depends on /c", "drop the condition"),
    ],
)
def test_a_fault_states_the_fact_and_the_remedy(line: str, fact: str, remedy: str) -> None:
    fault = only(line)
    assert isinstance(fault, LineFault)
    assert fact in fault.fact
    assert remedy in fault.remedy
    assert "\n" not in fault.fact + fault.remedy


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(["a", "b-1", ".well-known", "a.b", "..", "", "_x", "~", "-"]), max_size=4),
    st.sampled_from(
        ["/b", "/", "/b/.c", "//h.test/x", "https://h.test", "https://h.test/a/b-1.html", "HTTP://h"]
    ),
    st.sampled_from(["", "301", "308", "404", "200", "30", "307!"]),
)
def test_a_plain_line_is_read_as_any_other(pieces: list[str], to: str, status: str) -> None:
    source = "".join(f"/{piece}" for piece in pieces) or "/"
    for line in lines(f"{source} {to} {status}"):
        assert list(read(line.text)) == [read_line(line)], line


@pytest.mark.parametrize(
    ("text", "is_netlify"),
    [
        ("# moved\n/a /b\n\nhttps://h.test/* /c/:splat 302\n", True),
        ("/a /b 301 # why\n/admin/* 200\n", True),
        ("/a 301 /b\n/c 404\n", False),  # cases of OpenStack's whereto
        ("/a,/b\n/c,/d\n", False),
        ("/a, /b\n/c, /d\n", False),
        ("/a\n/b\n", False),
        ("server { return 301 /b; }\n", False),
        ("", False),
    ],
)
def test_it_is_known_by_its_content(text: str, is_netlify: bool) -> None:
    assert detect(text) == is_netlify


def test_a_byte_order_mark_and_crlf_are_no_part_of_a_line() -> None:
    drafts = list(read("\ufeff/a /b\r\n/c\t/d 302\r\n"))
    assert [(draft.line, draft.pattern) for draft in drafts] == [(1, "/a{/}?"), (2, "/c{/}?")]


# ---- matching, against Netlify's engine


@pytest.fixture(scope="module")
def engine() -> Iterator[NetlifyEngine]:
    with NetlifyEngine() as started:
        yield started


H = "http://h.example"

AGREED = {
    "a slash at the end is of no account": (
        "/old /new\n/a/ /b/",
        ["/old", "/old/", "/old//", "/OLD", "/old/x", "/a", "/a/", "//old", "/old?x=1"],
    ),
    "of a repeated parameter the last value is read": ("/a b=:b /d?c=:b", ["/a?b=1&b=2", "/a?b=2&b=1"]),
    "the root": ("/ /x 302", ["/", "//", "/index.html"]),
    "a splat takes no segment or many": (
        "/blog/* /news/:splat",
        [
            "/blog",
            "/blog/",
            "/blog/a",
            "/blog/a/",
            "/blog/a/b",
            "/blog//a",
            "/blogx",
            "/blog//",
            "/blog/a?q=1",
        ],
    ),
    "a splat of everything": ("/* /x/:splat", ["/", "/a", "/a/", "//a", "/a//b/", "//", "///"]),
    "a splat of everything on another host": ("/* https://o.example/:splat", ["/", "/a/b?c=d"]),
    "a splat in the middle": (
        "/c/*/d /2/:splat",
        ["/c/d", "/c/x/d", "/c/x/y/d", "/c//d", "/c/x", "/c/x/d/", "/c/d/d", "/c/x/d/e"],
    ),
    "a splat as the end of a segment": (
        "/e* /3/:splat\n/f/g* /4/:splat",
        ["/e", "/ex", "/e/x", "/exy/z", "/e/", "/e/x/", "/e//x", "/f", "/f/g", "/f/gx", "/f/g/x/y"],
    ),
    "a splat with a slash behind it": ("/v/*/ /w/:splat", ["/v", "/v/", "/v/a", "/v/a/", "/v/a/b"]),
    "a splat used twice, in every component": (
        "/i/* /j/:splat/:splat?q=:splat#:splat\n/o/* /p/:splat.html\n/s/* /t/:splatter\n/q/* /r:splat",
        ["/i/a", "/o/a", "/o", "/s/a", "/q/a"],
    ),
    "a placeholder is one segment, not an empty one": (
        "/u/:id/x /v/:id\n/w/:id /y/:id.html\n/p/:a/ /x/:a\n/:z /zz/:z",
        [
            "/u/1/x",
            "/u/1/x/",
            "/u//x",
            "/w/1.2",
            "/w/",
            "/w",
            "/w/1/2",
            "/p/1",
            "/p/1/",
            "/",
            "/1",
            "/1/2",
            "//1",
        ],
    ),
    "placeholders and a splat": (
        "/m/:x/* /n/:splat/:x\n/k/:splat /l/:splat",
        ["/m/1", "/m/1/", "/m/1/2/3", "/m/1//", "/m", "/k/1"],
    ),
    "a colon inside a segment is a colon": ("/h-:id /hh/:id\n/:a:b /4/:a:b", ["/h-3", "/h-:id", "/1"]),
    "a name that comes twice is the first": ("/a/:id/:id /b/:id", ["/a/1/2", "/a/1/1", "/a/1"]),
    "what nothing captures stays": ("/e/:x /f/:unknown\n/g /h/:splat\n/u/* /v/*", ["/e/1", "/g", "/u/a"]),
    "the first line that matches answers": (
        "/a/b /2\n/a/* /1\n/a/c /3\n/x/:y /4\n/x/z /5\n/d /6\n/d /7",
        ["/a/b", "/a/c", "/a", "/x/z", "/x/y", "/d"],
    ),
    "statuses": (
        "/b /to 302\n/c /to 303!\n/d /to 307\n/e /to 308\n/f /to 200\n/j/* 200\n/k /to",
        ["/b", "/c", "/d", "/e", "/f", "/j/x", "/k"],
    ),
    "a status that passes": ("/g /to 404\n/h /to 410\n/i /to 451!\n/* /x", ["/g", "/h", "/i", "/j"]),
    "a rewrite ends the search": ("/a/b /x 200\n/a/* /y/:splat", ["/a/b", "/a/c"]),
    "a parameter with a value": (
        "/t a=1 b=2 /tt\n/t a=1 /t1\n/t /t0",
        ["/t?a=1&b=2", "/t?b=2&a=1", "/t?a=1&b=2&c=3", "/t?a=1", "/t?a=2", "/t", "/t/?a=1", "/t?A=1"],
    ),
    "a value is compared with the decoded one": (
        "/o q=a+b /p\n/k q=a,b /l",
        ["/o?q=a+b", "/o?q=a%2Bb", "/k?q=a,b"],
    ),
    "a captured parameter in a query": (
        "/e id=:id /e2?new=:id\n/e3 id=:i x=:x /e3?id=:i&y=:x",
        [
            "/e?id=5",
            "/e?id=5&k=1",
            "/e",
            "/e?id=",
            "/e?id=a%26b",
            "/e?id=%C3%A9",
            "/e3?x=1&id=2",
            "/e3?id=1",
        ],
    ),
    "a path's capture wins over a parameter's": ("/s/:b b=:b /f/:b?z=1", ["/s/1?b=2", "/s/1"]),
    "a parameter of any value": ("/q x=: /r?y=1", ["/q?x=1", "/q?x=", "/q", "/q?x=:"]),
    "the request's query goes along, unless `to` has one": (
        "/k /k2?x=1\n/f /f2#part\n/g /g2?x=1#part\n/l https://o.example/p",
        ["/k?y=2", "/k", "/f?y=2", "/f", "/g?y=2", "/l?y=1&z=%20"],
    ),
    "a line with a host": (
        f"{H}/* https://b.example/:splat\n/x /y\nhttps://c.example/old/ /new\nhttp://d.example:8080/z /zz",
        [
            *("/p/q", "/", "http://b.example/x", "https://h.example/p", "https://c.example/old"),
            *("http://c.example/old", "http://d.example/z", "http://d.example:8080/z"),
        ],
    ),
    "comments, tabs and line ends": (
        "# a\n/a /b # c\n/c /d#x #y\n\n  /l\t/m  \r\n/n /o\r\n #/p /q\n/p /z",
        ["/a", "/c", "/l", "/n", "/p"],
    ),
    "letters of any language": ("/é /new-é\n/ä/* /ö/:splat", ["/é", "/%C3%A9", "/ä/ü"]),
    "a capture with an encoded slash or space": ("/a/:x /b/:x", ["/a/x%20y", "/a/%C3%A9"]),
}


@pytest.mark.parametrize("case", AGREED)
def test_detour_answers_what_netlify_answers(engine: NetlifyEngine, case: str) -> None:
    rules, targets = AGREED[case]
    urls = [target if target.startswith("http") else H + target for target in targets]
    site = Site("netlify", rules)
    for url, theirs in zip(urls, engine.ask(rules, urls), strict=True):
        ours = site.answer(url)
        if ours is None or theirs is None or ours[1] is None or theirs[1] is None:
            passed = ours is not None and ours[1] is None  # a pass has Detour's status, not the rewrite's
            assert passed == (theirs is not None and theirs[1] is None), url
            assert (ours is None) == (theirs is None), url
        else:
            assert ours[0] == theirs[0], url
            assert same_url(ours[1], theirs[1]), (url, ours, theirs)


# rules, target, Netlify's Location, Detour's Location, why; None: no answer
DIFFERENT = [
    ("/old%20p /n", "/old%20p", None, "/n", "every spelling of a path is the same path"),
    ("/%C3%A9 /n", "/%C3%A9", None, "/n", "every spelling of a path is the same path"),
    ("/* /:splat", "//evil.example/x", "http://evil.example/x", "/evil.example/x", "no host from a capture"),
    (
        "/* https://o.example/:splat",
        "//a",
        "https://o.example//a",
        "https://o.example/a",
        "one slash in front",
    ),
    ("/a/:x/:y /t/:x/:y", "/a/:y/2", "/t/2/2", "/t/:y/2", "a capture is not scanned again"),
    ("/c/:i/:id /d/:id/:i", "/c/1/2", "/d/1d/1", "/d/2/1", "the longer name is meant"),
    ("/q/:a/* /y/:a/:splat", "/q//x", "/y/x/", None, "a placeholder is not looked for past an empty segment"),
    ("/r//s /z", "/r//s", None, "/z", "empty segments count"),
    (
        "/s id=:id /p/:id",
        "/s?id=a%20b",
        "/p/a+b?id=a%20b",
        "/p/a%20b",
        "a path is no form; a used query is used",
    ),
    ("/s id=:id /p/:id", "/s?id=1&x=2", "/p/1?id=1&x=2", "/p/1", "a used query is used"),
    ("/e id=:i /f?a=:i", "/e?id", None, "/f?a=", "in form data `id` is `id=` (WHATWG URL §5.1)"),
    ("/a /a/", "/a/", "/a/", None, "a rule never sends a request to itself"),
    (
        "/e q=1=2 /f?a=1",
        "/e?q=1",
        None,
        "/f?a=1",
        "Netlify's parser, before the engine, drops the second `=`",
    ),
    (
        "/e q= /f?a=1",
        "/e?q=",
        None,
        "/f?a=1",
        "handed over as JSON, as Netlify does, this matches there, too",
    ),
]


@pytest.mark.parametrize(("rules", "target", "theirs", "ours", "why"), DIFFERENT)
def test_detour_differs_from_netlify_only_where_it_says_so(
    engine: NetlifyEngine, rules: str, target: str, theirs: str | None, ours: str | None, why: str
) -> None:
    def absolute(location: str | None) -> tuple[int, str] | None:
        return None if location is None else (301, str(URL.parse(location, H)))

    assert engine.ask(rules, [H + target]) == [absolute(theirs)], why
    assert Site("netlify", rules).answer(H + target) == absolute(ours), why


LITERAL = st.sampled_from(["a", "b", "ab", "c.d"])
SEGMENT = LITERAL | st.sampled_from([":x", ":y"])


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    """Lines with literals, placeholders, a splat, parameters; each `to` is the line's own."""
    lines = []
    for number in range(draw(st.integers(1, 5))):
        segments = draw(st.lists(SEGMENT, max_size=3, unique_by=lambda text: text))
        end = draw(st.sampled_from(["", "/", "/*"]))
        source = "".join(f"/{segment}" for segment in segments) + end or "/"
        query = draw(st.sampled_from(["", " p=1", " p=:p", " p=:p q=2"]))
        to = draw(st.lists(SEGMENT | st.just(":splat"), max_size=3))
        target = f"/t{number}" + "".join(f"/{segment}" for segment in to)
        # A query of its own: what becomes of the request's is a matter of AGREED and DIFFERENT.
        target += draw(st.sampled_from(["?k=1", "?k=:p", "?k=:x#:splat"]))
        lines.append(f"{source}{query} {target} {draw(st.sampled_from(['301', '302!', '308', '200']))}")
    return "\n".join(lines)


TARGETS = st.builds(
    lambda segments, end, query: H + "".join(f"/{segment}" for segment in segments) + end + query,
    st.lists(LITERAL, max_size=4),
    st.just("/"),
    st.sampled_from(["", "?p=1", "?p=3&q=2", "?q=2&p=1", "?p="]),
) | st.builds(
    lambda segments: H + "".join(f"/{segment}" for segment in segments),
    st.lists(LITERAL, min_size=1, max_size=4),
)


@settings(max_examples=150, deadline=None)
@given(rules=rule_files(), urls=st.lists(TARGETS, min_size=1, max_size=8))
def test_any_file_of_plain_rules_answers_as_on_netlify(
    engine: NetlifyEngine, rules: str, urls: list[str]
) -> None:
    site = Site("netlify", rules)
    for url, theirs in zip(urls, engine.ask(rules, urls), strict=True):
        ours = site.answer(url)
        if theirs is None or theirs[1] is None or ours is None or ours[1] is None:
            assert (ours and ours[1]) == (theirs and theirs[1]), (url, ours, theirs)
        else:
            assert ours[0] == theirs[0]
            assert same_url(ours[1], theirs[1]), (url, ours, theirs)
