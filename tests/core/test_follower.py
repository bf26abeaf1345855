"""What follows a redirect, by the letter of RFC 9110 and Fetch; expected values are written by hand.

Method and content of every policy stand in `test_policy`; here is what the standards say about the rest.
"""

from __future__ import annotations

import re

import msgspec
import pytest

import detour
from detour.core.chain import Content, End, Fields, Outgoing
from detour.core.follower import Follower, Location, Step
from detour.core.policy import CURL, FETCH, GO, HTTPX, POLICIES, REQUESTS, RFC9110, Policy
from detour.core.url import URL
from tests.core.following import follow

HERE = "https://h.example/form"
STANDARDS = pytest.mark.parametrize("policy", [FETCH, RFC9110], ids=lambda policy: policy.name)
EVERY = pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)


def asks(method: str, url: str = HERE, fields: Fields = (), content: Content = "none") -> Outgoing:
    return Outgoing(method, URL.parse(url), fields, content)


def came(
    request: Outgoing, policy: Policy, status: int, locations: Location | tuple[Location, ...]
) -> Outgoing:
    """The request that follows; fails where none does."""
    step = Follower(request, policy).receive(status, locations)
    assert isinstance(step, Step), step
    return step.request


def ended(request: Outgoing, policy: Policy, status: int, locations: Location | tuple[Location, ...]) -> str:
    """The name of the end; fails where something follows."""
    end = Follower(request, policy).receive(status, locations)
    assert isinstance(end, End), end
    return end.name


def names(request: Outgoing) -> list[str]:
    return [name for name, _ in request.fields]


# --- method and content: RFC 9110 §15.4.2 to §15.4.9, Fetch §4.4 steps 11 and 12 ---------------------------


@STANDARDS
def test_303_makes_a_form_a_get(policy: Policy) -> None:
    after = came(asks("POST", content="replayable"), policy, 303, "/done")
    assert (after.method, str(after.url), after.content) == ("GET", "https://h.example/done", "none")


@STANDARDS
def test_303_leaves_head_alone(policy: Policy) -> None:
    assert came(asks("HEAD"), policy, 303, "/done").method == "HEAD"


@STANDARDS
def test_302_leaves_put_alone(policy: Policy) -> None:
    after = came(asks("PUT", content="replayable"), policy, 302, "/done")
    assert (after.method, after.content) == ("PUT", "replayable")


@pytest.mark.parametrize("status", [301, 302])
def test_a_posted_form_becomes_get_by_fetch_and_stays_without_its_may(status: int) -> None:
    form = asks("POST", content="replayable")
    assert came(form, FETCH, status, "/done").method == "GET"
    assert came(form, FETCH, status, "/done").content == "none"
    assert came(form, RFC9110, status, "/done") == msgspec.structs.replace(
        form, url=URL.parse("https://h.example/done")
    )


@EVERY
@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "X"])
def test_307_and_308_change_nothing_but_the_url(policy: Policy, status: int, method: str) -> None:
    fields = (("Authorization", "a"), ("Content-Type", "text/x"), ("X-Api-Key", "k"))
    request = asks(method, fields=fields, content="replayable")
    after = came(request, policy, status, "/done")
    referer = (("Referer", HERE),) if policy is GO else ()
    assert after == Outgoing(method, URL.parse("https://h.example/done"), fields + referer, "replayable")


@pytest.mark.parametrize("method", ["post", "Post"])
def test_a_method_is_case_sensitive(method: str) -> None:
    assert came(asks(method), FETCH, 302, "/done").method == method


@STANDARDS
def test_a_get_with_content_keeps_it(policy: Policy) -> None:
    assert all(
        came(asks("GET", content="replayable"), policy, status, "/done").content == "replayable"
        for status in (301, 302, 303, 307, 308)
    )


# --- fields of the content: Fetch §2.2.2, RFC 9110 §15.4 step 5 --------------------------------------------

CONTENT_FIELDS: Fields = (
    ("Content-Encoding", "gzip"),
    ("content-language", "en"),
    ("CONTENT-LOCATION", "/x"),
    ("Content-Type", "text/x"),
    ("Content-Length", "3"),
    ("Transfer-Encoding", "chunked"),
    ("X-Api-Key", "k"),
    ("Accept", "*/*"),
)


@STANDARDS
def test_what_describes_the_content_goes_with_it(policy: Policy) -> None:
    after = came(asks("POST", fields=CONTENT_FIELDS, content="replayable"), policy, 303, "/done")
    assert names(after) == ["X-Api-Key", "Accept"]


@STANDARDS
def test_what_describes_the_content_goes_with_the_method_even_where_there_was_none(policy: Policy) -> None:
    assert names(came(asks("DELETE", fields=CONTENT_FIELDS), policy, 303, "/done")) == ["X-Api-Key", "Accept"]


@STANDARDS
def test_what_describes_the_content_stays_where_the_method_stays(policy: Policy) -> None:
    for method, status in (("GET", 303), ("HEAD", 303), ("PUT", 302), ("POST", 307)):
        request = asks(method, fields=CONTENT_FIELDS, content="replayable")
        assert came(request, policy, status, "/done").fields == CONTENT_FIELDS


def test_digest_and_last_modified_go_by_rfc9110_alone() -> None:
    request = asks("POST", fields=(("Digest", "d"), ("Last-Modified", "l")), content="replayable")
    assert names(came(request, RFC9110, 303, "/done")) == []
    assert names(came(request, FETCH, 303, "/done")) == ["Digest", "Last-Modified"]


# --- credentials: Fetch §4.4 step 13, RFC 9110 §15.4 steps 2 and 3 -----------------------------------------

SECRETS: Fields = (
    ("Authorization", "Bearer a"),
    ("cookie", "c=1"),
    ("PROXY-AUTHORIZATION", "Basic p"),
    ("X-Api-Key", "k"),
)


@STANDARDS
@pytest.mark.parametrize(
    ("before", "location"),
    [
        ("https://h.example/a", "http://h.example/a"),
        ("http://h.example/a", "https://h.example/a"),
        ("https://h.example/a", "https://h.example:8443/a"),
        ("https://h.example:8443/a", "//h.example/a"),
        ("https://h.example/a", "https://www.h.example/a"),
        ("https://www.h.example/a", "//h.example/a"),
        ("https://h.example/a", "//h.example.:443/a"),
        ("https://h.example/a", "https://127.0.0.1/a"),
    ],
)
def test_credentials_do_not_leave_their_origin(policy: Policy, before: str, location: str) -> None:
    assert names(came(asks("GET", before, SECRETS), policy, 307, location)) == ["X-Api-Key"]


@STANDARDS
@pytest.mark.parametrize(
    "location",
    ["/b", "", "?q", "https://h.example:443/", "HTTPS://H.EXAMPLE/", "//u:p@h.example/", "https:/b"],
)
def test_credentials_stay_within_their_origin(policy: Policy, location: str) -> None:
    follower = Follower(asks("GET", "https://h.example/a", SECRETS), policy, stop_at_repeat=False)
    step = follower.receive(307, location)
    assert isinstance(step, Step)
    assert step.request.fields == SECRETS


@STANDARDS
def test_credentials_that_were_dropped_do_not_come_back(policy: Policy) -> None:
    sent, end = follow(
        asks("GET", "https://a.example/", SECRETS),
        policy,
        [(307, "https://b.example/"), (307, "https://a.example/back"), (307, "/again")],
    )
    assert end is None
    assert [names(one) for one in sent[1:]] == [["X-Api-Key"]] * 3


def test_curl_sends_credentials_again_on_the_way_back() -> None:
    sent, _ = follow(
        asks("GET", "https://a.example/", SECRETS),
        CURL,
        [(307, "https://b.example/"), (307, "https://a.example/back")],
    )
    kept = ["PROXY-AUTHORIZATION", "X-Api-Key"]
    assert [names(one) for one in sent[1:]] == [kept, ["Authorization", "cookie", *kept]]


@pytest.mark.parametrize("policy", [REQUESTS, HTTPX], ids=lambda policy: policy.name)
def test_requests_and_httpx_take_credentials_along_to_https(policy: Policy) -> None:
    secret = (("Authorization", "Bearer a"),)
    up = came(asks("GET", "http://h.example/a", secret), policy, 308, "https://h.example/a")
    assert up.fields == secret
    for before, location in [
        ("https://h.example/a", "http://h.example/a"),
        ("http://h.example:8080/a", "https://h.example/a"),
        ("http://h.example/a", "https://h.example:8443/a"),
        ("http://h.example/a", "https://other.example/a"),
    ]:
        assert came(asks("GET", before, secret), policy, 308, location).fields == ()


@pytest.mark.parametrize("policy", [REQUESTS, HTTPX], ids=lambda policy: policy.name)
def test_requests_and_httpx_look_at_the_url_before_and_not_at_the_first(policy: Policy) -> None:
    first = asks("GET", "http://h.example/a", (("Authorization", "Bearer a"),))
    sent, _ = follow(first, policy, [(308, "https://h.example/b"), (308, "http://h.example/c")])
    assert [names(one) for one in sent] == [["Authorization"], ["Authorization"], []]


def test_what_went_with_the_content_does_not_come_back_to_curl() -> None:
    first = asks("POST", "https://a.example/", CONTENT_FIELDS, "replayable")
    sent, _ = follow(first, CURL, [(303, "/b"), (307, "https://c.example/"), (307, "https://a.example/d")])
    kept = [name for name in names(first) if name not in ("Content-Length", "Transfer-Encoding")]
    assert [names(one) for one in sent[1:]] == [kept] * 3


def test_go_takes_credentials_along_to_a_subdomain_but_not_to_what_ends_like_one() -> None:
    secret = (("Cookie", "c=1"),)
    start = asks("GET", "https://h.example/", secret)
    assert names(came(start, GO, 307, "http://a.h.example:8080/")) == ["Cookie"]
    assert names(came(start, GO, 307, "https://ah.example/")) == ["Referer"]
    assert names(came(asks("GET", "https://[::1]/", secret), GO, 307, "https://[2001::1]/")) == ["Referer"]


# --- Location: RFC 9110 §10.2.2, Fetch §2.2.6 --------------------------------------------------------------


def test_the_examples_of_rfc9110_section_10_2_2() -> None:
    tim = came(asks("GET", "http://www.example.org/~tim"), RFC9110, 303, "/People.html#tim")
    assert str(tim.url) == "http://www.example.org/People.html#tim"
    larry = asks("GET", "http://www.example.org/index.html#larry")
    moved = came(larry, RFC9110, 301, "http://www.example.net/index.html")
    assert str(moved.url) == "http://www.example.net/index.html#larry"


# first URL, Locations, and the last fragment: FETCH and RFC9110; httpx and requests; curl and Go
FRAGMENTS = [
    ("https://h/a#f", ["/b"], "f", "f", None),
    ("https://h/a#f", ["/b#g"], "g", "g", "g"),
    ("https://h/a#f", ["/b#"], "", "f", None),
    ("https://h/a", ["/b"], None, None, None),
    ("https://h/a#f", ["/b", "/c", "https://i/d"], "f", "f", None),
    ("https://h/a#f", ["/b#g", "/c"], "g", "g", None),
    ("https://h/a#f", ["/b#", "/c"], "", "f", None),
]


@pytest.mark.parametrize(("start", "locations", "standard", "python", "never"), FRAGMENTS)
@EVERY
def test_a_fragment_is_inherited_as_the_policy_says(
    policy: Policy,
    start: str,
    locations: list[str],
    standard: str | None,
    python: str | None,
    never: str | None,
) -> None:
    sent, _ = follow(asks("GET", start), policy, [(302, one) for one in locations])
    expected = dict.fromkeys(("fetch", "rfc9110"), standard) | dict.fromkeys(("requests", "httpx"), python)
    assert sent[-1].url.fragment == expected.get(policy.name, never)


@pytest.mark.parametrize(
    ("location", "policy", "url"),
    [
        ("/a\\b", FETCH, "https://h.example/a/b"),
        ("/a\\b", RFC9110, "https://h.example/a%5Cb"),
        ("\\\\evil.example\\", FETCH, "https://evil.example/"),
        ("\\\\evil.example\\", RFC9110, "https://h.example/%5C%5Cevil.example%5C"),
        (" \t/a\r\n", FETCH, "https://h.example/a"),
        ("/a b?c d", FETCH, "https://h.example/a%20b?c%20d"),
        ("https:b", FETCH, "https://h.example/b"),
        ("../../x", RFC9110, "https://h.example/x"),
        ("?q", RFC9110, "https://h.example/form?q"),
        (b"/\xc3\xa9", FETCH, "https://h.example/%C3%A9"),
        (b"/\xe9", FETCH, "https://h.example/%C3%A9"),
        ("/\u00c3\u00a9", FETCH, "https://h.example/%C3%A9"),  # octets decoded one by one
        ("/\u20ac", FETCH, "https://h.example/%E2%82%AC"),
    ],
)
def test_a_location_is_resolved(location: Location, policy: Policy, url: str) -> None:
    assert str(came(asks("GET"), policy, 302, location).url) == url


@EVERY
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_without_a_location_there_is_nowhere_to_go(policy: Policy, status: int) -> None:
    assert ended(asks("POST"), policy, status, ()) == "no-location"


@EVERY
@pytest.mark.parametrize("status", [100, 200, 201, 204, 304, 400, 404, 500, 999])
def test_what_is_no_redirect_has_arrived(policy: Policy, status: int) -> None:
    assert ended(asks("POST"), policy, status, ()) == "arrived"


@EVERY
def test_the_location_of_a_201_is_not_followed(policy: Policy) -> None:
    assert ended(asks("POST"), policy, 201, "/made") == "arrived"


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        ("fetch", "loop"),  # the same URL, which fails when 20 of them were followed
        ("rfc9110", "loop"),
        ("curl", "not-followed"),
        ("curl-follow", "not-followed"),
        ("requests", "not-followed"),
        ("httpx", "loop"),
        ("go", "not-followed"),
    ],
)
def test_an_empty_location_is_the_same_url_or_none(policy: str, end: str) -> None:
    assert ended(asks("GET"), POLICIES[policy], 302, "") == end


def test_an_empty_location_sends_a_form_where_it_came_from() -> None:
    assert came(asks("POST", f"{HERE}?a#f"), FETCH, 303, "") == asks("GET", f"{HERE}?a#f")


@pytest.mark.parametrize(
    ("policy", "differing", "same", "empty_first"),
    [
        ("fetch", "many-locations", "many-locations", "many-locations"),
        ("rfc9110", "many-locations", "/a", "many-locations"),
        ("curl", "/a", "/a", "/b"),
        ("curl-follow", "many-locations", "/a", "/b"),
        ("requests", "/a,%20/b", "/a,%20/a", "/,%20/b"),
        ("httpx", "/a,%20/b", "/a,%20/a", "/,%20/b"),
        ("go", "/a", "/a", "not-followed"),
    ],
)
def test_several_locations(policy: str, differing: str, same: str, empty_first: str) -> None:
    follower = Follower(asks("GET"), POLICIES[policy])
    found = []
    for locations in (["/a", "/b"], ["/a", "/a"], ["", "/b"]):
        step = follower.receive(302, locations)
        found.append(step.name if isinstance(step, End) else step.request.url.path)
    assert found == [differing, same, empty_first]


def test_a_lone_text_is_one_location() -> None:
    follower = Follower(asks("GET"), FETCH)
    assert follower.receive(302, "/done") == follower.receive(302, ["/done"])
    assert follower.receive(302, b"/done") == follower.receive(302, [b"/done"])
    assert follower.location_url("/done") == URL.parse("https://h.example/done")


@EVERY
@pytest.mark.parametrize(
    "location",
    [
        "ftp://h.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,x",
        "mailto:a@h.example",
        "ws://h.example/",
        "wss://h.example/",
        "blob:https://h.example/x",
        "about:blank",
        "about:",
        "foo:",
        "gopher://h.example/",
        " \tFTP://h.example/",
        "f\ttp://h.example/",
        "foo://[",
    ],
)
def test_only_http_and_https_are_followed(policy: Policy, location: str) -> None:
    assert ended(asks("GET"), policy, 302, location) == "refused-scheme"


@EVERY
@pytest.mark.parametrize(
    "location",
    [
        "http://",
        "HTTPS://",
        "https:///",
        "https://h:port/",
        "https://h:65536/",
        "https://[::1/",
        "https://[::1%25eth0]/",
        "https://a b/",
        "https://a<b/",
        "https://%00/",
        "https://1.2.3.256/",
        "//",
        "https://:443/",
    ],
)
def test_what_is_no_url_is_not_followed(policy: Policy, location: str) -> None:
    assert ended(asks("GET"), policy, 302, location) == "bad-location"


@pytest.mark.parametrize("location", ["http://[" + "x" * 10**6, "x" * 10**6 + ":", HERE + "x" * 10**6])
def test_what_is_said_of_a_long_location_is_short(location: str) -> None:
    follower = Follower(asks("GET", HERE + "x" * 10**6), FETCH)
    end = follower.receive(302, location)
    assert isinstance(end, End)
    assert len(end.detail) < 300


# --- Referer: Referrer Policy §8.3, RFC 9110 §10.1.3 -------------------------------------------------------

PAGE = "https://page.example/a?b"
REFERERS = [  # written, next URL, under FETCH, under RFC9110
    (PAGE, "https://page.example/c", PAGE, PAGE),
    (PAGE, "https://other.example/", "https://page.example/", None),
    (PAGE, "https://page.example:8443/", "https://page.example/", None),
    (PAGE, "http://page.example/", None, None),
    (PAGE, "http://other.example/", None, None),
    ("http://page.example/a?b", "https://page.example/", "http://page.example/", "http://page.example/a?b"),
    ("http://page.example/a?b", "http://other.example/", "http://page.example/", "http://page.example/a?b"),
    ("http://page.example/a?b", "http://page.example/", "http://page.example/a?b", "http://page.example/a?b"),
]


@pytest.mark.parametrize(("written", "location", "fetch", "rfc9110"), REFERERS)
def test_a_referer_shows_no_more_than_it_may(
    written: str, location: str, fetch: str | None, rfc9110: str | None
) -> None:
    request = asks("GET", "https://h.example/", (("referer", written),))
    assert came(request, FETCH, 302, location).values("referer") == ((fetch,) if fetch else ())
    assert came(request, RFC9110, 302, location).values("referer") == ((rfc9110,) if rfc9110 else ())


def test_a_referer_is_that_of_the_first_request_at_every_hop() -> None:
    sent, _ = follow(
        asks("GET", "https://page.example/form", (("Referer", PAGE),)),
        FETCH,
        [(302, "http://other.example/"), (302, "https://other.example/"), (302, "https://page.example/")],
    )
    assert [one.values("referer") for one in sent] == [(PAGE,), (), ("https://page.example/",), (PAGE,)]


@EVERY
def test_a_redirect_is_no_referer_but_to_go(policy: Policy) -> None:
    referer = came(asks("GET", f"{HERE}?a"), policy, 302, "/done").values("referer")
    assert referer == ((f"{HERE}?a",) if policy is GO else ())


# --- content that can be sent once: Fetch §4.4 step 11 -----------------------------------------------------


def test_a_stream_stops_fetch_at_all_but_303() -> None:
    stream = asks("POST", content="once")
    assert [ended(stream, FETCH, status, "/done") for status in (301, 302, 307, 308)] == [
        "not-replayable"
    ] * 4
    assert came(stream, FETCH, 303, "/done") == asks("GET", "https://h.example/done")


def test_a_stream_that_went_stops_nothing_any_more() -> None:
    sent, end = follow(asks("POST", content="once"), FETCH, [(303, "/a"), (307, "/b")])
    assert end is None
    assert [(one.method, one.content) for one in sent] == [("POST", "once"), ("GET", "none"), ("GET", "none")]


def test_what_is_wrong_with_the_location_comes_before_what_is_wrong_with_the_content() -> None:
    stream = asks("POST", content="once")
    assert ended(stream, FETCH, 307, "ftp://h/") == "refused-scheme"
    assert ended(stream, FETCH, 307, ("/a", "/b")) == "many-locations"
    assert ended(stream, FETCH, 307, ()) == "no-location"
    assert ended(stream, FETCH, 200, "/a") == "arrived"


# --- how long: Fetch §4.4 step 7, RFC 9110 §15.4 -----------------------------------------------------------


@STANDARDS
def test_twenty_redirects_are_followed_and_not_twenty_one(policy: Policy) -> None:
    sent, end = follow(asks("GET"), policy, [(302, f"/{number}") for number in range(25)])
    assert len(sent) == 21
    assert end is not None
    assert end.name == "too-many-hops"


@STANDARDS
def test_a_twenty_first_redirect_to_nowhere_is_no_hop_too_many(policy: Policy) -> None:
    follower = Follower(asks("GET"), policy)
    for number in range(20):
        step = follower.receive(302, f"/{number}")
        assert isinstance(step, Step)
        follower = step.follower
    ends = [follower.receive(*answer) for answer in ((200, ()), (302, ()), (302, "ftp://h/"), (302, "/x"))]
    assert [getattr(end, "name", "") for end in ends] == [
        "arrived",
        "no-location",
        "refused-scheme",
        "too-many-hops",
    ]


# --- repeats: RFC 9110 §15.4, "SHOULD detect and intervene in cyclical redirections" -----------------------


@EVERY
def test_the_same_request_again_is_a_loop(policy: Policy) -> None:
    sent, end = follow(asks("GET", "https://h.example/a"), policy, [(302, "/b"), (302, "/a"), (302, "/b")])
    assert [one.url.path for one in sent] == ["/a", "/b"]
    assert end is not None
    assert end.name == "loop"


def test_a_loop_need_not_go_back_to_the_start() -> None:
    answers = [(302, "/b"), (302, "/c"), (302, "/b")]
    assert getattr(follow(asks("GET", "https://h.example/a"), FETCH, answers)[1], "name", "") == "loop"


@pytest.mark.parametrize(
    ("first", "status", "location"),
    [
        (asks("POST", content="replayable"), 303, HERE),  # another method
        (asks("GET", "http://h.example/form"), 302, HERE),  # another scheme
        (asks("GET"), 302, f"{HERE}?"),  # another request target
        (asks("GET", HERE, (("Cookie", "c=1"),)), 302, "https://h.example:8443/form"),
    ],
)
def test_what_differs_is_no_repeat(first: Outgoing, status: int, location: str) -> None:
    assert came(first, FETCH, status, location)


def test_a_put_without_its_content_is_another_request() -> None:
    put = asks("PUT", content="replayable")
    assert came(put, REQUESTS, 301, HERE) == asks("PUT")
    assert ended(put, HTTPX, 301, HERE) == "loop"


@pytest.mark.parametrize("name", ["Authorization", "cookie", "PROXY-AUTHORIZATION"])
def test_the_same_url_without_its_credentials_is_another_request(name: str) -> None:
    answers = [(302, "https://b.example/"), (302, "https://a.example/"), (302, "https://b.example/")]
    sent, end = follow(asks("GET", "https://a.example/", ((name, "x"),)), FETCH, answers)
    assert [one.url.hostname for one in sent] == ["a.example", "b.example", "a.example"]
    assert end is not None
    assert end.name == "loop"


def test_a_fragment_and_userinfo_make_no_other_request() -> None:
    assert ended(asks("GET"), FETCH, 302, "#f") == "loop"
    assert ended(asks("GET"), FETCH, 302, "//u:p@h.example/form") == "loop"


def test_a_cookie_set_in_between_allows_a_repeat_and_then_no_other() -> None:
    first = Follower(asks("GET", "https://h.example/page"), FETCH)
    login = first.receive(302, "/login", cookies=True)
    assert isinstance(login, Step)
    page = login.follower.receive(302, "/page", cookies=False)
    assert isinstance(page, Step), "what came before the cookie is not held against it"
    assert getattr(page.follower.receive(302, "/login"), "name", "") == "loop"
    assert isinstance(page.follower.receive(302, "/login", cookies=True), Step)


def test_a_cookie_allows_the_very_same_request() -> None:
    step = Follower(asks("GET"), FETCH).receive(302, HERE, cookies=True)
    assert isinstance(step, Step)
    assert getattr(step.follower.receive(302, HERE), "name", "") == "loop"


def test_cookies_at_every_hop_end_at_the_limit() -> None:
    follower, hops = Follower(asks("GET"), FETCH), 0
    while isinstance(step := follower.receive(302, HERE, cookies=True), Step):
        follower, hops = step.follower, hops + 1
    assert (hops, step.name) == (20, "too-many-hops")


def test_repeats_go_on_to_the_limit_where_nobody_stops_them() -> None:
    sent, end = follow(asks("GET"), FETCH, [(302, HERE)] * 30, stop_at_repeat=False)
    assert len(sent) == 21
    assert end is not None
    assert end.name == "too-many-hops"


# --- a value -----------------------------------------------------------------------------------------------


def test_a_follower_is_frozen_and_says_the_same_thing_twice() -> None:
    follower = Follower(asks("POST", fields=SECRETS, content="replayable"), FETCH)
    before = msgspec.structs.astuple(follower)
    assert follower.receive(303, "/done") == follower.receive(303, "/done")
    assert msgspec.structs.astuple(follower) == before
    with pytest.raises(AttributeError, match="immutable"):
        follower.since_cookie = 1  # type: ignore[misc]
    step = follower.receive(303, "/done")
    assert isinstance(step, Step)
    assert step.follower.request is step.request
    assert step.follower.first is follower.request
    assert step.follower.earlier == (follower.request,)


def test_every_end_says_why_in_one_line() -> None:
    for answer in ((302, ("/a", "/b")), (302, "http://["), (302, "foo:\n"), (302, HERE)):
        end = Follower(asks("GET"), FETCH).receive(*answer)
        assert isinstance(end, End)
        assert re.fullmatch(r"[^\n]+", end.detail), end


def test_the_public_names_are_enough_to_follow_a_form() -> None:
    form = detour.Outgoing("POST", detour.URL.parse(HERE), content="replayable")
    step = detour.Follower(form, detour.POLICIES["fetch"]).receive(303, "/done")
    assert isinstance(step, detour.Step)
    assert (step.request.method, str(step.request.url)) == ("GET", "https://h.example/done")
    assert isinstance(step.follower.receive(200, ()), detour.End)
