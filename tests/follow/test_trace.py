"""The tracer as an exchange: what it asks to be sent, and the chain it makes of what came. No sockets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Literal, cast

import msgspec
import pytest
from click import unstyle
from hypothesis import given
from hypothesis import strategies as st

from detour.audit.finding import Finding
from detour.cli.chain_text import chain_lines, emitter_line, finding_lines
from detour.core.chain import Chain, Content, End, Fields, Outgoing, Response, Timings
from detour.core.policy import CURL, FETCH, HTTPX, POLICIES, RFC9110, Policy
from detour.core.url import URL
from detour.follow.consent import EVERYTHING, NOTHING_UNSAFE, Consent
from detour.follow.curl_command import quoted
from detour.follow.document import carried, document, emitter_document
from detour.follow.fingerprint import Guess
from detour.follow.trace import judge, one_hop, trace
from detour.net.ends import Failed
from detour.net.exchange import Exchange, Sending

HERE = "http://here.test"
Answers = Mapping[tuple[str, str], Response | End]


def outgoing(method: str, url: str, fields: Fields = (), content: Content = "none") -> Outgoing:
    return Outgoing(method, URL.parse(url), fields, content)


def redirect(status: int, *locations: str, fields: Fields = (), remote: str = "192.0.2.1") -> Response:
    told = tuple(("Location", location) for location in locations)
    return Response(status, fields=(*told, *fields), remote=remote)


OK = Response(200, remote="192.0.2.9")


class Script:
    """Runs an exchange from a table of answers; keeps what it was asked to send."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.sent: list[Sending] = []

    def run(self, exchange: Exchange[Chain]) -> Chain:
        answer: Response | End | None = None
        while True:
            try:
                asked = exchange.send(answer)
            except StopIteration as stop:
                return cast(Chain, stop.value)
            assert isinstance(asked, Sending)
            self.sent.append(asked)
            answer = self.answers[asked.request.method, str(asked.request.url)]

    @property
    def lines(self) -> list[str]:
        return [f"{one.request.method} {one.request.url}" for one in self.sent]


def test_a_303_after_a_post_is_followed_with_get_and_without_content() -> None:
    script = Script({("POST", f"{HERE}/form"): redirect(303, "/done"), ("GET", f"{HERE}/done"): OK})
    request = outgoing("POST", f"{HERE}/form", content="replayable")
    chain = script.run(trace(request, b"a=1", FETCH, Consent.typed(request)))
    assert script.lines == [f"POST {HERE}/form", f"GET {HERE}/done"]
    assert [one.content for one in script.sent] == [b"a=1", None]
    assert chain.end == End("arrived")
    assert str(chain.hops[0].location_url) == f"{HERE}/done"


def test_a_307_sends_the_content_again() -> None:
    script = Script({("PUT", f"{HERE}/a"): redirect(307, "/b"), ("PUT", f"{HERE}/b"): OK})
    request = outgoing("PUT", f"{HERE}/a", content="replayable")
    script.run(trace(request, b"whole", FETCH, Consent.typed(request)))
    assert [one.content for one in script.sent] == [b"whole", b"whole"]


def test_the_guard_is_told_where_each_hop_was_sent_from() -> None:
    script = Script(
        {
            ("GET", f"{HERE}/a"): redirect(302, "/b", remote="192.0.2.7"),
            ("GET", f"{HERE}/b"): redirect(302, "/c", remote="192.0.2.8"),
            ("GET", f"{HERE}/c"): OK,
        }
    )
    script.run(trace(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    assert [one.before for one in script.sent] == ["", "192.0.2.7", "192.0.2.8"]


def test_an_end_of_the_transport_ends_the_chain_at_the_hop_that_got_no_answer() -> None:
    script = Script(
        {
            ("GET", f"{HERE}/a"): redirect(307, "http://gone.test/"),
            ("GET", "http://gone.test/"): End("resolve"),
        }
    )
    chain = script.run(trace(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    assert (chain.end.name, len(chain.hops), chain.hops[1].response) == ("resolve", 2, None)


def test_what_libcurl_would_not_show_stands_in_the_chain_as_it_was_read() -> None:
    evidence = redirect(302, "/b", "/c")
    script = Script(
        {("GET", f"{HERE}/a"): Failed("malformed-response", "the head breaks HTTP", evidence=evidence)}
    )
    chain = script.run(trace(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    assert chain.end.name == "many-locations"
    assert chain.hops[0].response == evidence
    assert type(chain.end) is End  # evidence stands in the hop, not in the end


def test_the_location_of_a_201_leads_nowhere() -> None:
    request = outgoing("POST", f"{HERE}/a")
    script = Script({("POST", f"{HERE}/a"): Response(201, fields=(("Location", "/made"),))})
    chain = script.run(trace(request, None, FETCH, Consent.typed(request)))
    assert (chain.end.name, chain.hops[0].location_url) == ("arrived", None)


def test_a_loop_ends_the_chain_before_the_request_is_sent_again() -> None:
    script = Script({("GET", f"{HERE}/a"): redirect(302, "/b"), ("GET", f"{HERE}/b"): redirect(302, "/a")})
    chain = script.run(trace(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    assert (chain.end.name, script.lines) == ("loop", [f"GET {HERE}/a", f"GET {HERE}/b"])


def test_a_cookie_that_is_set_makes_the_same_request_another_one() -> None:
    cookie = (("Set-Cookie", "pass=1"),)
    script = Script({("GET", f"{HERE}/a"): redirect(302, "/a", fields=cookie)})
    chain = script.run(trace(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    assert (chain.end.name, len(script.sent)) == ("too-many-hops", 21)  # Fetch §4.4: 20 redirects
    assert "challenge-loop" in [finding.check for finding in judge(chain).findings]


def test_a_policy_with_another_limit_stops_there() -> None:
    policy = msgspec.structs.replace(FETCH, limit=1)
    script = Script({("GET", f"{HERE}/{n}"): redirect(302, f"/{n + 1}") for n in range(5)})
    chain = script.run(trace(outgoing("GET", f"{HERE}/0"), None, policy, NOTHING_UNSAFE))
    assert (chain.end.name, script.lines) == ("too-many-hops", [f"GET {HERE}/0", f"GET {HERE}/1"])


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_nobody_s_eyes_send_an_unsafe_request_to_another_origin_unasked(policy: Policy) -> None:
    request = outgoing("DELETE", f"{HERE}/a")
    script = Script({("DELETE", f"{HERE}/a"): redirect(307, "https://here.test/a")})
    chain = script.run(trace(request, None, policy, Consent.typed(request)))
    assert (chain.end.name, script.lines) == ("needs-consent", [f"DELETE {HERE}/a"])
    assert "DELETE https://here.test/a" in chain.end.detail


def test_send_lets_it_go_on() -> None:
    request = outgoing("DELETE", f"{HERE}/a")
    script = Script(
        {("DELETE", f"{HERE}/a"): redirect(307, "https://b.test/a"), ("DELETE", "https://b.test/a"): OK}
    )
    chain = script.run(trace(request, None, FETCH, EVERYTHING))
    assert (chain.end.name, len(chain.hops)) == ("arrived", 2)


def test_a_first_request_that_nobody_asked_for_is_the_only_hop_and_is_not_sent() -> None:
    for exchange in (trace, one_hop):
        script = Script({})
        chain = script.run(exchange(outgoing("POST", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
        assert (script.sent, chain.end.name) == ([], "needs-consent")
        assert [hop.response for hop in chain.hops] == [None]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"])
def test_safe_methods_need_nobody_s_consent(method: str) -> None:
    """RFC 9110 §9.2.1; RFC 10008 for QUERY."""
    assert NOTHING_UNSAFE.allows(outgoing(method, HERE))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "get", "PURGE", "LINK"])
def test_every_other_method_does(method: str) -> None:
    assert not NOTHING_UNSAFE.allows(outgoing(method, HERE))
    assert Consent.typed(outgoing(method, HERE)).allows(outgoing(method, f"{HERE}/elsewhere"))
    assert not Consent.typed(outgoing(method, HERE)).allows(outgoing(method, "http://here.test:81/"))


def test_a_host_that_was_written_is_for_the_first_authority() -> None:
    answers = {
        ("GET", f"{HERE}/a"): redirect(302, "/b"),
        ("GET", f"{HERE}/b"): redirect(302, "http://there.test/"),
        ("GET", "http://there.test/"): OK,
    }
    script = Script(answers)
    script.run(trace(outgoing("GET", f"{HERE}/a", (("Host", "x"),)), None, FETCH, NOTHING_UNSAFE))
    assert [one.request.values("host") for one in script.sent] == [("x",), ("x",), ()]


def test_one_hop_follows_nothing() -> None:
    script = Script({("GET", f"{HERE}/a"): redirect(308, "/b")})
    chain = script.run(one_hop(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    assert (chain.end.name, len(script.sent), str(chain.hops[0].location_url)) == (
        "not-followed",
        1,
        f"{HERE}/b",
    )


def test_a_policy_shows_what_its_client_does() -> None:
    """RFC 9110 keeps PUT at 302; httpx makes a GET of it; Fetch keeps it (RFC 9110 §15.4.3, Fetch §4.4)."""
    answers: Answers = {
        ("PUT", f"{HERE}/a"): redirect(302, "/b"),
        ("PUT", f"{HERE}/b"): OK,
        ("GET", f"{HERE}/b"): OK,
    }
    request = outgoing("PUT", f"{HERE}/a")
    methods = {}
    for policy in (FETCH, RFC9110, HTTPX):
        chain = Script(answers).run(trace(request, None, policy, Consent.typed(request)))
        methods[policy.name] = chain.hops[1].request.method
    assert methods == {"fetch": "PUT", "rfc9110": "PUT", "httpx": "GET"}


def test_curl_takes_the_first_of_two_locations_as_the_evidence_shows_them() -> None:
    evidence = redirect(302, "/b", "/c")
    script = Script({("GET", f"{HERE}/a"): Failed("malformed-response", evidence=evidence)})
    chain = script.run(trace(outgoing("GET", f"{HERE}/a"), None, CURL, NOTHING_UNSAFE))
    assert chain.end.name == "many-locations"  # and yet nothing of a head that breaks HTTP is followed


def chain_of_login() -> Chain:
    credentials = (("Authorization", "Basic bWU6cHc="),)
    request = outgoing("POST", f"{HERE}/a", credentials, "replayable")
    script = Script(
        {
            ("POST", f"{HERE}/a"): redirect(307, "https://there.test/a"),
            ("POST", "https://there.test/a"): Response(200, "OK", timings=Timings(0.1, 0.2, 0.3, 0.4, 0.5)),
        }
    )
    return script.run(trace(request, b"a=1", FETCH, EVERYTHING))


def test_the_document_says_what_each_redirect_kept() -> None:
    told = document(judge(chain_of_login()))
    first, last = told["hops"]
    assert (first["method_kept"], first["content"], first["credentials"]) == (True, "kept", "dropped")
    assert (last["method_kept"], last["content"], last["credentials"]) == (None, None, None)
    assert (first["status"], first["location"]) == (307, "https://there.test/a")
    assert first["location_url"] == "https://there.test/a"
    assert last["timings"] == {"dns": 0.1, "connect": 0.2, "tls": 0.3, "first_byte": 0.4, "total": 0.5}
    assert (told["end"], told["policy"]) == ("arrived", "fetch")
    assert [one["check"] for one in first["findings"]] == [
        one["check"] for one in told["findings"] if one["hop"] == 0
    ]
    assert "content-crosses-origin" in [one["check"] for one in first["findings"]]


def test_the_document_is_json_whatever_a_server_says() -> None:
    strange = redirect(302, "".join(map(chr, range(1, 256))), fields=(("X", "\xff\x1b[31m"),))
    script = Script({("GET", f"{HERE}/a"): strange})
    chain = script.run(one_hop(outgoing("GET", f"{HERE}/a"), None, FETCH, NOTHING_UNSAFE))
    told = json.loads(msgspec.json.encode(document(judge(chain))))
    assert told["hops"][0]["location"] == "".join(map(chr, range(1, 256)))


def test_content_that_cannot_be_sent_again_is_said_to_be() -> None:
    request = outgoing("POST", f"{HERE}/a", content="once")
    script = Script({("POST", f"{HERE}/a"): redirect(307, "/b")})
    chain = script.run(trace(request, BytesIO(b"a"), FETCH, Consent.typed(request)))
    kept = carried(chain, 0)
    assert chain.end.name == "not-replayable"
    assert kept is not None
    assert kept.content == "not-replayable"


def test_findings_are_worst_first() -> None:
    ranks = {"error": 0, "warning": 1, "note": 2}
    found = [ranks[finding.severity] for finding in judge(chain_of_login()).findings]
    assert found == sorted(found)


def guess(emitter: str, confidence: Literal["is", "suggests"] = "is") -> Guess:
    return Guess(emitter, "return", confidence, "Server: x", "change the line")


def test_the_best_guess_is_told_and_others_by_name() -> None:
    told = emitter_document((guess("nginx"), guess("nginx"), guess("Envoy", "suggests")))
    assert told == {
        "name": "nginx",
        "cause": "return",
        "confidence": "is",
        "why": "Server: x",
        "remedy": "change the line",
        "also": ["Envoy"],
    }
    assert emitter_document(()) is None


def test_a_guess_that_only_suggests_is_told_with_its_rivals() -> None:
    assert unstyle(emitter_line((guess("nginx"), guess("Envoy", "suggests")))) == "by nginx (return)"
    rivals = (guess("Envoy", "suggests"), guess("nginx", "suggests"), guess("Envoy", "suggests"))
    assert emitter_line(rivals) == "perhaps by Envoy (return), or nginx"
    assert emitter_line(()) == ""


def test_a_line_of_configuration_is_not_broken_and_prose_is() -> None:
    line = "proxy_set_header X-Forwarded-Proto $scheme; " * 5
    prose = "let one layer decide on the scheme and the host " * 5
    finding = Finding("x", "error", "a fact", f"{line}\n{prose}", hop=0)
    told = list(finding_lines((finding,)))
    assert f"{' ' * 7}→ {line}" in told
    assert len(told) > 3
    assert max(len(one) for one in told if "scheme;" not in one) <= 110


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\xad]")
OCTETS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)


@given(OCTETS, OCTETS, OCTETS, st.sampled_from([200, 204, 301, 302, 303, 307, 308, 404, 599]))
def test_nothing_a_server_says_reaches_the_terminal_as_it_is(
    reason: str, location: str, kind: str, status: int
) -> None:
    fields = (
        ("Location", location),
        ("Content-Type", kind),
        ("Server", kind),
        ("Set-Cookie", f"{reason}={kind}"),
    )
    answer = Response(status, reason, fields=fields, content=b"x", content_length=1, remote="192.0.2.1")
    request = outgoing("POST", f"{HERE}/a", (("Authorization", "x"),), "replayable")
    exchange = one_hop(request, b"a=1", FETCH, Consent.typed(request))
    judged = judge(Script({("POST", f"{HERE}/a"): answer}).run(exchange))
    for line in chain_lines(judged, [quoted(location)]):
        assert not _CONTROL.search(unstyle(line)), line
    msgspec.json.encode(document(judged))
