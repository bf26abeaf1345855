"""What holds of every chain, whatever an origin answers; and Fetch's own steps beside `Follower`."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detour.core.chain import CREDENTIAL_FIELDS, ENDS, Content, End, Fields, Outgoing
from detour.core.follower import Follower, Location, Step
from detour.core.policy import FETCH, POLICIES, RFC9110, Policy
from detour.core.url import URL
from tests.core import fetch_oracle as oracle

EVERY = st.sampled_from(list(POLICIES.values()))
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "post", ""])
CONTENTS = st.sampled_from(["none", "replayable", "once"])
STATUSES = st.sampled_from([301, 302, 303, 307, 308])
ANY_STATUS = STATUSES | st.integers(-1, 1000)
HOSTS = ["a.example", "b.a.example", "a.example:8080", "b.example", "[::1]"]
PLACES = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["http://", "https://", "//", "HTTPS://u:p@"]),
    st.sampled_from(HOSTS),
    st.sampled_from(["", "/", "/x", "/y?q", "/x#f", "/x#"]),
)
REFERENCES = st.sampled_from(
    ["", "/", "/x", "y", "?q", "#f", "#", "..", "/\\b.example", "\\x", "/a b", "\t/x "]
)
ODD = st.sampled_from(
    ["ftp://a.example/", "foo:x", "http://", "http://[", "//", "data:,x", "http:a", "foo://["]
)
TEXTS = PLACES | REFERENCES | ODD
OCTETS = st.binary(max_size=40) | TEXTS.map(str.encode)
URLS = st.builds(
    lambda *parts: URL.parse("".join(parts)),
    st.sampled_from(["http://", "https://", "https://u:p@"]),
    st.sampled_from(HOSTS),
    st.sampled_from(["/", "/x", "/y?q", "/x#f", "/x#"]),
)
NAMES = st.sampled_from(
    [
        *("Authorization", "cookie", "PROXY-Authorization", "Cookie2", "Referer", "X-Api-Key"),
        *("Content-Type", "content-length", "Content-Encoding", "Digest", "Transfer-Encoding"),
    ]
)
REFERRERS = ["http://a.example/p?q", "https://a.example/p", "https://c.example/", "/relative", "about:blank"]
FIELDS = st.lists(st.tuples(NAMES, st.sampled_from(["v", "w", *REFERRERS])), max_size=6).map(tuple)
REQUESTS = st.builds(Outgoing, METHODS, URLS, FIELDS, CONTENTS)
ANSWERS = st.tuples(ANY_STATUS, st.lists(OCTETS, max_size=3), st.booleans())
REDIRECTS = st.tuples(STATUSES, st.tuples(TEXTS), st.booleans())


def walk(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]], **how: bool
) -> tuple[list[Outgoing], End | None]:
    """Every request, the first included, and the end; None where the answers ran out first."""
    follower, sent = Follower(request, policy, **how), [request]
    for status, locations, cookies in answers:
        came = follower.receive(status, locations, cookies)
        if isinstance(came, End):
            return sent, came
        follower = came.follower
        sent.append(came.request)
    return sent, None


# --- nothing an origin says can break it -------------------------------------------------------------------

WILD_URLS = st.builds(
    URL,
    st.sampled_from(["http", "https"]),
    st.text(max_size=8),
    st.text(max_size=5),
    st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.text(max_size=4),
    st.text(max_size=4),
)
WILD_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates, too
WILD_FIELDS = st.lists(st.tuples(NAMES | WILD_TEXT, WILD_TEXT), max_size=4).map(tuple)
WILD = st.builds(Outgoing, WILD_TEXT, URLS | WILD_URLS, WILD_FIELDS, CONTENTS)


@given(
    WILD,
    EVERY,
    st.lists(
        st.tuples(
            ANY_STATUS | st.integers(), st.lists(OCTETS | TEXTS | WILD_TEXT, max_size=3), st.booleans()
        ),
        max_size=4,
    ),
)
@example(Outgoing("GET", URL.parse("http://h/")), POLICIES["go"], [(302, ["\udc80"], False)])
@example(Outgoing("GET", URL.parse("http://h/"), (("Referer", "\ud800"),)), FETCH, [(302, ["//i"], False)])
@example(Outgoing("GET", URL("http", "\ud800", "", "/", None, None)), FETCH, [(302, ["/a"], False)])
def test_receive_never_raises(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    sent, end = walk(request, policy, answers)
    assert all(isinstance(one, Outgoing) for one in sent)
    assert end is None or end.name in ENDS


@given(URLS, EVERY, OCTETS | TEXTS)
def test_a_location_leads_where_location_url_says(url: URL, policy: Policy, location: Location) -> None:
    follower = Follower(Outgoing("GET", url), policy, stop_at_repeat=False)
    came, said = follower.receive(307, location), follower.location_url(location)
    if isinstance(came, Step):
        assert came.request.url == said
    else:
        assert (said is None) == (came.name in ("bad-location", "refused-scheme", "not-followed"))


@given(REQUESTS, EVERY, OCTETS | TEXTS)
def test_where_it_leads_is_a_url_that_is_itself(
    request: Outgoing, policy: Policy, location: Location
) -> None:
    url = Follower(request, policy).location_url(location)
    if url is not None:
        assert url.scheme in ("http", "https")
        assert URL.parse(str(url)) == url


# --- it ends -----------------------------------------------------------------------------------------------


@given(REQUESTS, EVERY, st.lists(REDIRECTS, min_size=1, max_size=5), st.booleans())
def test_a_chain_ends_within_the_limit_and_one_step(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]], stop: bool
) -> None:
    for_ever = [answers[number % len(answers)] for number in range(policy.limit + 2)]
    sent, end = walk(request, policy, for_ever, stop_at_repeat=stop)
    assert end is not None
    assert len(sent) <= policy.limit + 1
    assert end.name != "loop" or stop


@given(REQUESTS, EVERY, st.lists(REDIRECTS, max_size=30))
def test_without_cookies_no_request_is_sent_twice(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    sent, _ = walk(request, policy, [(status, locations, False) for status, locations, _ in answers])
    told_apart = {
        (one.method, one.url.origin, one.url.request_target, one.content, _secrets(one)) for one in sent
    }
    assert len(told_apart) == len(sent)


def _secrets(request: Outgoing) -> frozenset[tuple[str, str]]:
    return frozenset(field for field in request.fields if field[0].lower() in CREDENTIAL_FIELDS)


# --- what may become of a request --------------------------------------------------------------------------


@given(REQUESTS, EVERY, st.lists(REDIRECTS, max_size=6))
def test_a_safe_request_leads_to_safe_requests_only(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    sent, _ = walk(request, policy, answers)
    safe = [one.safe for one in sent]
    assert safe == sorted(safe), "once safe, safe for good"


@given(REQUESTS, EVERY, st.lists(REDIRECTS, max_size=6))
def test_a_method_stays_or_becomes_get(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    sent, _ = walk(request, policy, answers)
    assert {one.method for one in sent} <= {request.method, "GET"}
    if request.method == "HEAD" and request.content == "none":
        assert all(one.method == "HEAD" for one in sent)


@given(REQUESTS, EVERY, st.lists(REDIRECTS, max_size=6))
def test_content_never_comes_back(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    contents = [one.content for one in walk(request, policy, answers)[0]]
    kept = contents.count(request.content) if request.content != "none" else 0
    assert contents == [request.content] * kept + ["none"] * (len(contents) - kept)
    assert request.content != "once" or kept == 1


@given(REQUESTS, EVERY, st.sampled_from([307, 308]), TEXTS)
def test_307_and_308_keep_method_and_content_under_every_policy(
    request: Outgoing, policy: Policy, status: int, location: str
) -> None:
    came = Follower(request, policy).receive(status, location)
    if isinstance(came, Step):
        assert came.request.method == request.method
        assert came.request.content == request.content or policy.once == "empty"


@given(REQUESTS, EVERY, st.lists(REDIRECTS, max_size=6))
def test_no_field_is_invented_but_gos_referer(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    sent, _ = walk(request, policy, answers)
    for one in sent:
        invented = {name for name, value in one.fields if (name, value) not in request.fields}
        assert {name.lower() for name in invented} <= {"referer"}
        assert not invented or policy.referer in ("sent", "trimmed")


@pytest.mark.parametrize("policy", [FETCH, RFC9110], ids=lambda policy: policy.name)
@given(request=REQUESTS, answers=st.lists(REDIRECTS, max_size=8))
def test_credentials_are_never_seen_at_another_origin(
    policy: Policy, request: Outgoing, answers: list[tuple[int, list[Location], bool]]
) -> None:
    sent, _ = walk(request, policy, answers)
    at_home = True
    for one in sent:
        at_home = at_home and one.url.origin == request.url.origin
        assert _secrets(one) == (_secrets(request) if at_home else frozenset())


@given(REQUESTS, EVERY, st.lists(REDIRECTS, max_size=8))
def test_authorization_leaves_no_host_but_for_its_subdomain(
    request: Outgoing, policy: Policy, answers: list[tuple[int, list[Location], bool]]
) -> None:
    for one in walk(request, policy, answers)[0]:
        host = one.url.hostname
        if host != request.url.hostname and not host.endswith(f".{request.url.hostname}"):
            assert one.values("authorization") == ()


# --- Fetch, step by step -----------------------------------------------------------------------------------

NETWORK_ERRORS = {"bad-location", "refused-scheme", "many-locations", "too-many-hops", "not-replayable"}
BODIES: dict[Content, str] = {"none": "null", "replayable": "with source", "once": "without source"}
PAGES = st.none() | st.sampled_from([one for one in REFERRERS if one.startswith("http")])


def fetch(
    request: Outgoing, page: str | None, answers: list[tuple[int, list[bytes], bool]]
) -> tuple[list[Outgoing], str | None]:
    """The chain as the oracle has it, in our words."""
    theirs = oracle.Request(
        request.method, [str(request.url)], list(request.fields), BODIES[request.content], 0, page
    )
    sent = [_ours(theirs)]
    for status, locations, _ in answers:
        came = oracle.http_redirect_fetch(theirs, status, locations)
        if came is not None:
            return sent, came
        sent.append(_ours(theirs))
    return sent, None


def _ours(theirs: oracle.Request) -> Outgoing:
    referrer = oracle.referrer_to_send(theirs)
    fields = (*theirs.header_list, *([("Referer", referrer)] if referrer else []))
    content = next(content for content, body in BODIES.items() if body == theirs.body)
    return Outgoing(theirs.method, URL.parse(theirs.current_url), fields, content)


@given(
    METHODS,
    URLS,
    FIELDS,
    CONTENTS,
    PAGES,
    st.lists(ANSWERS | st.tuples(STATUSES, OCTETS.map(lambda one: [one]), st.booleans()), max_size=5),
    st.integers(0, 25),
)
def test_fetch_is_what_its_steps_say(
    method: str,
    url: URL,
    fields: Fields,
    content: Content,
    page: str | None,
    answers: list[tuple[int, list[bytes], bool]],
    before: int,
) -> None:
    plain = tuple(field for field in fields if field[0] != "Referer")
    content = "none" if method in ("GET", "HEAD") else content  # Fetch §5.4: the constructor throws
    request = Outgoing(method, url, plain, content)
    asked = Outgoing(method, url, (*plain, ("Referer", page)) if page else plain, content)
    led = [(307, [f"/{number}".encode()], False) for number in range(before)] + answers
    theirs, came = fetch(request, page, led)
    sent, end = walk(asked, FETCH, led, stop_at_repeat=False)
    assert sent[1:] == theirs[1:]
    assert _outcome(end) == came


def _outcome(end: End | None) -> str | None:
    if end is None:
        return None
    if end.name in NETWORK_ERRORS:
        return oracle.NETWORK_ERROR
    assert end.name in ("arrived", "no-location")
    return oracle.RESPONSE


def test_the_oracle_is_no_yes_man() -> None:
    request = Outgoing("POST", URL.parse("https://a.example/"), (("Authorization", "a"),), "replayable")
    sent, came = fetch(request, None, [(302, [b"//b.example"], False), (302, [b"foo:"], False)])
    assert sent[1] == Outgoing("GET", URL.parse("https://b.example/"))
    assert came == oracle.NETWORK_ERROR


@given(
    EVERY,
    st.text("ab/\\?#.:%, \t", max_size=12),
    st.sampled_from(["https://h.example/a", "https://h.example/a#", "https://h.example/a#b"]),
)
def test_one_location_is_read_alike_as_text_and_as_octets(policy: Policy, location: str, url: str) -> None:
    """A single text of ASCII goes a shorter way than octets, to the same place."""
    follower = Follower(Outgoing("GET", URL.parse(url), (("Accept", "*/*"), ("Cookie", "a=b"))), policy)
    assert follower.receive(302, [location]) == follower.receive(302, [location.encode()])
