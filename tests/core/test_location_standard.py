"""Location on the cases of the URL standard (web-platform-tests), of RFC 3986 §5.4 and of RFC 9110.

The base is the URL that was asked for, the input is what Location says, as octets. A Location inherits the
fragment of what was asked for, a URL does not: where a base has one, the expected URL is written here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from detour.core.chain import Content, End, Fields, Outgoing
from detour.core.follower import Follower, Step
from detour.core.policy import FETCH, POLICIES, RFC9110, Policy
from detour.core.url import URL
from tests.core.published import DATA, Case, Published

FOLDER = DATA / "url-resolution"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no {FOLDER.name} in $DETOUR_DATA")


def read(name: str) -> Any:
    """What a file holds; nothing where it is absent."""
    return json.loads((FOLDER / name).read_text("utf-8")) if FOLDER.is_dir() else {}


def led(policy: Policy, base: str, location: str) -> str | None:
    """The URL that follows; None where nothing does."""
    follower = Follower(Outgoing("GET", URL.parse(base)), policy, stop_at_repeat=False)
    step = follower.receive(307, location.encode())
    return str(step.request.url) if isinstance(step, Step) else None


# --- WHATWG ------------------------------------------------------------------------------------------------

WHATWG = Published(list(read("location_subset_http_base.json")), lambda case: None, {}, str)


@pytest.mark.parametrize("case", WHATWG.held, ids=lambda case: f"{case['base']} {case['input']!r}"[:70])
def test_a_location_is_read_as_the_url_standard_reads_it(case: Case) -> None:
    href = None if case.get("failure") else case["href"]
    follows = href is not None and href.startswith(("http:", "https:"))
    assert led(FETCH, case["base"], case["input"]) == (href if follows else None)


def test_every_case_of_the_url_standard_was_read() -> None:
    assert WHATWG.counts == {"held": 135, "different": 0}


# --- RFC 3986 ----------------------------------------------------------------------------------------------

RFC3986_DIFFERENCES = {
    "g:h": "another scheme is not followed",
    "//g": "an empty path is written `/` (RFC 3986 §6.2.3)",
    "http:g": "the reading for backward compatibility, which §5.4.2 allows",
}
RFC3986 = Published(
    read("rfc3986_5.4.json").get("cases", []),
    lambda case: None,
    RFC3986_DIFFERENCES,
    lambda case: case["ref"],
)


def check_3986(case: Case) -> None:
    for policy in POLICIES.values():
        if case["ref"] or policy.empty_location == "followed":
            url = led(policy, read("rfc3986_5.4.json")["base"], case["ref"])
            assert url == case["rfc3986"], policy.name


@pytest.mark.parametrize("case", RFC3986.held, ids=lambda case: case["ref"])
def test_a_reference_is_resolved_as_rfc3986_resolves_it(case: Case) -> None:
    check_3986(case)


def test_each_difference_from_rfc3986_still_is_one() -> None:
    assert RFC3986.no_differences(check_3986) == set()
    assert {case["ref"]: led(RFC9110, "http://a/b/c/d;p?q", case["ref"]) for case in RFC3986.different} == {
        "g:h": None,
        "//g": "http://g/",
        "http:g": "http://a/b/c/g",
    }
    assert RFC3986.counts == {"held": 39, "different": 3}


# --- RFC 9110 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", read("rfc9110_redirects.json").get("location_examples", []), ids=lambda case: case["location"]
)
@pytest.mark.parametrize("policy", [FETCH, RFC9110], ids=lambda policy: policy.name)
def test_a_location_of_rfc9110_leads_where_rfc9110_says(policy: Policy, case: Case) -> None:
    assert led(policy, case["request"], case["location"]) == case["expect"]


HOME = "https://h.example/form"
AWAY = "https://other.example/"
OF_THE_CONTENT = (
    *("Content-Encoding", "Content-Language", "Content-Location", "Content-Type", "Content-Length"),
    *("Digest", "Last-Modified"),
)


def after(
    status: int,
    location: str = "/done",
    method: str = "GET",
    fields: Fields = (),
    content: Content = "none",
) -> Outgoing | str:
    """What follows under the row of RFC 9110; the name of the end where nothing does."""
    step = Follower(Outgoing(method, URL.parse(HOME), fields, content), RFC9110).receive(status, location)
    return step.name if isinstance(step, End) else step.request


def names(*fields: str, **how: Any) -> list[str]:
    """Which of these fields the next request has."""
    request = after(fields=tuple((name, "x") for name in fields), **how)
    assert isinstance(request, Outgoing)
    return [name for name, _ in request.fields]


def methods(status: int, *asked: str) -> list[str]:
    """What becomes of each method."""
    return [request.method for one in asked if isinstance(request := after(status, method=one), Outgoing)]


# The checklist's rules in their order: what holds of the row, or why the row says nothing.
CHECKLIST: tuple[Callable[[], bool] | str, ...] = (
    "a MAY, of statuses nobody knows",
    lambda: led(RFC9110, HOME, "../x?y") == "https://h.example/x?y",
    lambda: names("Authorization", "Cookie", "Proxy-Authorization", status=307, location=AWAY) == [],
    lambda: names("Authorization", "X-Api-Key", status=307, location=AWAY) == ["X-Api-Key"],
    lambda: methods(303, "POST") == ["GET"],
    lambda: names(*OF_THE_CONTENT, "Accept", status=303, method="POST", content="replayable") == ["Accept"],
    lambda: after(302, HOME) == "loop",
    "a MAY of the server's",
    lambda: methods(301, "POST") == ["POST"],  # none of the MAYs
    lambda: methods(302, "POST") == ["POST"],
    lambda: methods(303, "GET", "HEAD", "PUT", "X") == ["GET", "HEAD", "GET", "GET"],
    lambda: after(304) == "arrived",
    lambda: after(305) == "arrived",
    lambda: after(306) == "arrived",
    lambda: methods(307, "POST", "PUT", "X") == ["POST", "PUT", "X"],
    lambda: methods(308, "POST", "PUT", "X") == ["POST", "PUT", "X"],
    lambda: led(RFC9110, HOME, "/a, /b") == "https://h.example/a,%20/b",
    "of the server's content",
)


@pytest.mark.parametrize("number", range(len(CHECKLIST)))
def test_a_rule_of_rfc9110_holds_or_is_not_the_rows(number: int) -> None:
    holds = CHECKLIST[number]
    assert isinstance(holds, str) or holds(), read("rfc9110_redirects.json")["checklist"][number]


def test_every_rule_of_rfc9110_was_asked() -> None:
    assert len(read("rfc9110_redirects.json")["checklist"]) == len(CHECKLIST) == 18
    assert sum(isinstance(holds, str) for holds in CHECKLIST) == 3
