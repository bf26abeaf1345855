"""The clients of Java, Go, PHP, Ruby and Perl: what each does with a few cases, and what is known of it."""

from __future__ import annotations

from functools import cache

import pytest

from detour.lab.clients import go, jvm, perl, php, ruby
from detour.lab.result import ClientResult, Results
from detour.lab.run import Manner
from tests.lab.asking import asked, cases, present
from tests.lab.kinds import ALL_KEPT, GOT, KINDS, POSTED, cell, got_and_posted, one_of, requests

CLIENTS = tuple(client for module in (jvm, go, php, ruby, perl) for client in module.CLIENTS)
LANGUAGE = {client.name: client.language for client in CLIENTS}

HTTPS = "credentials/307/GET/x-api-key/http-to-https"
KEY = "credentials/307/GET/x-api-key/other-host"
LEAK = "credentials/307/GET/authorization/other-host"
CROSSED = "credentials/307/GET/authorization/http-to-https"
GOT_308, POSTED_308, MOVED = "same/308/GET/none", "same/308/POST/json", "same/301/PUT/json"
MORE = (KEY, LEAK, CROSSED, GOT_308, POSTED_308, MOVED)

NONE = ("refused",) * len(KINDS)

# What becomes of the content of a POST on 307, by kind: form, json, multipart, large, file, stream, chunked,
# expect; "-": the client has no means for it.
BECOMES = {
    "java.net.http": ("kept", "kept", "-", "kept", "kept", "refused", "kept", "kept"),
    "HttpURLConnection": ("kept", "kept", "-", "kept", "refused", "refused", "refused", "refused"),
    "OkHttp": NONE,
    "apache-httpclient-4": NONE,
    "apache-httpclient-4-lax": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
    "apache-httpclient-5": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
    "net/http": ("kept", "kept", "kept", "kept", "refused", "refused", "kept", "kept"),
    "fasthttp": ("kept", "kept", "kept", "kept", "lost", "lost", "-", "-"),
    "php-streams": ("kept", "kept", "-", "kept", "-", "-", "-", "-"),
    "php-curl": ("kept", "kept", "kept", "kept", "refused", "refused", "kept", "kept"),
    "guzzle": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
    "symfony/http-client": ("kept", "kept", "refused", "kept", "refused", "refused", "refused", "kept"),
    "Net::HTTP": NONE,
    "open-uri": ("-",) * len(KINDS),
    "faraday": ("kept", "kept", "hung", "kept", "hung", "lost", "lost", "kept"),
    "httparty": ("kept", "kept", "kept", "kept", "hung", "lost", "lost", "-"),
    "rest-client": ("refused", "refused", "refused", "refused", "refused", "-", "-", "-"),
    "http.rb": ("kept", "kept", "kept", "kept", "kept", "lost", "kept", "-"),
    "httpclient": ("kept", "kept", "refused", "kept", "kept", "lost", "-", "-"),
    "excon": ("kept", "kept", "-", "kept", "kept", "lost", "-", "-"),
    "typhoeus": ("kept", "kept", "kept", "kept", "-", "-", "kept", "kept"),
    "HTTP::Tiny": ("refused", "refused", "-", "refused", "refused", "refused", "-", "-"),
    "LWP::UserAgent": ("refused", "refused", "refused", "refused", "refused", "refused", "-", "refused"),
    "LWP::UserAgent-all": ("kept", "kept", "kept", "kept", "hung", "lost", "-", "kept"),
    "WWW::Mechanize": ("kept", "kept", "kept", "kept", "hung", "lost", "-", "kept"),
    "Mojo::UserAgent": ("kept", "kept", "kept", "kept", "kept", "refused", "-", "-"),
    "Furl": ("kept", "kept", "-", "kept", "lost", "-", "-", "-"),
}

# GOT where not all is kept: Java's old client never changes the scheme, Ruby's own never follows.
GETS = {
    "HttpURLConnection": ("kept", "refused", "kept"),
    "Net::HTTP": ("refused", "refused", "refused"),
}

# A GET to another host has Authorization with it …
LEAKING = (
    "java.net.http", "apache-httpclient-4", "apache-httpclient-4-lax", "apache-httpclient-5", "fasthttp",
    "open-uri", "httparty", "rest-client", "http.rb", "httpclient", "LWP::UserAgent", "LWP::UserAgent-all",
    "WWW::Mechanize", "Furl",
)  # fmt: skip
# … or has not.
CAREFUL = (
    "HttpURLConnection", "OkHttp", "net/http", "php-streams", "php-curl", "guzzle", "symfony/http-client",
    "faraday", "excon", "typhoeus", "HTTP::Tiny", "Mojo::UserAgent",
)  # fmt: skip

LOST = tuple(
    (name, POSTED[at], "POST")
    for name, told in BECOMES.items()
    for at, one in enumerate(told)
    if one == "lost"
) + tuple((name, MOVED, "PUT") for name in ("php-curl", "symfony/http-client", "Mojo::UserAgent"))

# Content-Length is copied, the content is not: the server waits for what never comes.
PROMISED = tuple(
    (name, POSTED[at]) for name, told in BECOMES.items() for at, one in enumerate(told) if one == "hung"
)


@cache
def results(language: str) -> Results:
    """All that the clients of a language make of the cases of this file, in one run."""
    return got_and_posted([client for client in CLIENTS if client.language == language], *MORE)


def found(name: str) -> ClientResult:
    """What one of them did."""
    return one_of(results(LANGUAGE[name]), name)


def test_every_client_is_in_the_table() -> None:
    assert BECOMES.keys() == LANGUAGE.keys()
    assert {*LEAKING, *CAREFUL} == LANGUAGE.keys() - {"Net::HTTP"}


@pytest.mark.parametrize("name", BECOMES)
def test_what_becomes_of_a_get_and_of_each_kind_of_content(name: str) -> None:
    assert requests(found(name), GOT) == GETS.get(name, ALL_KEPT)
    assert requests(found(name), POSTED) == BECOMES[name]


@pytest.mark.parametrize("name", [*LEAKING, *CAREFUL])
def test_an_api_key_goes_to_any_host(name: str) -> None:
    told = cell(found(name), KEY)
    assert (told.request, told.credentials) == ("kept", "forwarded")
    assert "detour-key" in told.shown.seen[1].head


@pytest.mark.parametrize("name", LEAKING)
def test_authorization_leaks_to_another_host(name: str) -> None:
    told = cell(found(name), LEAK)
    assert (told.request, told.credentials) == ("kept", "leaked")
    assert [("\r\nauthorization: " in one.head.lower(), one.origin) for one in told.shown.seen] == [
        (True, "a"),
        (True, "b"),
    ]


@pytest.mark.parametrize("name", CAREFUL)
def test_authorization_stays_behind(name: str) -> None:
    told = cell(found(name), LEAK)
    assert (told.request, told.credentials) == ("kept", "dropped")
    assert ["\r\nauthorization: " in one.head.lower() for one in told.shown.seen] == [True, False]


def test_go_takes_authorization_to_another_scheme_and_port_of_the_same_host() -> None:
    told = cell(found("net/http"), CROSSED)
    assert (told.request, told.credentials) == ("kept", "leaked")
    assert [one.origin for one in told.shown.seen] == ["a", "s"]


@pytest.mark.parametrize(("name", "case", "method"), LOST)
def test_content_is_lost_without_a_word(name: str, case: str, method: str) -> None:
    told = cell(found(name), case)
    assert told.request == "lost"
    first, second = told.shown.judgement.evidence
    assert first.length > 0
    assert (second.method, second.form, second.length) == (method, "missing", 0)
    assert [one.head.split(" ")[0] for one in told.shown.seen] == [method, method]
    assert told.shown.outcome.status == 200


@pytest.mark.parametrize(("name", "case"), PROMISED)
def test_content_is_promised_a_second_time_and_does_not_come(name: str, case: str) -> None:
    told = cell(found(name), case)
    assert told.shown.outcome.kind == "error"
    second = told.shown.seen[1]
    assert (second.complete, second.length) == (False, 0)
    assert "\r\ncontent-length: " in second.head.lower()


@pytest.mark.parametrize("case", [GOT_308, POSTED_308])
def test_httpurlconnection_hands_308_back(case: str) -> None:
    told = cell(found("HttpURLConnection"), case)
    assert told.request == "refused"
    assert (told.shown.outcome.kind, told.shown.outcome.status) == ("answered", 308)
    assert len(told.shown.seen) == 1


def test_httpurlconnection_hands_back_what_leads_to_https() -> None:
    told = cell(found("HttpURLConnection"), HTTPS)
    assert (told.shown.outcome.kind, told.shown.outcome.status) == ("answered", 307)
    assert len(told.shown.seen) == 1


@pytest.mark.parametrize("name", ["OkHttp", "apache-httpclient-4", "LWP::UserAgent", "HTTP::Tiny"])
def test_a_post_is_not_asked_for_again_and_308_handed_back(name: str) -> None:
    told = cell(found(name), POSTED_308)
    assert told.request == "refused"
    assert (told.shown.outcome.kind, told.shown.outcome.status) == ("answered", 308)
    assert len(told.shown.seen) == 1


def test_mojo_promises_chunks_after_302_and_sends_none() -> None:
    mojo = next(client for client in CLIENTS if client.name == "Mojo::UserAgent")
    (told,) = present(asked([mojo], cases("same/302/POST/stream", timeout=2.0), Manner(twice=1))).cells
    assert told.request == "hung"
    first, second = told.shown.seen
    assert (first.complete, first.length) == (True, 100_000)
    assert (second.complete, second.length, second.head.split(" ")[0]) == (False, 0, "GET")
    assert "\r\ntransfer-encoding: chunked\r\n" in second.head.lower()
