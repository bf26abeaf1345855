"""Whatever comes back, it is a response or an end, within the limits."""

from __future__ import annotations

import gzip
from time import process_time
from typing import cast

import pytest

from detour.core.chain import ENDS, End, Outgoing, Response
from detour.core.url import URL
from detour.net.ends import ERRORS, Failed
from detour.net.transport import Sending, Transport, TransportSettings
from tests.net.origin import Peer, Talk, keeping, origin, saying

HEAD = b"HTTP/1.1 302 Found\r\nServer: x\r\nLocation: /a\r\n"
FOUND = HEAD + b"Content-Length: 0\r\n\r\n"


def answer_to(talk: Talk, method: str = "GET", **settings: object) -> Response | Failed:
    told = {"timeout": 5.0, "evidence": False} | settings
    with origin(talk) as seen, Transport(TransportSettings(**told)) as transport:  # type: ignore[arg-type]
        outcome = transport.send(Sending(seen.request(method)))
    assert isinstance(outcome, Response | Failed)
    return outcome


def response_to(talk: Talk, method: str = "GET", **settings: object) -> Response:
    outcome = answer_to(talk, method, **settings)
    assert isinstance(outcome, Response), outcome
    return outcome


def end_of(talk: Talk, method: str = "GET", **settings: object) -> Failed:
    outcome = answer_to(talk, method, **settings)
    assert isinstance(outcome, Failed), outcome
    assert outcome.detail
    assert "\n" not in outcome.detail
    return outcome


def test_an_answer_is_told_whole() -> None:
    head = b"HTTP/1.1 307 Temporary  Redirect\r\nserver: a\r\nX-Empty:\r\nX-Latin:  \xe9\t\r\nServer: b\r\n"
    answer = response_to(saying(head + b"Content-Length: 2\r\n\r\nhi"))
    assert (answer.status, answer.reason, answer.http_version) == (307, "Temporary  Redirect", "1.1")
    assert answer.fields == (
        ("server", "a"),
        ("X-Empty", ""),
        ("X-Latin", "é"),
        ("Server", "b"),
        ("Content-Length", "2"),
    )
    assert (answer.content, answer.content_length, answer.cut) == (b"hi", 2, "")
    assert answer.raw_head == head + b"Content-Length: 2\r\n\r\n"
    assert answer.remote == "127.0.0.1"
    assert 0 < answer.timings.connect <= answer.timings.first_byte <= answer.timings.total
    assert answer.timings.tls == 0.0
    assert answer.certificate is None


def test_http_1_0_without_a_reason_is_an_answer() -> None:
    answer = response_to(saying(b"HTTP/1.0 302\r\nLocation: /a\r\n\r\n"))
    assert (answer.status, answer.reason, answer.http_version) == (302, "", "1.0")


def test_the_same_location_twice_is_told_twice() -> None:
    assert response_to(saying(HEAD + b"Location: /a\r\nContent-Length: 0\r\n\r\n")).locations == ("/a", "/a")


def test_interim_answers_are_counted_and_not_taken_for_the_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </no>\r\n\r\n"
    answer = response_to(saying(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + hints + FOUND))
    assert (answer.status, answer.interim, answer.locations) == (302, (100, 103, 103), ("/a",))
    assert answer.raw_head == FOUND


def test_bare_line_feeds_end_lines_too() -> None:
    hints = b"HTTP/1.1 103 Early Hints\nLink: </no>\n\n"
    answer = response_to(saying(hints + FOUND))
    assert (answer.status, answer.interim, answer.raw_head) == (302, (103,), FOUND)
    answer = response_to(saying(FOUND.replace(b"\r", b"")))
    assert (answer.status, answer.locations) == (302, ("/a",))


def test_trailers_are_not_fields() -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n"
    answer = response_to(saying(HEAD + chunks))
    assert answer.content == b"hi"
    assert answer.first("x-late") is None


def test_an_upgrade_is_an_answer() -> None:
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert response_to(saying(upgrade + b"x")).status == 101


# -- limits --------------------------------------------------------------------------------------------------


def test_64_kib_of_content_are_kept_and_the_rest_is_counted() -> None:
    content = bytes(range(256)) * 800
    answer = response_to(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 204800\r\n\r\n" + content))
    assert answer.content == content[: 64 * 1024]
    assert (answer.content_length, answer.cut) == (204800, "")


def test_content_over_the_limit_is_cut() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(HEAD + b"\r\n")
        while not peer.origin.over.is_set():
            peer.say(b"x" * 10_000)

    answer = response_to(talk, most_content=200_000)
    assert (answer.status, answer.cut) == (302, "too-large")
    assert 200_000 < answer.content_length < 400_000


def test_a_gzip_bomb_stays_packed() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer = response_to(saying(head + bomb))
    assert (answer.content, answer.content_length) == (bomb, len(bomb))


def test_a_head_over_the_limit_is_an_end() -> None:
    assert end_of(saying(HEAD + b"X: y\r\n" * 300 + b"\r\n"), most_head=1000).name == "too-large"


def test_trailers_do_not_take_the_answer_away() -> None:
    chunks = HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"

    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(chunks)
        while not peer.origin.over.is_set():
            peer.say(b"X: %s\r\n" % (b"y" * 3000))

    answer = response_to(talk)
    assert (answer.status, answer.locations) == (302, ("/a",))
    assert answer.cut


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("interim", [b"HTTP/1.1 103 E\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 100 C\r\n\r\n"])
def test_interim_answers_without_end_are_an_end(method: str, interim: bytes) -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        while not peer.origin.over.is_set():
            peer.say(interim * 50)

    before = process_time()
    assert end_of(talk, method).name == "too-large"
    assert process_time() - before < 2.0


def test_a_head_that_drips_is_a_timeout() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.drip(HEAD * 1000, 0.01)

    end = end_of(talk, timeout=0.3)
    assert end.name == "timeout"
    assert end.detail == "no answer within 0.3 s: time ran out before its head was complete"


def test_content_that_drips_does_not_take_the_answer_away() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(HEAD + b"Content-Length: 1000\r\n\r\n")
        peer.drip(b"x" * 1000, 0.01)

    answer = response_to(talk, timeout=0.3)
    assert (answer.status, answer.locations, answer.cut) == (302, ("/a",), "timeout")
    assert 0 < answer.content_length < 1000


def test_silence_is_a_timeout() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.origin.over.wait(20)

    end = end_of(talk, timeout=0.2)
    assert end.detail == "no answer within 0.2 s: time ran out before an answer began"


def test_silence_on_a_connection_that_was_open_is_no_matter_of_the_name() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(FOUND)
        peer.head()
        peer.origin.over.wait(20)

    with origin(talk) as seen, Transport(TransportSettings(timeout=0.2)) as transport:
        assert isinstance(transport.send(Sending(seen.request())), Response)
        end = transport.send(Sending(seen.request()))
    assert isinstance(end, Failed)
    assert (end.name, seen.connections) == ("timeout", 1)
    assert end.detail.endswith("time ran out before an answer began")


# -- broken answers ------------------------------------------------------------------------------------------

MALFORMED = {
    "two Locations that differ": HEAD + b"Location: /b\r\n\r\n",
    "NUL in a field": HEAD + b"X: a\0b\r\n\r\n",
    "CR in a field": HEAD + b"X: a\rb\r\n\r\n",
    "a line without a colon": HEAD + b"nonsense\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length that is no number": HEAD + b"Content-Length: ten\r\n\r\n",
    "a Location of 1 MB": b"HTTP/1.1 302 Found\r\nLocation: /" + b"a" * 1_000_000 + b"\r\n\r\n",
    "20,000 fields": b"HTTP/1.1 302 Found\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "octets at random": bytes(range(256)),
    "HTTP/1.2": b"HTTP/1.2 302 Found\r\nLocation: /a\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 42 What\r\n\r\n",
    "a status of five digits": b"HTTP/1.1 30700 What\r\n\r\n",
    "a status with letters": b"HTTP/1.1 307x What\r\nLocation: /a\r\n\r\n",
    "an unknown transfer coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
}


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_a_broken_head_is_a_malformed_response(octets: bytes) -> None:
    assert end_of(saying(octets)).name == "malformed-response"


@pytest.mark.parametrize(
    "octets", [value for name, value in MALFORMED.items() if name != "a Location of 1 MB"]
)
def test_a_safe_request_fetches_what_was_on_the_wire(octets: bytes) -> None:
    end = end_of(saying(octets), evidence=True)
    assert end.name == "malformed-response"
    assert end.evidence is not None
    assert (end.evidence.raw_head + end.evidence.content).startswith(octets[: 32 * 1024])
    assert repr(octets.decode("latin-1"))[1:20] in end.detail


def test_evidence_is_told_apart_as_far_as_it_can_be() -> None:
    evidence = end_of(saying(HEAD + b"Location: /b\r\n\r\nhello"), evidence=True).evidence
    assert evidence is not None
    assert (evidence.status, evidence.reason, evidence.content) == (302, "Found", b"hello")
    assert evidence.locations == ("/a", "/b")
    assert evidence.remote == "127.0.0.1"


def test_evidence_ends_at_64_kib() -> None:
    evidence = end_of(saying(MALFORMED["a Location of 1 MB"]), evidence=True).evidence
    assert evidence is not None
    assert len(evidence.raw_head) == 64 * 1024
    assert evidence.locations[0].startswith("/aaaa")


def test_evidence_asks_with_the_same_request() -> None:
    with origin(saying(MALFORMED["NUL in a field"])) as seen, Transport() as transport:
        fields = (("X-A", "b:"), ("X-B", ""), ("Accept", "q;"))
        transport.send(Sending(seen.request("OPTIONS", "/p%2f?q", fields)))
    first, again = (head.split(b"\r\n") for head in seen.heads)
    assert first[0] == again[0] == b"OPTIONS /p%2f?q HTTP/1.1"
    assert first[1:5] == [line.strip() for line in again[1:5]]
    assert again[5:] == [b"Connection: close", b"", b""]


@pytest.mark.parametrize("method", ["POST", "DELETE", "BREW"])
def test_an_unsafe_request_is_never_repeated_for_evidence(method: str) -> None:
    with origin(saying(MALFORMED["NUL in a field"])) as seen, Transport() as transport:
        end = cast(Failed, transport.send(Sending(seen.request(method))))
    assert (end.name, end.evidence, len(seen.heads)) == ("malformed-response", None, 1)


def test_an_origin_that_is_gone_leaves_no_evidence() -> None:
    def talk(peer: Peer) -> None:
        if peer.head() and len(peer.origin.heads) == 1:
            peer.say(MALFORMED["NUL in a field"])

    end = end_of(talk, evidence=True)
    assert (end.name, end.evidence) == ("malformed-response", None)


def test_half_a_head_and_a_close_break_the_protocol() -> None:
    assert end_of(saying(HEAD)).name == "protocol"


def test_a_close_without_an_answer_breaks_the_protocol() -> None:
    assert end_of(saying(b"")).name == "protocol"


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1000\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_content_that_breaks_off_does_not_take_the_answer_away(rest: bytes) -> None:
    answer = response_to(saying(HEAD + rest))
    assert (answer.status, answer.locations, answer.cut) == (302, ("/a",), "protocol")


def test_no_listener_is_no_connection() -> None:
    with origin(saying(b"")) as closed:
        pass
    with Transport() as transport:
        end = transport.send(Sending(closed.request()))
    assert isinstance(end, End)
    assert (end.name, closed.connections) == ("connect", 0)


def test_a_name_without_address_does_not_resolve() -> None:
    with Transport(TransportSettings(timeout=10)) as transport:
        end = transport.send(Sending(Outgoing("GET", URL.parse("http://nowhere.invalid/"))))
    assert isinstance(end, End)
    assert end.name == "resolve"


@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "dict", "http+unix", "ws"])
def test_no_other_scheme_is_spoken(scheme: str) -> None:
    with Transport() as transport:
        sending = Sending(Outgoing("GET", URL(scheme, "127.0.0.1", "1", "/etc/hostname", None, None)))
        end = transport.send(sending)
    assert isinstance(end, End)
    assert end.name == "refused-scheme"


@pytest.mark.parametrize(
    "whole", [b"HTTP/1.1 103 E\r\nA: b\r\n\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc"]
)
def test_an_answer_cut_anywhere_is_an_answer_or_an_end(whole: bytes) -> None:
    """Every position at which the origin can stop and close."""
    positions = iter(range(len(whole)))
    end_of_head = len(whole) - 3

    def talk(peer: Peer) -> None:
        if peer.head():
            peer.say(whole[: next(positions)])

    with origin(talk) as seen, Transport(TransportSettings(timeout=5, evidence=False)) as transport:
        for at in range(len(whole)):
            outcome = transport.send(Sending(seen.request("POST")))
            if at < end_of_head:
                assert isinstance(outcome, Failed), at
                assert outcome.name in ("protocol", "malformed-response"), at
            else:
                assert isinstance(outcome, Response), at
                assert (outcome.status, outcome.content, outcome.cut) == (
                    302,
                    whole[end_of_head:at],
                    "protocol",
                )
    assert len(seen.heads) == len(whole)


def test_an_answer_in_single_octets_is_the_same_answer() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.drip(HEAD + b"Content-Length: 2\r\n\r\nhi", 0)

    answer = response_to(talk)
    assert (answer.status, answer.content, answer.raw_head) == (
        302,
        b"hi",
        HEAD + b"Content-Length: 2\r\n\r\n",
    )


def test_what_broke_leaves_the_next_request_alone() -> None:
    answers = iter([MALFORMED["NUL in a field"], FOUND, HEAD, FOUND])

    def talk(peer: Peer) -> None:
        if peer.head():
            peer.say(next(answers))

    with origin(talk) as seen, Transport(TransportSettings(evidence=False)) as transport:
        outcomes = [transport.send(Sending(seen.request("POST"))) for _ in range(4)]
    assert [getattr(one, "name", "") for one in outcomes] == ["malformed-response", "", "protocol", ""]


def test_every_end_of_libcurl_is_a_known_end() -> None:
    assert {row.name for row in ERRORS.values()} <= ENDS.keys()


def test_a_connection_that_the_origin_closed_between_two_requests_is_opened_anew() -> None:
    with origin(saying(FOUND)) as seen, Transport() as transport:
        statuses = [cast(Response, transport.send(Sending(seen.request()))).status for _ in range(3)]
    assert (statuses, seen.connections) == ([302, 302, 302], 3)


def test_an_idle_connection_that_the_origin_closes_does_no_harm() -> None:
    def talk(peer: Peer) -> None:
        if len(peer.origin.heads) == 0:
            peer.head()
            peer.say(FOUND)
            return
        while peer.head():
            peer.say(FOUND)

    with origin(talk) as closing, origin(keeping(FOUND)) as other, Transport() as transport:
        for one in (closing, other, other, closing, other):
            assert isinstance(transport.send(Sending(one.request())), Response)
    assert (closing.connections, other.connections) == (2, 1)
