"""What the suites of HTTP clients assert of redirects, held against the rows of the clients that have one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detour.core.chain import Content, End, Fields, Outgoing
from detour.core.follower import Follower, Location
from detour.core.policy import POLICIES, Policy
from detour.core.url import URL
from tests.core.following import Answer, follow
from tests.core.published import Case, Published, lines

CASES = lines("http-clients/cases.jsonl")
pytestmark = pytest.mark.skipif(not CASES, reason="no http-clients in $DETOUR_DATA")

REASONS = {client: f"{client} has no row" for client in ("aiohttp", "urllib3", "follow-redirects")}
DIFFERENCES: dict[object, str] = {
    "httpx-location-127": "httpx fills an empty host from the request; the URL standard has no such URL",
    "httpx-location-128": "httpx refuses an emoji as a host; the URL standard encodes it",
}
PUBLISHED = Published(CASES, lambda case: case["client"] if case["client"] in REASONS else None, DIFFERENCES)
HERE = "http://example.org/dir/form"


def came(
    case: Case,
    status: int,
    location: Location,
    *,
    method: str = "GET",
    url: str = HERE,
    fields: Fields = (),
    content: Content = "none",
) -> Outgoing | str:
    """The request that follows under the client's row, or the name of the end."""
    follower = Follower(
        Outgoing(method, URL.parse(url), fields, content), _policy(case), stop_at_repeat=False
    )
    step = follower.receive(status, location)
    return step.name if isinstance(step, End) else step.request


def _policy(case: Case) -> Policy:
    return POLICIES[case["client"]]


def method(case: Case) -> None:
    """The method that follows."""
    after = came(case, case["status"], "/done", method=case["method"], content=_content(case["method"]))
    assert isinstance(after, Outgoing)
    assert after.method == case["expect"]


def _content(method: str) -> Content:
    return "none" if method in ("GET", "HEAD") else "replayable"


def credentials(case: Case) -> None:
    """Whether a field crosses from one URL to another."""
    field = ((case["header"], "secret"),)
    after = came(case, 307, case["to_url"], url=case["from_url"], fields=field)
    assert isinstance(after, Outgoing)
    assert after.fields == {"kept": field, "dropped": ()}[case["expect"]]


def content_fields(case: Case) -> None:
    """The fields of the content go with it."""
    fields: Fields = (("Content-Type", "t"), ("Content-Length", "3"), ("Transfer-Encoding", "chunked"))
    after = came(case, case["status"], "/done", method=case["method"], fields=fields, content="replayable")
    assert isinstance(after, Outgoing)
    assert after.content == "none"
    expect = case["expect"].removesuffix(", body None").removesuffix(" removed")
    gone = set(dict(fields)) - set(dict(after.fields))
    assert gone >= set(expect.removesuffix(" removed").split(", "))


def content(case: Case) -> None:
    """Whether the content goes along, or cannot."""
    kind: Content = "once" if case.get("body") == "generator" else "replayable"
    fields = (("Content-Length", "3"),)
    after = came(case, case["status"], "/done", method=case["method"], fields=fields, content=kind)
    if case["expect"] == "StreamConsumed error":
        assert after == "not-replayable"
        return
    assert isinstance(after, Outgoing)
    wanted = {
        "body + Content-Length kept": ("replayable", fields),
        "body and Content-Length dropped": ("none", ()),
    }
    assert (after.content, after.fields) == wanted[case["expect"]]


def count(case: Case) -> None:
    """So many redirects and no more."""
    limit = case["limit"]
    assert str(limit) in case["expect"]
    for redirects, end in ((limit, "arrived"), (limit + 1, "too-many-hops")):
        answers: list[Answer] = [(302, f"/{number}") for number in range(redirects)]
        first = Outgoing("GET", URL.parse(HERE))
        assert follow(first, _policy(case), [*answers, (200, ())])[1] == End(end, _detail(case, end))


def _detail(case: Case, end: str) -> str:
    return f"{case['client']} follows {case['limit']} redirects" if end == "too-many-hops" else ""


def location(case: Case) -> None:
    """Where a Location leads; an error is that nothing follows."""
    written = case["location"].removesuffix(" (raw UTF-8)")
    after = came(case, 302, written, url=case.get("base", HERE))
    expect = case["expect"].partition(" ")[0]
    errors = {
        "InvalidURL": "bad-location",
        "RemoteProtocolError": "bad-location",
        "UnsupportedProtocol": "refused-scheme",
    }
    assert (after if isinstance(after, str) else str(after.url)) == errors.get(expect, expect)


def location_octets(case: Case) -> None:
    """Octets that are UTF-8 are read so."""
    written = case["location"].removesuffix(" (UTF-8)").replace("{host}:{port}", "example.org")
    after = came(case, 302, written.encode())
    assert isinstance(after, Outgoing)
    assert f"GET {after.url.path}" == case["expect"]


def fragment(case: Case) -> None:
    """What is left of the fragments at the end."""
    first, *others = (f"http://example.org{one.removeprefix('X')}" for one in case["chain"])
    answers: list[Answer] = [(302, one) for one in others]
    sent, end = follow(Outgoing("GET", URL.parse(first)), _policy(case), answers)
    assert end is None
    assert str(sent[-1].url) == f"http://example.org{case['expect']}"


CHECKS: dict[str, Callable[[Case], None]] = {
    "method": method,
    "header": lambda case: credentials(case) if "from_url" in case else content_fields(case),
    "body": content,
    "count": count,
    "location": location,
    "location-bytes": location_octets,
    "fragment": fragment,
}


def check(case: Case) -> None:
    CHECKS[case["kind"]](case)


@pytest.mark.parametrize("case", PUBLISHED.held, ids=lambda case: case["id"])
def test_what_a_clients_suite_asserts_is_what_its_row_does(case: Case) -> None:
    check(case)


def test_each_difference_still_is_one() -> None:
    assert PUBLISHED.no_differences(check) == set()


def test_every_case_is_held_or_left_out_for_a_written_reason() -> None:
    assert PUBLISHED.counts == {
        "held": 42,
        "different": 2,
        "aiohttp": 35,
        "urllib3": 4,
        "follow-redirects": 44,
    }
    assert set(PUBLISHED.left_out) == set(REASONS)
