"""Decisions as bytes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.decision import Decision
from detour.core.message import Request
from detour.serve.wire import date_line, decided, said
from tests.serve.fake_transport import read_answers, ruleset

DATE = date_line(784111777)
RULES = ruleset()


def decide(method: str, url: str) -> Decision:
    return RULES.decide(Request.of(method, url), 1_795_600_000.0)


def test_a_redirect_has_its_fields_in_this_order_and_case() -> None:
    answer = decided(decide("POST", "http://a/v1/resource"), "POST", redirect_by=True)
    assert answer.dated(DATE) == (
        b"HTTP/1.1 307 Temporary Redirect\r\n"
        b"Location: https://api.example.com/v2/resource\r\n"
        b"Cache-Control: no-store\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"X-Redirect-By: detour resource\r\n"
        b"Content-Length: 0\r\n"
        b"\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0"])
def test_a_field_that_would_break_the_head_is_never_written(value: str) -> None:
    decision = decide("POST", "http://a/v1/resource")
    for fields in ((*decision.fields, ("X-Note", value)), (("Location", value),)):
        with pytest.raises(ValueError, match="line end or NUL"):
            decided(msgspec.structs.replace(decision, fields=fields), "POST", redirect_by=True)


def test_get_has_a_note_of_one_line_and_head_has_its_fields_without_it() -> None:
    get = decided(decide("GET", "http://a/v1/resource"), "GET", redirect_by=True).dated(DATE)
    head = decided(decide("HEAD", "http://a/v1/resource"), "HEAD", redirect_by=True).dated(DATE)
    note = b'<a href="https://api.example.com/v2/resource">Temporary Redirect</a>.\n'
    assert get == head + note
    assert b"Content-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n" % len(note) in head


def test_the_note_escapes_the_location() -> None:
    decision = Decision(307, RULES.rules[0], "/x?\"><script>&'", (("Location", "/x?\"><script>&'"),))
    content = read_answers(decided(decision, "GET", redirect_by=True).dated(DATE))[0].content
    assert content == b'<a href="/x?&quot;&gt;&lt;script&gt;&amp;&#x27;">Temporary Redirect</a>.\n'


def test_one_setting_turns_x_redirect_by_off() -> None:
    answer = decided(decide("GET", "http://a/v1/resource"), "GET", redirect_by=False)
    assert b"X-Redirect-By" not in answer.dated(DATE)


def test_only_a_redirect_says_by_whom() -> None:
    answer = decided(decide("GET", "http://a/gone"), "GET", redirect_by=True)
    assert answer.status == 410
    assert b"X-Redirect-By" not in answer.dated(DATE)
    assert answer.rule == "gone"


def test_204_has_neither_content_length_nor_content_type() -> None:
    fields = read_answers(decided(Decision(204), "OPTIONS", redirect_by=True).dated(DATE))[0].fields
    assert fields == {"Cache-Control": "no-store", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}


def test_what_has_no_cache_control_is_no_store_and_what_has_keeps_it() -> None:
    cached = Decision(307, RULES.rules[0], "/x", (("Location", "/x"), ("cache-control", "max-age=60")))
    assert b"no-store" not in decided(cached, "GET", redirect_by=True).dated(DATE)
    assert b"\r\nCache-Control: no-store\r\n" in decided(Decision(404), "GET", redirect_by=True).dated(DATE)
    assert b"\r\nCache-Control: no-store\r\n" in said(400, "no Host field").dated(DATE)


def test_a_decision_that_depends_on_fields_is_never_given_again() -> None:
    depending = Decision(307, RULES.rules[0], "/x", (("Location", "/x"),), depends=frozenset({"cookie"}))
    assert decided(depending, "GET", redirect_by=True).until == float("-inf")
    assert decided(decide("GET", "http://a/window"), "GET", redirect_by=True).until < float("inf")


def test_connection_stands_last() -> None:
    octets = said(400, "no Host field", connection="close").dated(DATE)
    assert octets.endswith(b"Content-Length: 14\r\nConnection: close\r\n\r\nno Host field\n")


def test_a_refusal_of_head_has_no_content() -> None:
    assert said(501, "unknown", "HEAD").dated(DATE).endswith(b"Content-Length: 8\r\n\r\n")


@given(st.floats(0, 4e9))
def test_the_date_is_a_line_of_fixed_length(now: float) -> None:
    line = date_line(now)
    assert len(line) == 37
    assert line.startswith(b"Date: ")
    assert line.endswith(b" GMT\r\n")
