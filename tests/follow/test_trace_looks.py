"""Other looks at one URL: every method, a browser's preflight, Expect, and canaries in a Location."""

from __future__ import annotations

import pytest

from detour.core.chain import Chain, End, Fields, Outgoing, Response
from detour.core.policy import FETCH
from detour.core.url import URL
from detour.follow.consent import EVERYTHING, NOTHING_UNSAFE
from detour.follow.early import early_answer
from detour.follow.matrix import METHODS, Difference, differences, matrix
from detour.follow.preflight import asking, obstacles, preflight_of
from detour.follow.probe_open import probe_open, probes
from detour.follow.trace import judge
from detour.net.exchange import Exchange, Sending

URL_A = URL.parse("http://here.test/a")


def run(
    exchange: Exchange[tuple[Chain, ...]], answer: dict[str, Response], sent: list[Outgoing]
) -> tuple[Chain, ...]:
    """Answers each method from a table."""
    came: Response | End | None = None
    while True:
        try:
            asked = exchange.send(came)
        except StopIteration as stop:
            chains: tuple[Chain, ...] = stop.value
            return chains
        assert isinstance(asked, Sending)
        sent.append(asked.request)
        came = answer.get(asked.request.method, answer["*"])


def redirect(status: int, location: str = "/b") -> Response:
    return Response(status, fields=(("Location", location),))


# -- every method


def test_the_matrix_asks_safe_methods_alone_unless_told_otherwise() -> None:
    sent: list[Outgoing] = []
    rows = run(
        matrix(Outgoing("GET", URL_A), None, METHODS, FETCH, NOTHING_UNSAFE), {"*": redirect(302)}, sent
    )
    assert [request.method for request in sent] == ["GET", "HEAD", "OPTIONS"]
    assert [row.hops[0].request.method for row in rows] == list(METHODS)
    ends = {row.hops[0].request.method: row.end.name for row in rows}
    assert ends["POST"] == ends["DELETE"] == "needs-consent"
    assert ends["GET"] == "not-followed"


def test_content_goes_with_the_methods_that_have_some() -> None:
    sent: list[Outgoing] = []
    request = Outgoing("GET", URL_A, (), "replayable")
    run(matrix(request, b"a", METHODS, FETCH, EVERYTHING), {"*": redirect(302)}, sent)
    assert {request.method for request in sent if request.content != "none"} == {"POST", "PUT", "PATCH"}


def test_a_302_for_get_and_a_307_for_the_rest_is_a_difference() -> None:
    """Traefik's redirectScheme (design, introduction to issue 4)."""
    sent: list[Outgoing] = []
    answers = {"GET": redirect(302), "HEAD": redirect(307), "*": redirect(307)}
    rows = run(matrix(Outgoing("GET", URL_A), None, METHODS, FETCH, EVERYTHING), answers, sent)
    assert differences(rows) == (
        Difference(("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"), "gets 307 where GET gets 302"),
    )


def test_a_method_that_is_led_elsewhere_or_nowhere_is_a_difference() -> None:
    answers = {"GET": redirect(302), "HEAD": redirect(302, "/c"), "*": Response(405)}
    rows = run(matrix(Outgoing("GET", URL_A), None, ("GET", "HEAD", "PUT"), FETCH, EVERYTHING), answers, [])
    assert differences(rows) == (
        Difference(("HEAD",), "is led elsewhere: http://here.test/c"),
        Difference(("PUT",), "is not redirected (405) and GET is"),
    )


def test_answers_that_are_alike_are_no_difference() -> None:
    rows = run(matrix(Outgoing("GET", URL_A), None, METHODS, FETCH, EVERYTHING), {"*": redirect(308)}, [])
    assert differences(rows) == ()


# -- preflight (Fetch §4.8)

PAGE = "https://page.test"


def asks(method: str = "GET", *fields: tuple[str, str]) -> Outgoing:
    return Outgoing(method, URL_A, fields)


@pytest.mark.parametrize(
    ("request_", "needed"),
    [
        (asks("GET"), False),
        (asks("POST", ("Content-Type", "text/plain;charset=UTF-8")), False),
        (asks("POST", ("Content-Type", "application/json")), True),
        (asks("PUT"), True),
        (asks("GET", ("Authorization", "Bearer x")), True),
        (asks("GET", ("X-Api-Key", "x")), True),
        (asks("GET", ("Accept", "text/html"), ("User-Agent", "detour/1")), False),
        (asks("GET", ("Accept", '"' + "x" * 130)), True),
        (asks("GET", ("Cookie", "a=1"), ("Referer", "http://x/")), False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_browser_asks_first_only_where_fetch_says_so(request_: Outgoing, needed: bool) -> None:
    assert preflight_of(request_, PAGE).needed is needed


def test_the_question_is_the_one_browsers_ask() -> None:
    request = asks("PUT", ("X-B", "1"), ("Content-Type", "application/json"), ("Authorization", "Basic x"))
    asked = asking(preflight_of(request, PAGE), request)
    assert (asked.method, asked.url) == ("OPTIONS", URL_A)
    assert dict(asked.fields) == {
        "Accept": "*/*",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,x-b",
        "Origin": PAGE,
    }


def allow(status: int = 204, **fields: str) -> Response:
    return Response(
        status, fields=tuple((f"Access-Control-{name.replace('_', '-')}", v) for name, v in fields.items())
    )


PUT = asks("PUT", ("X-A", "1"))
AUTH = asks("GET", ("Authorization", "x"))
COOKIE = asks("PUT", ("Cookie", "a=1"))


@pytest.mark.parametrize(
    ("request_", "response", "said"),
    [
        (PUT, allow(Allow_Origin=PAGE, Allow_Methods="PUT", Allow_Headers="x-a"), ()),
        (PUT, allow(Allow_Origin="*", Allow_Methods="*", Allow_Headers="*"), ()),
        (PUT, allow(200, Allow_Origin="*", Allow_Methods="GET, PUT", Allow_Headers="X-A, X-B"), ()),
        (PUT, allow(Allow_Origin=PAGE, Allow_Methods="PATCH", Allow_Headers="x-a"), ("Allow-Methods",)),
        (PUT, allow(Allow_Origin=PAGE, Allow_Methods="PUT"), ("Allow-Headers does not hold x-a",)),
        (PUT, allow(Allow_Methods="PUT", Allow_Headers="x-a"), ("Allow-Origin is missing",)),
        (PUT, allow(Allow_Origin="https://other.test", Allow_Methods="*", Allow_Headers="*"), ("and not",)),
        (PUT, allow(307, Allow_Origin=PAGE, Allow_Methods="PUT", Allow_Headers="x-a"), ("status is 307",)),
        (PUT, allow(403, Allow_Origin=PAGE, Allow_Methods="PUT", Allow_Headers="x-a"), ("status is 403",)),
        (AUTH, allow(Allow_Origin="*", Allow_Headers="*"), ("does not hold authorization",)),
        (COOKIE, allow(Allow_Origin="*", Allow_Methods="PUT", Allow_Credentials="true"), ("is *, which",)),
        (COOKIE, allow(Allow_Origin=PAGE, Allow_Methods="PUT"), ("Credentials is not true",)),
        (
            COOKIE,
            allow(Allow_Origin=PAGE, Allow_Methods="*", Allow_Credentials="true"),
            ("Methods does not hold",),
        ),
        (COOKIE, allow(Allow_Origin=PAGE, Allow_Methods="PUT", Allow_Credentials="true"), ()),
    ],
)
def test_what_a_browser_makes_of_the_answer(
    request_: Outgoing, response: Response, said: tuple[str, ...]
) -> None:
    found = obstacles(preflight_of(request_, PAGE), response)
    assert len(found) == len(said), found
    for reason, words in zip(found, said, strict=True):
        assert words in reason


# -- Expect (RFC 9110 §10.1.1)


@pytest.mark.parametrize(
    ("response", "outcome", "words"),
    [
        (Response(307, fields=(("Connection", "close"),)), "refused-early", "closes"),
        (Response(307), "refused-early", "keeps the connection"),
        (Response(307, http_version="2"), "refused-early", "closes"),
        (Response(417), "refused-early", "leave the field out"),
        (Response(307, interim=(100,), sent=5), "continued", "in vain"),
        (Response(200, interim=(100,), sent=5), "continued", "wanted the content"),
        (Response(200, interim=(103,), sent=5), "silent", "no 100 Continue"),
    ],
)
def test_what_a_server_made_of_expect(response: Response, outcome: str, words: str) -> None:
    early = early_answer(response)
    assert (early.outcome, early.sent) == (outcome, response.sent)
    assert words in early.means


# -- who chooses the origin


def test_every_probe_is_a_get_without_credentials_or_content() -> None:
    fields: Fields = (("Authorization", "x"), ("Cookie", "a=1"))
    asked = probes(Outgoing("POST", URL.parse("http://here.test/a?next=/x&b=2#f"), fields, "replayable"))
    assert {request.method for request in asked} == {"GET"}
    assert {request.content for request in asked} == {"none"}
    assert all(not request.values("authorization") and not request.values("cookie") for request in asked)
    assert all(request.url.origin == "http://here.test" for request in asked)


def test_the_canary_stands_in_queries_fields_host_and_path() -> None:
    asked = probes(Outgoing("GET", URL.parse("http://here.test/a?next=/x&b=2")))
    targets = [request.url.request_target for request in asked]
    assert "/a?b=2&next=https://canary.detour.invalid/" in targets
    assert "/a?next=/x&b=2&url=https://canary.detour.invalid/" in targets
    assert any(target.startswith("//canary.detour.invalid/") for target in targets)
    names = {name for request in asked for name, _ in request.fields}
    assert {"X-Forwarded-Host", "Forwarded", "Host"} <= names


def believing(sending: Outgoing) -> Response:
    """A server that believes X-Forwarded-Host and nothing else."""
    host = dict(sending.fields).get("X-Forwarded-Host", "here.test")
    return redirect(307, f"https://{host}/b")


def test_a_server_that_believes_a_field_is_found_out_and_by_that_field_alone() -> None:
    exchange = probe_open(Outgoing("GET", URL_A), FETCH)
    came: Response | None = None
    try:
        while True:
            asked = exchange.send(came)
            assert isinstance(asked, Sending)
            came = believing(asked.request)
    except StopIteration as stop:
        chains = stop.value
    found = [
        finding for chain in chains for finding in judge(chain).findings if finding.check == "open-location"
    ]
    assert [finding.message for finding in found] == [
        "the field X-Forwarded-Host chooses where Location leads: https://canary.detour.invalid/b"
    ]
