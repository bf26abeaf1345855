"""Browsers' recordings: HAR 1.2 as Chromium and Firefox write it, with the redirects that no server sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.chain import Chain
from detour.errors import DetourError
from detour.follow.har import read_har
from detour.follow.trace import judge

Entry = dict[str, Any]


def entry(
    method: str,
    url: str,
    status: int,
    location: str = "",
    *,
    reason: str = "",
    fields: dict[str, str] | None = None,
    content: str | None = None,
    **more: Any,
) -> Entry:
    """One entry with what HAR 1.2 requires of it."""
    told = {**({"Location": location} if location else {}), **(fields or {})}
    request: Entry = {"method": method, "url": url, "httpVersion": "HTTP/1.1", "headers": [], "cookies": []}
    if content is not None:
        request |= {"postData": {"mimeType": "text/plain", "text": content}, "bodySize": len(content)}
    return {
        "startedDateTime": "2026-11-24T16:00:00.000Z",
        "time": 12.5,
        "request": request,
        "response": {
            "status": status,
            "statusText": reason,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in told.items()],
            "cookies": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": location,
            "headersSize": -1,
            "bodySize": 0,
        },
        "cache": {},
        "timings": {"blocked": 1, "dns": 2, "connect": 10, "ssl": 4, "send": 1, "wait": 20, "receive": 5},
        **more,
    }


def read(*entries: Entry) -> tuple[Chain, ...]:
    log = {"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": list(entries)}}
    return read_har(json.dumps(log).encode())


def checks(chain: Chain) -> list[str]:
    return [finding.check for finding in judge(chain).findings]


def test_what_a_redirect_led_to_is_one_chain() -> None:
    (chain,) = read(
        entry("POST", "http://a.test/form", 307, "/there", content="a=1"),
        entry("POST", "http://a.test/there", 200, content="a=1"),
    )
    assert [hop.request.method for hop in chain.hops] == ["POST", "POST"]
    assert [hop.request.content for hop in chain.hops] == ["replayable", "replayable"]
    assert (chain.policy, chain.end.name) == ("fetch", "arrived")
    assert str(chain.hops[0].location_url) == "http://a.test/there"


def test_requests_between_the_hops_are_chains_of_their_own() -> None:
    chains = read(
        entry("GET", "http://a.test/", 302, "http://b.test/"),
        entry("GET", "http://a.test/favicon.ico", 404),
        entry("GET", "http://b.test/", 200),
    )
    assert [[str(hop.request.url) for hop in chain.hops] for chain in chains] == [
        ["http://a.test/", "http://b.test/"],
        ["http://a.test/favicon.ico"],
    ]


def test_two_chains_to_one_place_are_told_apart_by_their_order() -> None:
    chains = read(
        entry("GET", "http://a.test/1", 302, "/end"),
        entry("GET", "http://a.test/2", 302, "/end"),
        entry("GET", "http://a.test/end", 200),
        entry("GET", "http://a.test/end", 200),
    )
    assert [len(chain.hops) for chain in chains] == [2, 2]


def test_a_recording_does_not_say_that_an_answer_came_early() -> None:
    """It does not tell how much content had left when the answer came."""
    uploads = (
        entry("POST", "http://a.test/", 307, "/b", content="hello"),
        entry("POST", "http://a.test/b", 200, content="hello"),
    )
    for one in uploads:
        one["request"]["headers"] = [{"name": "Content-Length", "value": "5"}]
    (chain,) = read(*uploads)
    assert [hop.response.sent for hop in chain.hops if hop.response] == [5, 5]
    assert "early-response" not in checks(chain)


def test_chromium_s_307_internal_redirect_was_sent_by_nobody() -> None:
    """RFC 6797 §8.3; the answer as Chromium's network panel exports it: no time, no address, three fields."""
    made_up = entry(
        "GET",
        "http://shop.test/",
        307,
        "https://shop.test/",
        reason="Internal Redirect",
        fields={"Cross-Origin-Resource-Policy": "Cross-Origin", "Non-Authoritative-Reason": "HSTS"},
        serverIPAddress="",
        timings={"blocked": -1, "dns": -1, "ssl": -1, "connect": -1, "send": 0, "wait": 0, "receive": 1.5},
    )
    (chain,) = read(made_up, entry("GET", "https://shop.test/", 200))
    assert "browser-internal" in checks(chain)
    assert chain.hops[0].response is not None
    assert (chain.hops[0].response.remote, chain.hops[0].response.timings.connect) == ("", 0.0)


def test_a_307_of_a_server_is_not_taken_for_the_browser_s() -> None:
    real = entry(
        "GET",
        "http://shop.test/",
        307,
        "https://shop.test/",
        reason="Temporary Redirect",
        fields={"Server": "nginx"},
    )
    (chain,) = read(real, entry("GET", "https://shop.test/", 200))
    assert "browser-internal" not in checks(chain)


def test_firefox_s_http_request_without_an_answer_before_the_same_over_https_was_upgraded() -> None:
    nothing = entry("GET", "http://shop.test/a?b#c", 0)
    (chain,) = read(nothing, entry("GET", "https://shop.test/a?b#c", 200))
    assert "browser-internal" in checks(chain)
    assert [hop.request.url.scheme for hop in chain.hops] == ["http", "https"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (entry("GET", "http://shop.test/a", 0), entry("GET", "https://shop.test/b", 200)),
        (entry("GET", "http://shop.test:8080/a", 0), entry("GET", "https://shop.test/a", 200)),
        (entry("GET", "http://shop.test/a", 0), entry("POST", "https://shop.test/a", 200)),
    ],
    ids=["another path", "another port", "another method"],
)
def test_a_request_without_an_answer_before_anything_else_failed(first: Entry, then: Entry) -> None:
    failed, _ = read(first, then)
    assert (failed.hops[0].response, failed.end.name) == (None, "protocol")


@pytest.mark.parametrize(
    ("error", "end"),
    [
        ("net::ERR_NAME_NOT_RESOLVED", "resolve"),
        ("net::ERR_CONNECTION_REFUSED", "connect"),
        ("net::ERR_CONNECTION_TIMED_OUT", "timeout"),
        ("net::ERR_CERT_DATE_INVALID", "tls"),
        ("net::ERR_TOO_MANY_REDIRECTS", "too-many-hops"),
        ("net::ERR_FAILED", "protocol"),
    ],
)
def test_chromium_s_errors_are_ends(error: str, end: str) -> None:
    failed = entry("GET", "http://a.test/", 0)
    failed["response"]["_error"] = error
    (chain,) = read(failed)
    assert (chain.end.name, chain.end.detail) == (end, error)


def test_a_redirect_that_the_recording_does_not_follow_says_so() -> None:
    (chain,) = read(entry("GET", "http://a.test/", 302, "/b"))
    assert chain.end.name == "not-followed"
    (chain,) = read(entry("GET", "http://a.test/", 302))
    assert chain.end.name == "no-location"


def test_timings_are_instants_in_seconds() -> None:
    """HAR 1.2: blocked 1, dns 2, connect 10 with ssl 4 in it, send 1, wait 20, receive 5 milliseconds."""
    (chain,) = read(entry("GET", "https://a.test/", 200))
    assert chain.hops[0].response is not None
    timings = chain.hops[0].response.timings
    instants = (timings.dns, timings.connect, timings.tls, timings.first_byte, timings.total)
    assert instants == pytest.approx((0.003, 0.009, 0.013, 0.034, 0.039))


def test_pseudo_fields_and_other_schemes_are_left_out() -> None:
    http2 = entry("GET", "https://a.test/", 200)
    http2["request"]["headers"] = [
        {"name": ":authority", "value": "a.test"},
        {"name": "accept", "value": "*/*"},
    ]
    http2["response"]["httpVersion"] = "h2"
    (chain,) = read(entry("GET", "data:text/plain,x", 200), http2, entry("GET", "chrome-extension://x/", 200))
    assert chain.hops[0].request.fields == (("accept", "*/*"),)
    assert chain.hops[0].response is not None
    assert chain.hops[0].response.http_version == "2"


def test_content_in_base64_is_decoded() -> None:
    coded = entry("GET", "http://a.test/", 200)
    coded["response"]["content"] = {
        "size": 3,
        "text": base64.b64encode(b"\x00\xff\x01").decode(),
        "encoding": "base64",
    }
    (chain,) = read(coded)
    assert chain.hops[0].response is not None
    assert chain.hops[0].response.content == b"\x00\xff\x01"


@pytest.mark.parametrize(
    "octets",
    [b"", b"not json", b"{}", b'{"log": {}}', b'{"log": {"entries": [1]}}', b"\xff\xfe{", b"[" * 100_000],
    ids=["empty", "text", "no log", "no entries", "no entry", "utf-16", "deep"],
)
def test_what_is_no_har_is_refused_in_one_line(octets: bytes) -> None:
    with pytest.raises(DetourError) as refused:
        read_har(octets)
    assert "no HAR file" in str(refused.value)
    assert "\n" not in str(refused.value)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 200, 302, 307]), st.sampled_from(["", "/0", "/1", "//", "http://[", "a:"])
        )
    )
)
def test_every_entry_is_in_one_chain_whatever_locations_say(answers: list[tuple[int, str]]) -> None:
    entries = [
        entry("GET", f"http://a.test/{n % 2}", status, location)
        for n, (status, location) in enumerate(answers)
    ]
    assert sum(len(chain.hops) for chain in read(*entries)) == len(entries)
