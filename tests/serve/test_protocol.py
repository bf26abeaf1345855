"""What a connection answers: bytes in, bytes out."""

from __future__ import annotations

import msgspec
import pytest

from detour.core.matcher import RuleSet
from detour.core.message import METHODS, Request
from detour.serve.answering import Endpoint
from detour.serve.listener import TURNED_AWAY
from detour.serve.protocol import MOST_AT_ONCE
from detour.serve.stats import (
    CONNECTIONS_CLOSED,
    CONNECTIONS_OPENED,
    LOST_ANSWERS,
    REFUSED_HEADS,
    Counters,
    answer_slot,
)
from tests.serve.fake_transport import Client, Rig, read_answers, request, ruleset

GET = request()
POST = request("POST /v1/resource HTTP/1.1", "Content-Length: 5", content=b"hello")


@pytest.fixture
def rig() -> Rig:
    return Rig()


# -- redirects --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_is_redirected_and_the_connection_kept(rig: Rig, method: str) -> None:
    client = rig.ask(request(f"{method} /v1/resource HTTP/1.1"))
    (answer,) = read_answers(client.octets, [method])
    assert answer.status == 307
    assert answer.fields["Location"] == "https://api.example.com/v2/resource"
    assert client.keeps


def test_an_answer_is_one_write(rig: Rig) -> None:
    client = rig.ask(GET)
    client.send(GET)
    assert client.transport.writes == 2
    assert client.statuses == [307, 307]


def test_what_was_decided_twice_comes_from_the_memo_and_is_the_same(rig: Rig) -> None:
    first = rig.ask(POST).octets
    assert len(rig.endpoint.memo) == 0
    assert rig.ask(POST).octets == first
    assert len(rig.endpoint.memo) == 1
    assert rig.ask(POST).octets == first


def test_the_query_is_passed_on_as_received(rig: Rig) -> None:
    answer = rig.ask(request("GET /old/a%2fb?x=%7e&y=1'2 HTTP/1.1")).answer
    assert answer.fields["Location"] == "/new/a%2Fb?x=%7e&y=1'2"


def test_only_the_method_in_the_way_is_405_with_allow(rig: Rig) -> None:
    answer = rig.ask(request("DELETE /old/x HTTP/1.1")).answer
    assert answer.status == 405
    assert answer.fields["Allow"] == "GET, HEAD, POST"


def test_no_rule_is_404_and_a_pass_rule_its_status(rig: Rig) -> None:
    client = rig.ask(request("GET /nothing HTTP/1.1") + request("GET /gone HTTP/1.1"))
    assert client.statuses == [404, 410]
    assert client.answers[0].content == b"404 Not Found\n"
    assert client.keeps


def test_content_that_comes_later_is_dropped_and_the_next_request_answered(rig: Rig) -> None:
    client = rig.ask(POST[:-5])
    assert client.statuses == [307]
    client.send(b"he", b"ll", b"o" + GET)
    assert client.statuses == [307, 307]
    client.send(POST[:-3], b"llo", GET)
    assert client.statuses == [307] * 4


def test_pipelined_requests_are_answered_in_order(rig: Rig) -> None:
    mixed = GET + POST + request("GET /gone HTTP/1.1") + request("OPTIONS * HTTP/1.1") + POST + GET
    client = rig.ask(mixed)
    assert client.statuses == [307, 307, 410, 204, 307, 307]
    assert client.keeps


def test_http_1_0_closes_unless_it_asks_to_keep(rig: Rig) -> None:
    closing = rig.ask(request("GET /v1/resource HTTP/1.0"))
    assert closing.answer.fields["Connection"] == "close"
    assert closing.transport.closed
    keeping = rig.ask(request("GET /v1/resource HTTP/1.0", "Connection: Keep-Alive") * 2)
    assert [answer.fields["Connection"] for answer in keeping.answers] == ["keep-alive", "keep-alive"]
    assert keeping.keeps


def test_http_1_0_without_host_matches_patterns_of_any_host(rig: Rig) -> None:
    assert rig.ask(request("GET /v1/resource HTTP/1.0", host=None)).answer.status == 307
    assert rig.ask(request("GET /a HTTP/1.0", host=None)).answer.status == 404


@pytest.mark.parametrize("value", ["close", "Close", "x, close", "keep-alive, close"])
def test_connection_close_is_obeyed(rig: Rig, value: str) -> None:
    client = rig.ask(request("GET /v1/resource HTTP/1.1", f"Connection: {value}"))
    assert client.answer.fields["Connection"] == "close"
    assert client.transport.closed
    client.send(GET)
    assert client.statuses == [307]


def test_connection_keep_alive_takes_the_short_way_too(rig: Rig) -> None:
    asked = request(
        "POST /v1/resource HTTP/1.1", "Connection: keep-alive", "Content-Length: 2", content=b"ab"
    )
    client = rig.ask(asked * 3)
    client.send(asked, asked)
    assert client.statuses == [307] * 5
    assert client.keeps


def test_absolute_form_overrides_host(rig: Rig) -> None:
    answer = rig.ask(request("GET http://shop.example.com/a HTTP/1.1", host="other.example")).answer
    assert answer.fields["Location"] == "https://shop.example.com/a"
    assert (
        rig.ask(request("GET http://other.example/a HTTP/1.1", host="shop.example.com")).answer.status == 404
    )


def test_absolute_form_of_another_scheme_is_misdirected(rig: Rig) -> None:
    assert rig.ask(request("GET https://shop.example.com/a HTTP/1.1")).statuses == [421]
    tls = Rig(listen="https://127.0.0.1:0")
    assert tls.ask(request("GET http://shop.example.com/a HTTP/1.1")).statuses == [421]
    assert tls.ask(request("GET https://x.example/v1/resource HTTP/1.1")).statuses == [307]


def test_hosts_are_compared_without_case_default_port_or_disguise(rig: Rig) -> None:
    for host in ("SHOP.example.com", "shop.example.com:80", "shop.example.com:", "sho%70.example.com"):
        assert rig.ask(request("GET /a HTTP/1.1", host=host)).answer.status == 307, host
    assert rig.ask(request("GET /a HTTP/1.1", host="shop.example.com:8080")).answer.status == 404


def test_options_star_is_204_and_a_star_for_others_is_400(rig: Rig) -> None:
    answer = rig.ask(request("OPTIONS * HTTP/1.1")).answer
    assert (answer.status, answer.content) == (204, b"")
    assert "Content-Length" not in answer.fields
    assert rig.ask(request("GET * HTTP/1.1")).statuses == [400]


def test_the_rule_set_is_swapped_between_two_requests(rig: Rig) -> None:
    client = rig.ask(GET)
    other = ruleset('[[rule]]\nname = "new"\npattern = "/v1/resource"\nlocation = "/elsewhere"\n')
    rig.service.replace(other, Counters.private(other.series))
    client.send(GET)
    assert [answer.fields["Location"] for answer in client.answers][1] == "/elsewhere"


def test_a_window_ends_at_its_instant_whatever_was_remembered(rig: Rig) -> None:
    client = rig.client()
    asked = request("GET /window HTTP/1.1")
    end = 1_796_083_200.0  # 2026-12-01T00:00:00Z
    for now in (end - 5, end - 0.001, end, end - 0.001):
        rig.clock.now = now
        client.send(asked)
    assert client.statuses == [307, 307, 404, 307]


def test_a_clock_set_back_revives_nothing(rig: Rig) -> None:
    client = rig.client()
    asked = request("GET /window HTTP/1.1")
    start = 1_795_305_600.0  # 2026-11-22T00:00:00Z
    for now in (start, start + 5, start - 1):
        rig.clock.now = now
        client.send(asked)
    assert client.statuses == [307, 307, 404]


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_a_client_that_repeats_itself_sees_windows_reloads_and_dates(rig: Rig, content: bytes) -> None:
    client = rig.client()
    lines = [f"Content-Length: {len(content)}"] if content else []
    asked = request("POST /window HTTP/1.1", *lines, content=content)
    client.send(asked, asked, asked)
    rig.service.replace(
        ruleset('[[rule]]\nname = "x"\npattern = "/window"\nlocation = "/x"'), Counters.private(["x"])
    )
    client.send(asked, asked, asked)
    rig.service.replace(ruleset(), Counters.private(["window"]))
    client.send(asked, asked)
    rig.clock.now = 1_796_083_200.0  # 2026-12-01T00:00:00Z
    client.send(asked, asked)
    locations = [answer.fields.get("Location") for answer in client.answers]
    assert locations == ["/open"] * 3 + ["/x"] * 3 + ["/open"] * 2 + [None] * 2
    slot = rig.service.counters.hit_slot("window")
    assert slot is not None
    assert rig.count(slot) == 2
    assert rig.count(answer_slot("POST", 307)) == 2
    assert {answer.fields["Date"] for answer in client.answers[-2:]} == {"Tue, 01 Dec 2026 00:00:00 GMT"}


def test_a_client_that_repeats_itself_with_other_content_is_answered(rig: Rig) -> None:
    client = rig.client()
    for content in (b"hello", b"world", b"\r\n\r\nx", b"GET /"):
        client.send(POST[:-5] + content)
    client.send(POST[:-5], b"hel", b"lo", POST + GET, POST)
    assert client.statuses == [307] * 8


def test_the_date_is_that_of_the_second(rig: Rig) -> None:
    client = rig.ask(GET)
    rig.clock.pass_by(61)
    client.send(GET)
    first, second = (answer.fields["Date"] for answer in client.answers)
    assert (first[:16], second[:16]) == ("Wed, 25 Nov 2026", "Wed, 25 Nov 2026")
    assert first != second


def test_decisions_by_field_are_made_for_each_request(rig: Rig) -> None:
    with_beta = request("GET /beta HTTP/1.1", "X-Beta: 1")
    client = rig.ask(with_beta + request("GET /beta HTTP/1.1") + with_beta)
    assert client.statuses == [307, 404, 307]
    assert client.answers[0].fields["Vary"] == "X-Beta"


def test_decisions_by_address_are_made_for_each_connection(rig: Rig) -> None:
    asked = request("GET /inside HTTP/1.1")
    assert rig.ask(asked, "10.1.2.3").statuses == [307]
    assert rig.ask(asked, "192.0.2.1").statuses == [404]
    assert rig.ask(asked, "::ffff:10.1.2.3").statuses == [307]
    assert rig.ask(asked, "").statuses == [404]


def test_a_preflight_is_answered_and_not_redirected(rig: Rig) -> None:
    fields = ("Origin: https://a.example", "Access-Control-Request-Method: PUT")
    client = rig.ask(
        request("OPTIONS /cors HTTP/1.1", *fields) + request("OPTIONS /v1/resource HTTP/1.1", *fields)
    )
    assert client.statuses == [204, 403]
    assert client.answers[0].fields["Access-Control-Allow-Origin"] == "*"
    assert "Content-Length" not in client.answers[0].fields
    assert client.keeps


def test_options_that_is_no_preflight_is_redirected_before_and_after_one(rig: Rig) -> None:
    plain = request("OPTIONS /v1/resource HTTP/1.1")
    fields = ("Origin: https://a.example", "Access-Control-Request-Method: PUT")
    assert rig.ask(plain * 2 + request("OPTIONS /v1/resource HTTP/1.1", *fields) + plain).statuses == [
        307,
        307,
        403,
        307,
    ]


# -- content, Expect, Upgrade -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: 5", "Expect: 100-continue"),
        ("Transfer-Encoding: chunked",),
        ("Transfer-Encoding: gzip, chunked",),
        (f"Content-Length: {256 * 1024 + 1}",),
        ("Content-Length: 5", "Upgrade: h2c", "Connection: Upgrade"),
        ("Content-Length: 5", "Upgrade: h2c"),
        ("Transfer-Encoding: chunked", "Upgrade: h2c", "Connection: Upgrade"),
    ],
)
def test_content_not_worth_reading_ends_the_connection_politely(rig: Rig, fields: tuple[str, ...]) -> None:
    client = rig.ask(request("POST /v1/resource HTTP/1.1", *fields))
    assert client.answer.status == 307
    assert client.answer.fields["Connection"] == "close"
    assert client.transport.ended, "half-closed"
    assert not client.transport.closed, "the client may still send"
    client.send(GET, b"5\r\nhello\r\n0\r\n\r\n", GET)
    assert client.statuses == [307]
    assert client.protocol.eof_received() is False


def test_content_of_the_limit_keeps_the_connection(rig: Rig) -> None:
    size = 256 * 1024
    client = rig.ask(request("PUT /v1/resource HTTP/1.1", f"Content-Length: {size}") + b"x" * size + GET)
    assert client.statuses == [307, 307]
    assert client.keeps


def test_expect_without_content_keeps_the_connection(rig: Rig) -> None:
    assert rig.ask(request("POST /v1/resource HTTP/1.1", "Expect: 100-continue") + GET).statuses == [307, 307]


def test_over_tls_there_is_no_half_close_but_the_client_is_still_let_finish(rig: Rig) -> None:
    client = rig.client(tls=True)
    client.send(request("POST /v1/resource HTTP/1.1", "Transfer-Encoding: chunked"))
    assert client.answer.fields["Connection"] == "close"
    assert not client.transport.ended
    assert not client.transport.closed
    client.send(b"5\r\nhello\r\n")
    rig.wait(5.5)
    assert client.transport.closed
    assert client.statuses == [307]


def test_dropping_ends_after_five_seconds_of_silence_or_thirty_in_all(rig: Rig) -> None:
    silent = rig.ask(request("POST /v1/resource HTTP/1.1", "Transfer-Encoding: chunked"))
    busy = rig.ask(request("POST /v1/resource HTTP/1.1", "Transfer-Encoding: chunked"))
    closed_at = {}
    for second in range(40):
        busy.send(b"x")
        rig.wait(1)
        for client in (silent, busy):
            if client.transport.closed:
                closed_at.setdefault(client, second)
    assert closed_at[silent] in (4, 5)
    assert closed_at[busy] in (29, 30)


def test_announced_content_that_never_comes_closes_without_a_second_answer(rig: Rig) -> None:
    client = rig.ask(POST[:-1])
    rig.wait(6)
    assert client.transport.closed
    assert client.statuses == [307]


def test_slow_content_ends_after_thirty_seconds(rig: Rig) -> None:
    client = rig.ask(request("POST /v1/resource HTTP/1.1", "Content-Length: 1000"))
    for _ in range(32):
        client.send(b"x")
        rig.wait(1)
    assert client.transport.closed


def test_upgrade_without_content_is_ignored_and_the_next_request_answered(rig: Rig) -> None:
    asked = request("GET /v1/resource HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
    client = rig.ask(asked + GET + asked)
    client.send(asked, GET)
    assert client.statuses == [307] * 5
    assert client.keeps


# -- smuggling --------------------------------------------------------------------------------------

INNER = request("GET /gone HTTP/1.1")


@pytest.mark.parametrize(
    "fields",
    [
        ("Upgrade: h2c", "Connection: Upgrade", f"Content-Length: {len(INNER)}"),
        ("Upgrade: h2c", "Connection: Upgrade", "Transfer-Encoding: chunked"),
        (f"Content-Length: {len(INNER)}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", f"Content-Length: {len(INNER)}"),
        ("Content-Length: 0", f"Content-Length: {len(INNER)}"),
        ("Content-Length: 0", "Content-Length: 0"),
        ("Content-Length: 0, 0",),
        ("Content-Length: +0",),
        ("Content-Length: -1",),
        ("Content-Length: 0x0",),
        ("Content-Length:",),
        ("Content-Length : 0",),
        ("Content-Length: 99999999999999999999999",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding:",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding:\x0bchunked",),
        ("X: y\rTransfer-Encoding: chunked",),
        ("X: y\nTransfer-Encoding: chunked",),
        ("X: y", " Transfer-Encoding: chunked"),
        ("Expect: 100-continue", f"Content-Length: {len(INNER)}"),
    ],
)
def test_content_is_never_taken_for_a_request(rig: Rig, fields: tuple[str, ...]) -> None:
    octets = request("POST /v1/resource HTTP/1.1", *fields, content=INNER)
    for client in (rig.ask(octets), rig.client().send(*(octets[at : at + 1] for at in range(len(octets))))):
        assert len(client.answers) == 1, "exactly one answer"
        assert client.answer.fields["Connection"] == "close"
        assert not client.keeps


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("Host: other.example",), 400),
        (("Host: API.example.com",), 400),
        (("Transfer-Encoding: chunked",), 307),
        (("Expect: 100-continue", "Content-Length: 5"), 307),
        (("Upgrade: h2c", "Content-Length: 5"), 307),
        (("Connection: close",), 307),
        (("Content-Length: 7",), 307),
    ],
)
def test_an_answer_remembered_excuses_nothing(rig: Rig, fields: tuple[str, ...], status: int) -> None:
    rig.ask(request("POST /v1/resource HTTP/1.1", "Content-Length: 5", content=b"hello") * 3)
    for order in (fields, fields[::-1]):
        lines = (*order, "Host: api.example.com")
        client = rig.ask(request("POST /v1/resource HTTP/1.1", *lines, host=None, content=b"") + INNER)
        if fields == ("Content-Length: 7",):
            assert client.statuses[0] == 307
            assert client.statuses != [307, 410], "seven octets of the inner request are content"
        else:
            assert client.answer.status == status
            assert client.answer.fields["Connection"] == "close"


def test_the_announced_content_may_be_a_request_and_is_still_content(rig: Rig) -> None:
    octets = request("POST /v1/resource HTTP/1.1", f"Content-Length: {len(INNER)}", content=INNER)
    assert rig.ask(octets * 3).statuses == [307] * 3


# -- refusals ---------------------------------------------------------------------------------------

LONG = "x" * 8192
REFUSALS: dict[str, tuple[int, bytes]] = {
    "two Hosts": (400, request("GET / HTTP/1.1", "Host: b.example")),
    "two Hosts of different case": (400, request("GET / HTTP/1.1", "hOST: api.example.com")),
    "no Host": (400, request("GET / HTTP/1.1", host=None)),
    "an empty Host": (400, request("GET / HTTP/1.1", host="")),
    "a Host with a path": (400, request("GET / HTTP/1.1", host="a.example/x")),
    "a Host with user information": (400, request("GET / HTTP/1.1", host="u@a.example")),
    "a Host with a bad port": (400, request("GET / HTTP/1.1", host="a.example:99999")),
    "a Host with a space": (400, request("GET / HTTP/1.1", host="a example")),
    "a Host that is half an address": (400, request("GET / HTTP/1.1", host="[::1")),
    "a Host that is no address": (400, request("GET / HTTP/1.1", host="1.2.3.4.5")),
    "a Host of other octets": (400, request("GET / HTTP/1.1", host="\xe9.example")),
    "a bad Host beside an absolute target": (400, request("GET http://a.example/ HTTP/1.1", host="a/b")),
    "an unknown method": (501, request("FOO / HTTP/1.1")),
    "a method that begins well": (501, request("GETX / HTTP/1.1")),
    "a lower-case method": (501, request("get / HTTP/1.1")),
    "a method of another protocol": (501, request("SETUP / HTTP/1.1")),
    "CONNECT": (501, request("CONNECT a.example:443 HTTP/1.1")),
    "no method": (400, b"\x00\x01\x02" + GET),
    "an answer for a request": (501, b"HTTP/1.1 200 OK\r\n\r\n"),
    "TLS": (400, bytes.fromhex("16030100c8010000c40303") + bytes(range(200))),
    "HTTP/2.0": (505, request("GET / HTTP/2.0")),
    "the preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/3.0": (505, request("GET / HTTP/3.0")),
    "HTTP/1.2": (505, request("GET / HTTP/1.2")),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
    "HTTP/0.9 by number": (400, request("GET / HTTP/0.9")),
    "a version in lower case": (400, request("GET / http/1.1")),
    "another protocol": (400, request("OPTIONS * RTSP/1.0")),
    "two spaces": (400, request("GET  / HTTP/1.1")),
    "a space at the end": (400, request("GET / HTTP/1.1 ")),
    "a target that is none": (400, request("GET foo HTTP/1.1")),
    "a target of other octets": (400, request("GET /caf\xe9 HTTP/1.1")),
    "a query of other octets": (400, request("GET /?caf\xe9 HTTP/1.1")),
    "a fragment": (400, request("GET /v1/resource#x HTTP/1.1")),
    "a fragment in an absolute target": (400, request("GET http://a.example/#x HTTP/1.1")),
    "user information in an absolute target": (400, request("GET http://u:p@a.example/ HTTP/1.1")),
    "an absolute target without authority": (400, request("GET http:///a.example/ HTTP/1.1")),
    "an absolute target of no host": (400, request("GET http://1.2.3.4.5/ HTTP/1.1")),
    "another scheme": (400, request("GET ftp://a.example/ HTTP/1.1")),
    "NUL": (400, request("GET / HTTP/1.1", "X: a\0b")),
    "NUL in a name": (400, request("GET / HTTP/1.1", "X\0: a")),
    "a bare LF": (400, GET.replace(b"\r\n", b"\n")),
    "a bare LF in a field": (400, request("GET / HTTP/1.1", "X: a\nY: b")),
    "a bare CR": (400, request("GET / HTTP/1.1", "X: a\rY: b")),
    "a folded line": (400, request("GET / HTTP/1.1", "X: a", " b")),
    "a field without a name": (400, request("GET / HTTP/1.1", ": a")),
    "a field without a colon": (400, request("GET / HTTP/1.1", "X")),
    "a space before the colon": (400, request("GET / HTTP/1.1", "X : a")),
    "a bare LF before the request": (400, b"\n" + GET),
    "a bare CR before the request": (400, b"\r" + GET),
    "half an empty line before the request": (400, b"\r\n\r" + GET),
    "an empty line the wrong way round": (400, b"\n\r" + GET),
    "a target over 8 KiB": (414, request(f"GET /{LONG} HTTP/1.1")),
    "a request line without an end": (414, f"GET /{LONG}".encode()),
    "a target over 8 KiB and a fault behind it": (414, request(f"GET /{LONG} HTTP/1.1", "X\0: a")),
    "a fault in a target over 8 KiB": (400, request(f"GET /\x01{LONG} HTTP/1.1")),
    "a head over 16 KiB": (431, request("GET / HTTP/1.1", f"X: {LONG}", f"Y: {LONG}")),
    "a head without an end": (431, request("GET / HTTP/1.1", f"X: {LONG}", f"Y: {LONG}")[:-4]),
    "a fault behind 16 KiB of head": (431, request("GET / HTTP/1.1", f"X: {LONG}", f"Y: {LONG}", "Z\0: z")),
    "10,000 fields": (431, request("GET / HTTP/1.1", *("X: y" for _ in range(10_000)))),
    "empty lines without an end": (431, b"\r\n" * 8193),
    "empty lines that make a head too long": (431, b"\r\n" * 8180 + GET),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_its_status_one_line_of_text_and_a_polite_end(rig: Rig, name: str) -> None:
    status, octets = REFUSALS[name]
    client = rig.ask(octets + GET)
    answer = client.answer
    assert answer.status == status, answer
    assert answer.fields["Connection"] == "close"
    assert answer.fields["Cache-Control"] == "no-store"
    assert answer.fields["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.count(b"\n") == 1
    assert answer.content.endswith(b"\n")
    assert client.transport.ended
    assert not client.transport.closed
    assert rig.count(REFUSED_HEADS) == 1
    assert rig.warnings == []


def test_tls_on_a_plain_port_is_told_so(rig: Rig) -> None:
    assert b"this port speaks plain HTTP" in rig.ask(b"\x16\x03\x01").answer.content


def test_a_refused_head_request_gets_no_content(rig: Rig) -> None:
    client = rig.ask(request("HEAD / HTTP/1.1", host=None))
    (answer,) = read_answers(client.octets, ["HEAD"])
    assert answer.status == 400


def test_the_limits_themselves_are_within_them(rig: Rig) -> None:
    target = "/" + "x" * 8191
    assert rig.ask(request(f"GET {target} HTTP/1.1")).statuses == [404]
    bare = len(request("GET / HTTP/1.1", "X: "))
    octets = request("GET / HTTP/1.1", "X: " + "y" * (16384 - bare))
    assert len(octets) == 16384
    assert rig.ask(octets + octets).statuses == [404, 404]
    assert rig.ask(b"\r\n" + octets).statuses == [431]


def test_empty_lines_before_a_request_are_ignored(rig: Rig) -> None:
    client = rig.ask(b"\r\n\r\n" + GET + b"\r\n" + POST + b"\r\n" * 7 + GET)
    assert client.statuses == [307] * 3
    client.send(b"\r\n", GET, b"\r", b"\n", GET)
    assert client.statuses == [307] * 5


def test_a_head_without_end_is_not_kept(rig: Rig) -> None:
    client = rig.ask(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(1024):
        client.send(b"y" * 65536)
    assert client.statuses == [431]
    assert len(client.protocol._held) == 0


# -- time -------------------------------------------------------------------------------------------


def test_a_slow_head_is_408_after_its_time_even_if_bytes_keep_coming(rig: Rig) -> None:
    client = rig.ask(b"G")
    for octet in b"ET / HTTP":
        rig.wait(1)
        client.send(bytes([octet]))
    assert client.answers == []
    rig.wait(1.25)
    assert client.statuses == [408]
    assert client.answer.fields["Connection"] == "close"
    assert client.transport.ended


def test_a_connection_that_asks_nothing_closes_silently(rig: Rig) -> None:
    client = rig.client()
    rig.wait(59)
    assert client.keeps
    rig.wait(2)
    assert client.transport.closed
    assert client.octets == b""


def test_an_idle_connection_closes_silently_after_its_last_answer(rig: Rig) -> None:
    client = rig.client()
    for _ in range(3):
        rig.wait(50)
        client.send(GET)
    rig.wait(59)
    assert client.keeps
    rig.wait(2)
    assert client.transport.closed
    assert client.statuses == [307] * 3


def test_empty_lines_do_not_keep_a_connection_alive(rig: Rig) -> None:
    client = rig.client()
    for _ in range(61):
        client.send(b"\r\n")
        rig.wait(1)
    assert client.transport.closed
    assert client.octets == b""


# -- clients that do not read, go away, or are too many ---------------------------------------------


def test_a_client_that_does_not_read_is_not_listened_to(rig: Rig) -> None:
    client = rig.client()
    client.stall()
    client.send(GET * 10)
    assert client.transport.writes == 1
    assert not client.transport.reads
    client.read_on()
    assert client.statuses == [307] * 10
    assert client.transport.reads


def test_a_client_that_reads_a_little_gets_a_little(rig: Rig) -> None:
    client = rig.client()
    client.stall()
    client.send(POST * 3)
    for answers in (2, 3):
        client.protocol.resume_writing()
        assert client.transport.writes == answers
        assert not client.transport.reads


def test_a_client_that_never_reads_is_cut_off_and_counted(rig: Rig) -> None:
    client = rig.client()
    client.stall()
    client.send(GET * 3)
    rig.wait(61)
    assert client.transport.aborted
    client.leave()
    assert rig.count(LOST_ANSWERS) == 1
    assert not rig.service.connections


def test_an_answer_that_is_never_flushed_does_not_hold_a_closing_connection_for_ever(rig: Rig) -> None:
    client = rig.client()
    client.stall()
    client.send(request("GET /v1/resource HTTP/1.1", "Connection: close"))
    assert client.transport.closed
    rig.wait(31)
    assert client.transport.aborted


def test_a_client_that_does_not_read_is_still_drained(rig: Rig) -> None:
    client = rig.client()
    client.stall()
    client.send(request("POST /v1/resource HTTP/1.1", "Transfer-Encoding: chunked"))
    assert client.transport.reads
    client.send(b"x" * 1000)
    client.read_on()
    assert client.statuses == [307]


def test_a_half_closed_client_still_gets_what_it_asked_for(rig: Rig) -> None:
    client = rig.client()
    client.stall()
    client.send(GET * 3)
    assert client.protocol.eof_received() is True
    client.read_on()
    assert client.statuses == [307] * 3
    assert client.transport.closed


def test_a_client_that_closes_is_closed(rig: Rig) -> None:
    for client in (rig.ask(GET), rig.client(), rig.ask(b"GET / HT"), rig.ask(POST[:-1])):
        assert client.protocol.eof_received() is False


def test_a_reset_while_content_is_dropped_is_a_lost_answer(rig: Rig) -> None:
    client = rig.ask(request("POST /v1/resource HTTP/1.1", "Transfer-Encoding: chunked"))
    client.leave(ConnectionResetError())
    rig.ask(GET).leave(ConnectionResetError())
    rig.ask(request("POST /v1/resource HTTP/1.1", "Transfer-Encoding: chunked")).leave()
    assert rig.count(LOST_ANSWERS) == 1


def test_connections_are_counted_and_forgotten(rig: Rig) -> None:
    clients = [rig.ask(GET) for _ in range(5)]
    assert len(rig.service.connections) == 5
    for client in clients:
        client.leave()
    assert rig.service.connections == set()
    assert rig.endpoint.open == 0
    assert (rig.count(CONNECTIONS_OPENED), rig.count(CONNECTIONS_CLOSED)) == (5, 5)


def test_one_connection_too_many_is_503_and_far_too_many_are_cut() -> None:
    rig = Rig(max_connections=2)
    clients = [rig.client() for _ in range(2 + TURNED_AWAY + 3)]
    assert [client.statuses for client in clients] == [[]] * 2 + [[503]] * TURNED_AWAY + [[]] * 3
    assert clients[2].answer.fields["Connection"] == "close"
    cut = [client.transport.aborted for client in clients]
    assert cut == [False] * (2 + TURNED_AWAY) + [True] * 3
    for client in clients:
        client.leave()
    assert rig.ask(GET).statuses == [307]


# -- draining ---------------------------------------------------------------------------------------


def test_draining_closes_idle_connections_at_once_and_others_with_their_answer(rig: Rig) -> None:
    idle, busy = rig.ask(GET), rig.ask(GET + GET[:20])
    sending = rig.ask(POST[:-1])
    rig.service.drain()
    assert idle.transport.closed
    busy.send(GET[20:])
    assert [answer.fields.get("Connection") for answer in busy.answers] == [None, "close"]
    assert busy.transport.closed
    sending.send(b"o")
    rig.wait(0.25)
    assert sending.transport.closed
    late = rig.ask(POST)
    assert late.answer.fields["Connection"] == "close"
    assert len(rig.endpoint.memo) == 0


def test_close_all_cuts_what_is_left(rig: Rig) -> None:
    client = rig.ask(b"GET")
    rig.service.close_all()
    assert client.transport.aborted


def test_the_health_path_is_answered_before_any_rule_and_503_while_draining() -> None:
    rig = Rig(health="/v1/resource")
    client = rig.ask(GET)
    assert (client.answer.status, client.answer.content) == (200, b"ok\n")
    rig.service.drain()
    assert rig.ask(GET).statuses == [503]


# -- who asks, over what ----------------------------------------------------------------------------

SHOP = ("GET /cart HTTP/1.1",)


def shop(*fields: str) -> bytes:
    return request("GET /cart HTTP/1.1", *fields, host="shop.example.com")


def test_a_trusted_proxy_says_the_scheme() -> None:
    rig = Rig(source="x-forwarded", trusted=("10.0.0.0/8",))
    for _ in range(2):
        client = rig.ask(
            shop("X-Forwarded-Proto: https") + shop("X-Forwarded-Proto: http") + shop(), "10.0.0.1"
        )
        assert client.statuses == [404, 307, 307]
        assert client.answers[1].fields["Location"] == "https://shop.example.com/cart"
    assert rig.warnings == []


def test_a_trusted_proxy_says_the_client() -> None:
    rig = Rig(source="forwarded", trusted=("192.0.2.1",))
    for client, statuses in (("10.1.1.1", [307]), ("203.0.113.1", [404]), ("unknown", [404])):
        asked = request("GET /inside HTTP/1.1", f"Forwarded: for={client}")
        assert rig.ask(asked, "192.0.2.1").statuses == statuses
        assert rig.ask(asked, "192.0.2.9").statuses == [404]


def test_a_trusted_proxy_says_the_host_where_the_listener_allows_it() -> None:
    asked = request("GET /cart HTTP/1.1", "X-Forwarded-Host: shop.example.com", host="backend")
    settings = {"source": "x-forwarded", "trusted": ("10.0.0.0/8",)}
    assert Rig(**settings).ask(asked, "10.0.0.1").statuses == [404]
    rig = Rig(**settings, trust_host=True)
    assert rig.ask(asked, "10.0.0.1").statuses == [307]
    assert rig.ask(asked, "192.0.2.1").statuses == [404]
    crooked = request("GET /cart HTTP/1.1", "X-Forwarded-Host: a/b", host="shop.example.com")
    assert rig.ask(crooked, "10.0.0.1").statuses == [307]


def test_forwarded_fields_of_others_are_ignored(rig: Rig) -> None:
    asked = request("GET /inside HTTP/1.1", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1")
    assert rig.ask(asked).statuses == [404]


@pytest.mark.parametrize(
    "field", ["X-Forwarded-Proto: https", "x-forwarded-proto: HTTPS", "Forwarded: proto=https"]
)
def test_an_untrusted_forwarded_scheme_that_is_the_redirects_own_is_500(rig: Rig, field: str) -> None:
    client = rig.ask(shop() + shop(field))
    client.send(shop(), shop(field), shop("X-Forwarded-Proto: http"))
    assert client.statuses == [307, 500, 307, 500, 307]
    assert client.answers[1].fields["Cache-Control"] == "no-store"
    assert "Location" not in client.answers[1].fields
    assert client.keeps
    (warning,) = rig.warnings
    assert '[[listener]] source = "x-forwarded", trusted = [' in warning
    assert "\n" not in warning
    rig.clock.pass_by(1)
    client.send(shop(field))
    assert len(rig.warnings) == 2


def test_a_redirect_that_changes_more_than_the_scheme_is_no_loop(rig: Rig) -> None:
    client = rig.ask(request("GET /v1/resource HTTP/1.1", "X-Forwarded-Proto: https"))
    assert client.statuses == [307]
    port = request("GET /cart HTTP/1.1", "X-Forwarded-Proto: https", host="shop.example.com:80")
    assert rig.ask(port).statuses == [500]


def test_the_believed_family_is_no_evidence_and_the_other_is() -> None:
    rig = Rig(source="x-forwarded", trusted=("10.0.0.0/8",))
    fields = ("X-Forwarded-Proto: http", "Forwarded: proto=https")
    assert rig.ask(shop(fields[0]), "10.0.0.1").statuses == [307]
    assert rig.ask(shop(*fields), "10.0.0.1").statuses == [500]


# -- what is counted and told -----------------------------------------------------------------------


def test_answers_and_hits_are_counted_on_the_short_way_and_the_long(rig: Rig) -> None:
    client = rig.ask(GET)
    client.send(GET, POST, request("FOO / HTTP/1.1"))
    view = rig.service.counters.view
    assert view[answer_slot("GET", 307)] == 2
    assert view[answer_slot("POST", 307)] == 1
    assert view[answer_slot("other", 501)] == 1
    slot = rig.service.counters.hit_slot("resource")
    assert slot is not None
    assert view[slot] == 3


def test_a_failing_decision_is_500_one_warning_and_no_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    client = rig.client()
    with monkeypatch.context() as patch:
        patch.setattr(type(rig.service.ruleset), "decide", fail)
        patch.setattr(Endpoint, "direct", fail)
        client.send(GET + POST)
    client.send(GET)
    assert client.statuses == [500, 500, 307]
    (warning,) = rig.warnings
    assert "\n" not in warning
    assert "ZeroDivisionError" in warning


def test_a_miss_is_told_at_most_once_a_second_and_after_the_answer(rig: Rig) -> None:
    missed: list[Request] = []
    later: list[tuple[object, ...]] = []
    rig.service.on_miss = missed.append
    rig.service.soon = lambda *call: later.append(call)
    client = rig.ask(request("GET /none HTTP/1.1") * 3)
    assert client.statuses == [404] * 3
    assert missed == []
    ((told, asked),) = later
    assert told == missed.append
    assert isinstance(asked, Request)
    assert asked.path == "/none"
    rig.clock.pass_by(1)
    client.send(request("GET /none HTTP/1.1"))
    assert len(later) == 2


def test_a_decision_that_would_break_the_head_is_500_and_told(rig: Rig) -> None:
    rule = rig.service.ruleset.rules[0]
    terms = msgspec.structs.replace(rule.terms, headers=(("X-Note", "a\r\nb"),), settled=False)
    rules = RuleSet.of([msgspec.structs.replace(rule, terms=terms)])
    rig.service.replace(rules, Counters.private(rules.series))
    client = rig.ask(GET + GET)
    assert client.statuses == [500, 500]
    (warning,) = rig.warnings
    assert "X-Note" in warning


def _answered_in_the_first_turn(rig: Rig, client: Client, octets: bytes) -> int:
    """How many answers go out before others have their turn."""
    client.protocol.data_received(octets)
    return len(client.answers)


@pytest.mark.parametrize("log", [False, True])
def test_many_requests_at_once_are_answered_in_turns_and_in_order(log: bool) -> None:
    rig = Rig(log=log)
    client, other = rig.client(), rig.client()
    count = 5 * MOST_AT_ONCE
    first = _answered_in_the_first_turn(rig, client, GET * count + GET[:10])
    assert MOST_AT_ONCE <= first <= MOST_AT_ONCE + 1
    assert not client.transport.reads
    other.protocol.data_received(GET)
    assert other.statuses == [307]
    rig.step()
    assert len(client.answers) <= first + MOST_AT_ONCE
    rig.turn()
    assert client.statuses == [307] * count
    assert client.transport.reads
    client.send(GET[10:] + POST)
    assert client.statuses == [307] * (count + 2)


def test_a_client_that_stops_reading_or_leaves_between_turns_is_not_lost_track_of(rig: Rig) -> None:
    count = 3 * MOST_AT_ONCE
    client = rig.client()
    client.protocol.data_received(GET * count)
    client.protocol.pause_writing()
    rig.step()
    assert len(client.answers) < count
    assert not client.transport.reads
    client.read_on()
    assert client.statuses == [307] * count
    assert client.transport.reads
    early = rig.client()
    early.protocol.data_received(GET * count)
    early.protocol.pause_writing()
    early.protocol.resume_writing()  # both before the next turn
    rig.turn()
    assert early.statuses == [307] * count
    gone = rig.client()
    gone.protocol.data_received(GET * count)
    answered = len(gone.answers)
    gone.leave()
    rig.turn()
    assert len(gone.answers) == answered


def test_a_fault_behind_many_requests_ends_the_connection_and_goes_on_dropping(rig: Rig) -> None:
    client = rig.client()
    client.protocol.data_received(GET * 2 * MOST_AT_ONCE + b"\0" + GET)
    rig.turn()
    assert client.statuses == [307] * (2 * MOST_AT_ONCE) + [400]
    assert client.transport.ended
    assert client.transport.reads, "an end with octets unread would be a reset"


def test_draining_waits_for_requests_that_wait_for_their_turn(rig: Rig) -> None:
    client = rig.client()
    client.protocol.data_received(GET * 2 * MOST_AT_ONCE)
    answered = len(client.answers)
    rig.service.drain()
    assert not client.transport.closed
    rig.turn()
    assert client.statuses == [307] * (answered + 1)
    assert client.answers[-1].fields["Connection"] == "close"


def test_the_access_log_is_one_json_line_an_answer() -> None:
    rig = Rig(log=True)
    client = rig.ask(GET * 2 + request('GET /?"\x7f HTTP/1.1'))
    lines = [msgspec.json.decode(line) for line in rig.log]
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in rig.log)
    assert [line["status"] for line in lines] == client.statuses == [307, 307, 400]
    assert sum(line["bytes"] for line in lines) == len(client.octets)
    assert lines[0] == lines[1]
    assert lines[0] == {
        "time": "2026-11-25T09:46:40Z",
        "client": "192.0.2.7",
        "method": "GET",
        "scheme": "http",
        "host": "api.example.com",
        "target": "/v1/resource",
        "status": 307,
        "rule": "resource",
        "location": "https://api.example.com/v2/resource",
        "bytes": lines[0]["bytes"],
    }
    assert lines[2]["target"] is None


def test_the_access_log_names_the_client_that_a_trusted_proxy_names() -> None:
    rig = Rig(log=True, source="x-forwarded", trusted=("10.0.0.0/8",))
    rig.ask(
        request("GET / HTTP/1.1", "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"), "10.0.0.1"
    )
    line = msgspec.json.decode(rig.log[0])
    assert (line["client"], line["scheme"]) == ("198.51.100.1", "https")


# -- the memo ---------------------------------------------------------------------------------------


def test_a_flood_of_targets_stays_within_bounds_and_keeps_what_is_popular(rig: Rig) -> None:
    client = rig.client()
    for number in range(20_000):
        client.send(request(f"GET /old/{number} HTTP/1.1"))
        if number % 2:
            client.send(request(f"GET /old/{number} HTTP/1.1"))
        if number % 1000 == 0:
            client.send(GET)
    assert 10_000 < len(rig.endpoint.memo) <= 2 * 16384
    line_and_host = (b"GET /v1/resource HTTP/1.1", b"\nHost: api.example.com")
    assert rig.endpoint.memo.find(line_and_host) is not None


def test_of_what_takes_no_decision_only_what_is_asked_for_again_is_kept() -> None:
    rig = Rig('[[rule]]\nname = "old"\npattern = "/old/*"\nlocation = "https://b.test/{0}"\n')
    client = rig.client()
    for number in range(40_000):
        client.send(request(f"GET /old/{number} HTTP/1.1"))
    assert len(rig.endpoint.memo) < 40_000 / 5
    popular = request("GET /old/popular HTTP/1.1")
    answers = [rig.ask(popular).octets for _ in range(3)]
    assert answers == answers[:1] * 3
    line_and_host = (b"GET /old/popular HTTP/1.1", b"\nHost: api.example.com")
    assert rig.endpoint.memo.find(line_and_host) is not None


def test_what_no_rule_answers_and_long_targets_are_not_remembered(rig: Rig) -> None:
    rig.ask(request("GET /none HTTP/1.1") + request(f"GET /old/{'x' * 600} HTTP/1.1"))
    assert len(rig.endpoint.memo) == 0


def test_many_lengths_of_content_do_not_fill_the_memory(rig: Rig) -> None:
    client = rig.client()
    for size in range(1, 1500):
        client.send(request("POST /v1/resource HTTP/1.1", f"Content-Length: {size}", content=b"x" * size))
    assert len(rig.service.harmless) <= 1024
    assert client.statuses == [307] * 1499


def test_the_transport_is_asked_to_write_at_once_but_not_over_tls(rig: Rig) -> None:
    assert rig.client().transport.limits == 0
    assert Client(rig.endpoint, tls=True).transport.limits == 16384


@pytest.mark.parametrize(
    "field", ["Expect: 100-continue", "Content-Length: 5000000", "Connection: close", "Upgrade: h2c"]
)
def test_another_line_is_no_host(rig: Rig, field: str) -> None:
    head = request("POST /v1/resource HTTP/1.1", field, host=None)
    assert rig.ask(head + GET).statuses == [400]
