"""The tables of causes and loops: what must not fire, and what every row owes its reader."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.chain import Chain, End, Hop, Outgoing, Response
from detour.core.url import URL
from detour.follow.diagnosis import CAUSES, LOOPS, diagnose
from detour.follow.fingerprint import Guess
from detour.follow.har import read_har
from tests.follow.diagnosed import diagnosed
from tests.follow.near_misses import (
    LOOP_MISSES,
    NEAR_MISSES,
    UNCERTAIN,
    LoopMiss,
    NearMiss,
    chain_of,
    moved,
)
from tests.follow.published.responses import PUBLISHED, response_of, to
from tests.follow.staging.stagings import STAGINGS

DOCUMENT = Path(__file__).parents[2] / "docs" / "unexpected-307.md"


def named(chain: Chain) -> set[str]:
    return {finding.check for finding in diagnose(chain)}


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=lambda miss: f"{miss.finding}: {miss.why}")
def test_a_near_miss_of_a_cause_is_not_named(miss: NearMiss) -> None:
    request, response = Outgoing(miss.method, URL.parse(miss.url)), response_of(miss.head, miss.content)
    chain = Chain("fetch", (Hop(request, response, to(request, response)),), End("not-followed"))
    assert miss.finding not in named(chain) | {finding.check for finding in diagnosed(chain)}


@pytest.mark.parametrize("miss", LOOP_MISSES, ids=lambda miss: f"{miss.finding}: {miss.why}")
def test_a_near_miss_of_a_loop_is_what_it_is(miss: LoopMiss) -> None:
    assert named(miss.chain) & {loop.name for loop in LOOPS} == miss.instead
    assert miss.finding not in miss.instead


@pytest.mark.parametrize("doubt", UNCERTAIN, ids=lambda doubt: f"{doubt.finding}: {doubt.why}")
def test_what_could_be_otherwise_is_only_suggested(doubt: LoopMiss) -> None:
    for findings in (diagnose(doubt.chain), diagnosed(doubt.chain)):
        assert [one.confidence for one in findings if one.check == doubt.finding] == ["suggests"]


def test_every_row_has_a_case_and_a_near_miss() -> None:
    rows = {row.name for row in (*CAUSES, *LOOPS)}
    assert {case.finding for case in (*STAGINGS, *PUBLISHED)} == rows
    assert {miss.finding for miss in NEAR_MISSES} == {row.name for row in CAUSES}
    assert {miss.finding for miss in LOOP_MISSES} == {row.name for row in LOOPS}


def test_the_tables_have_every_cause_and_loop_of_the_field_notes() -> None:
    assert {row.id for row in CAUSES} == {f"U{number}" for number in range(1, 17)}
    assert {row.id for row in LOOPS} == {f"L{number}" for number in range(1, 8)}


def test_what_was_never_on_stage_says_suggests() -> None:
    replayed = {case.finding for case in PUBLISHED}
    assert {row.name for row in CAUSES if row.confidence == "suggests"} == replayed


def test_the_page_has_every_row_in_order_with_what_it_is_known_from() -> None:
    staged, published = {row.finding for row in STAGINGS}, {row.finding for row in PUBLISHED}
    written = re.findall(
        r"^\| `([a-z0-9-]+)` \((\w+)\) \|.*\| ([^|]+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    assert [row[:2] for row in written] == [
        (row.name, row.id) for row in (*CAUSES, *sorted(LOOPS, key=lambda row: row.id))
    ]
    assert {name for name, _, known in written if "stage" in known} == staged
    assert {name for name, _, known in written if "published" in known} == published


def test_a_certain_fingerprint_of_another_program_silences_a_cause() -> None:
    chain = chain_of(
        (
            "POST",
            "http://h.test/a",
            "HTTP/1.1 307 Temporary Redirect\ncontent-length: 0\nlocation: http://h.test/a/",
        ),
        end="not-followed",
    )
    tomcat = Guess("Tomcat", "context-root", "is", "", "")
    assert [finding.check for finding in diagnose(chain, [()])] == ["starlette-slash"]
    assert diagnose(chain, [(tomcat,)]) == []


DOWNGRADED = ("GET", "https://h.test/a", moved("http://h.test/a/"))


def remedies(chain: Chain, *guesses: Guess) -> list[str]:
    return [finding.remedy for finding in diagnose(chain, [guesses])]


def test_a_server_that_takes_no_proxy_s_word_is_told_its_own_setting_alone() -> None:
    nginx = Guess("nginx", "implicit-slash", "is", "", "")
    assert remedies(chain_of(DOWNGRADED, end="not-followed"), nginx) == [
        "nginx (the one that redirects): absolute_redirect off;"
    ]


def test_a_proxy_that_tells_the_scheme_by_itself_is_left_alone() -> None:
    guesses = (
        Guess("Starlette", "redirect-slashes", "suggests", "", ""),
        Guess("Caddy", "", "is", "", "", True),
    )
    (remedy,) = remedies(chain_of(DOWNGRADED, end="not-followed"), *guesses)
    assert "--forwarded-allow-ips" in remedy
    assert remedy.endswith("Caddy tells X-Forwarded-Proto by itself: nothing is to be changed there")


def test_who_cannot_be_told_apart_gets_every_line_under_a_heading() -> None:
    (remedy,) = remedies(chain_of(DOWNGRADED, end="not-followed"))
    headings = [line for line in remedy.split("\n") if not line.startswith("  ")]
    assert headings == [
        "the program that redirects, one of these:",
        "and the proxy that ends TLS, one of these:",
    ]
    assert "  Django, settings.py: SECURE_PROXY_SSL_HEADER" in remedy


def test_a_program_that_only_passed_a_redirect_on_is_not_the_one_to_change() -> None:
    passing = Guess("nginx", "passed-on", "suggests", "", "", True)
    (remedy,) = remedies(chain_of(("GET", "https://h.test/a", moved("https://h.test/a"))), passing)
    assert "one of these:" in remedy.split("\n")[0]


def test_a_loop_over_https_with_a_cookie_tells_of_ended_tls_as_well() -> None:
    head = moved("https://h.test/a", "Set-Cookie: <host>=1", "Server: Kestrel")
    (remedy,) = remedies(chain_of(("GET", "https://h.test/a", head), end="too-many-hops"))
    assert remedy.startswith("keep the cookie <host>: ")  # what a server writes is not filled in
    assert "ASPNETCORE_FORWARDEDHEADERS_ENABLED=true" in remedy


def test_a_redirect_of_many_hops_is_told_once_for_each_target_uri() -> None:
    there = ("GET", "http://h.test/a", "HTTP/1.1 307 Temporary Redirect\nServer: nginx\nLocation: /b")
    again = chain_of(there, ("GET", "http://h.test/b", moved("/a")), there, end="too-many-hops")
    findings = diagnose(again)
    assert len(findings) == len({(finding.check, finding.url) for finding in findings})


def test_a_challenge_that_was_passed_is_no_loop() -> None:
    chain = chain_of(
        ("GET", "http://h.test/a", moved("/a", "Set-Cookie: seen=1", status=307)),
        ("GET", "http://h.test/a", "HTTP/1.1 200 OK"),
        end="arrived",
    )
    assert named(chain) == {"edge-challenge"}


def test_an_edge_cookie_does_not_make_a_flexible_loop_a_challenge() -> None:
    head = moved("https://h.test/a", "CF-RAY: 8a1b-AMS", "Set-Cookie: __cf_bm=1")
    assert named(chain_of(("GET", "https://h.test/a", head))) == {"flexible-tls"}


def test_a_loop_names_the_whole_round() -> None:
    chain = chain_of(
        ("GET", "http://h.test/start", moved("/a")),
        ("GET", "http://h.test/a", moved("/a/")),
        ("GET", "http://h.test/a/", moved("/a")),
    )
    (found,) = diagnose(chain)
    assert found.message.endswith("http://h.test/a → http://h.test/a/ → http://h.test/a")
    assert (found.hop, found.url) == (1, "http://h.test/a")


def test_what_a_server_writes_is_shown_in_printable_ascii_and_cut() -> None:
    location = f"https://gateway.zscaler.net/\x1b[2J<origin>{'a' * 1_000_000}"
    head = f"HTTP/1.1 307 Temporary Redirect\nServer: nginx\x1b[2J\nLocation: {location}"
    (found,) = diagnose(chain_of(("GET", "https://h.test/", head), end="not-followed"))
    assert found.check == "access-gateway"
    over_http = head.replace("https://gateway.zscaler.net", "http://h.test")
    (downgraded,) = diagnose(chain_of(("GET", "https://h.test/", over_http), end="not-followed"))
    assert downgraded.check == "untrusted-forwarded-scheme"
    assert len(downgraded.message) < 600
    assert "%1B[2J%3Corigin%3E" in downgraded.message or "%1B[2J<origin>" in downgraded.message


def test_a_recording_of_a_browser_names_the_browser() -> None:
    upgraded = {"name": "Non-Authoritative-Reason", "value": "HSTS"}
    location = {"name": "Location", "value": "https://h.test/"}
    entries = [
        {
            "startedDateTime": "2026-11-24T12:00:00.000Z",
            "time": 0,
            "request": {"method": "GET", "url": "http://h.test/", "httpVersion": "HTTP/1.1", "headers": []},
            "response": {
                "status": 307,
                "statusText": "Internal Redirect",
                "httpVersion": "HTTP/1.1",
                "headers": [location, upgraded],
                "content": {"size": 0},
                "redirectURL": "https://h.test/",
            },
        }
    ]
    (chain,) = read_har(msgspec.json.encode({"log": {"version": "1.2", "entries": entries}}))
    (found,) = diagnose(chain)
    assert found.check == "browser-made"
    assert "no server sent this 307" in found.message


WORDS = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=20)
URLS = st.sampled_from(
    ["", "/", "//x", "http://h.test/a", "https://h.test/a/", "http://h.test:8080/v1/x", "/\\x"]
)
FIELDS = st.sampled_from(["Server", "Set-Cookie", "Content-Type", "CF-RAY", "x-vercel-id", "Location"])
RESPONSES = st.builds(
    lambda status, location, fields, content: Response(
        status, "", "1.1", (("Location", location), *fields), content, len(content)
    ),
    st.sampled_from([301, 302, 303, 307, 308]),
    st.one_of(URLS, WORDS),
    st.lists(st.tuples(FIELDS, WORDS), max_size=4),
    st.binary(max_size=20),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["GET", "POST"]), URLS.filter(lambda url: "h.test" in url), RESPONSES)
    ),
    st.sampled_from(["arrived", "loop", "too-many-hops", "not-followed"]),
)
def test_whatever_servers_send_is_diagnosed_without_a_fault(
    steps: list[tuple[str, str, Response]], end: str
) -> None:
    hops = tuple(Hop(Outgoing(method, URL.parse(url)), response) for method, url, response in steps)
    for finding in diagnose(Chain("fetch", hops, End(end))):
        assert 0 <= finding.hop < len(hops)
        assert finding.message.isprintable()
        assert finding.remedy.replace("\n", "").isprintable()


@pytest.mark.parametrize("end", ["arrived", "resolve", "loop"])
def test_a_chain_without_a_response_has_no_cause(end: str) -> None:
    hop = Hop(Outgoing("GET", URL.parse("http://h.test/")))
    assert diagnose(Chain("fetch", (hop,), End(end))) == []
