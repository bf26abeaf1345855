"""The redirect facts of web-platform-tests, held against the row of Fetch.

A fact is one assertion of a test: what was asked for, what the redirect said, and what came of it.
"""

from __future__ import annotations

import pytest

from detour.core.chain import End, Outgoing
from detour.core.follower import Follower, Step
from detour.core.policy import FETCH
from detour.core.url import URL
from tests.core.following import Answer, follow
from tests.core.published import Case, Published, lines

CASES = lines("wpt-redirect-cases/cases.jsonl")
pytestmark = pytest.mark.skipif(not CASES, reason="no wpt-redirect-cases in $DETOUR_DATA")

REASONS = {
    "cors": "who may read an answer, whether a preflight comes, what Origin says: CORS, no part of a row",
    "redirect-mode": "redirect mode `manual` or `error`: nothing is to be followed",
    "name": "the host does not exist: the transport's to find out",
}
PAGE = "https://page.example/dir/page.html"
ELSEWHERE = "https://other.example/"
TEXT = "text/plain;charset=UTF-8"  # of a string, where nothing else was said (Fetch §5.2)


def exclusion(case: Case) -> str | None:
    """The key of REASONS for which a case is not the row's."""
    kind, expect = case["kind"], case["expect"]
    if kind in ("origin-header", "preflight", "cors-chain") or "CORS" in expect.get("why", ""):
        return "cors"
    if case.get("mode") in ("manual", "error"):
        return "redirect-mode"
    if kind == "scheme" and case["location"].startswith("http:"):
        return "name"
    return None


PUBLISHED = Published(CASES, exclusion, {})


def asked(case: Case) -> Outgoing:
    """The first request; what a page adds by itself is added here."""
    body, expect = case.get("body"), case["expect"]
    written = dict(case.get("request_headers", {}))
    if case.get("content_type") not in (None, "<none>"):
        written["Content-Type"] = case["content_type"]
    elif body is not None and not _untyped(case):
        written["Content-Type"] = TEXT
    if body is not None:
        written["Content-Length"] = str(expect.get("content_length") or 15)
    content = "none" if body is None else "replayable"
    return Outgoing(case.get("method", "GET"), URL.parse(PAGE), tuple(written.items()), content)


def _untyped(case: Case) -> bool:
    """A Blob or an array has no type: nothing is expected of it where the method stays."""
    return case["expect"]["method"] == case["method"] and case["expect"]["content_type"] is None


def check_request(case: Case) -> None:
    """Method, content and fields of the last request."""
    place = ELSEWHERE if case["kind"] == "method-cross-origin" else PAGE
    answers: list[Answer] = [(case["status"], f"{place}?{hop}") for hop in range(case.get("hops", 1))]
    first, expect = asked(case), case["expect"]
    sent, end = follow(first, FETCH, answers)
    assert end is None
    last = sent[-1]
    assert last.method == expect["method"]
    if "body" in case:
        kept = expect.get("body") is not None or expect.get("body_length") is not None
        assert (last.content != "none") == kept
        assert bool(last.values("content-length")) == kept
    if "content_type" in expect:
        assert last.values("content-type") == ((expect["content_type"],) if expect["content_type"] else ())
    if "dropped_headers" in expect:
        gone = {name for name, _ in first.fields if not last.values(name.lower())}
        assert gone == set(expect["dropped_headers"]) & {name for name, _ in first.fields}


def check_location(case: Case) -> None:
    """Where a Location leads, or why nowhere."""
    location, expect = case["location"], case["expect"]
    follower = Follower(Outgoing("GET", URL.parse(PAGE)), FETCH)
    came = follower.receive(case["status"], () if location is None else location)
    if "error" in expect:
        assert isinstance(came, End)
        assert came.name in ("refused-scheme", "bad-location", "loop")
    elif expect.get("followed") is False:
        assert came == End("no-location")
    else:
        assert isinstance(came, Step)
        assert str(came.request.url).endswith(expect["url_suffix"])


def check_count(case: Case) -> None:
    """So many redirects, and then 200."""
    answers: list[Answer] = [(case["status"], f"/{number}") for number in range(case["redirects"])]
    sent, end = follow(Outgoing("GET", URL.parse(PAGE)), FETCH, [*answers, (200, ())])
    if "error" in case["expect"]:
        assert end is not None
        assert end.name == "too-many-hops"
    else:
        assert (len(sent) - 1, end) == (case["expect"]["followed"], End("arrived"))


def check_loop(case: Case) -> None:
    """The same URL again and again."""
    first, answers = Outgoing("GET", URL.parse(PAGE)), [(case["status"], PAGE)] * 30
    ends = [follow(first, FETCH, answers, stop)[1] for stop in (True, False)]
    assert [end.name for end in ends if end] == ["loop", "too-many-hops"]


def check_mode(case: Case) -> None:
    """In mode `follow` a redirect is followed, wherever it leads."""
    place = PAGE if case["origin"] == "same-origin" else ELSEWHERE
    location = str(URL.parse("/cors-top.txt", place))
    came = Follower(Outgoing("GET", URL.parse(PAGE)), FETCH).receive(case["status"], location)
    assert isinstance(came, Step)
    assert str(came.request.url).endswith(case["expect"].get("url_suffix", "/cors-top.txt"))


def check_made(case: Case) -> None:
    """What `Response.redirect` makes is followed; what it refuses to make would not be."""
    status, expect = case.get("status", 302) or 302, case["expect"]
    came = Follower(Outgoing("GET", URL.parse(PAGE)), FETCH).receive(status, case["location"])
    if "error" in expect:
        assert came.name == ("bad-location" if expect["error"] == "TypeError" else "arrived")
    else:
        assert status == expect["status"]
        assert str(came.request.url) == expect["location"]


def check_final_url(case: Case) -> None:
    """The URL of the response is where the Location led."""
    came = Follower(Outgoing("GET", URL.parse(PAGE)), FETCH).receive(case["status"], case["location"])
    assert isinstance(came, Step)
    assert str(came.request.url) == "https://page.example/dir/image.gif"
    assert case["expect"]["response_url"].startswith(
        "resources/image.gif resolved against the redirecting URL"
    )


CHECKS = {
    "method": check_request,
    "method-cross-origin": check_request,
    "location": check_location,
    "scheme": check_location,
    "count": check_count,
    "loop": check_loop,
    "mode": check_mode,
    "make-redirect": check_made,
    "final-url": check_final_url,
}


@pytest.mark.parametrize("case", PUBLISHED.held, ids=lambda case: case["id"])
def test_a_fact_of_web_platform_tests_holds(case: Case) -> None:
    CHECKS[case["kind"]](case)


def test_every_fact_is_held_or_left_out_for_a_written_reason() -> None:
    assert PUBLISHED.counts == {
        "held": 144,
        "different": 0,
        "cors": 151,
        "redirect-mode": 77,
        "name": 4,
    }
    assert set(PUBLISHED.left_out) == set(REASONS)
