"""The table of fingerprints names the servers and proxies that were captured, and only them."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.core.chain import Hop, Outgoing
from detour.core.url import URL
from detour.follow.fingerprint import Fingerprint, guesses
from detour.follow.fingerprints import emitters
from detour.follow.fingerprints.edges import EDGES as ROWS
from tests.follow.captured import EDGES, PASSED_ON, answers, named, read, response_of, stripped
from tests.follow.edge_servers import EDGE_SERVERS
from tests.follow.programs import Program, running

CAPTURED = {capture.name: capture for capture in read(EDGES)}
PASSED = {capture.name: capture for capture in read(PASSED_ON)}
CERTAIN = [row for row in ROWS if row.confidence == "is"]
# A Caddy that answers a POST without Server writes what any program in Go may write.
AS_GO = {name for name in CAPTURED if name.startswith(("caddy/post-redir-", "caddy-http2/post-redir-"))}


@pytest.mark.parametrize("name", sorted(CAPTURED))
def test_a_captured_server_is_named_first_with_its_cause(name: str) -> None:
    first = emitters(CAPTURED[name].hop)[0]
    assert (first.emitter, first.cause) == (CAPTURED[name].emitter, CAPTURED[name].cause)


def test_captured_servers_are_named_without_their_server_field() -> None:
    assert {name for name, one in CAPTURED.items() if named(stripped(one.hop)) != one.emitter} == AS_GO


@pytest.mark.parametrize("row", CERTAIN, ids=lambda row: f"{row.emitter}-{row.cause}")
def test_a_certain_row_rests_on_a_capture_that_has_its_marks(row: Fingerprint) -> None:
    assert guesses(CAPTURED[row.source].hop, (row,))


def test_a_certain_emitter_leaves_only_those_that_stand_between() -> None:
    found = emitters(PASSED["caddy-flask-gunicorn/get-moved"].hop)
    assert (found[0].emitter, found[0].confidence) == ("Flask", "is")
    assert {guess.emitter for guess in found} == {"Flask", "gunicorn", "Caddy"}


def test_who_only_passed_it_on_comes_last() -> None:
    found = emitters(PASSED["caddy-starlette-uvicorn/get-slash"].hop)
    assert next(guess.emitter for guess in found if not guess.between) == "Starlette"
    assert found[-1].between


@pytest.mark.parametrize("server", EDGE_SERVERS, ids=lambda one: one.name)
def test_a_server_that_runs_now_is_named(server: Program, tmp_path: Path) -> None:
    with running(server, tmp_path) as port:
        answered = answers(server, port)
    assert [one.name for one in answered if named(one.hop) != one.emitter] == []


# What nobody captured: heads written after the field notes, section 6, each with who must be suggested.
SHOWN: tuple[tuple[str, str, str], ...] = (
    ("Istio", "http://a.test/x", "301 M\r\nlocation: https://a.test/x\r\nserver: istio-envoy"),
    (
        "Google Cloud load balancer",
        "http://a.test/x",
        "301 Moved Permanently\r\nLocation: https://a.test:443/x\r\nContent-Length: 0",
    ),
    ("IIS", "http://a.test/x", "302 Redirect\r\nServer: Microsoft-IIS/10.0\r\nLocation: http://a.test/y"),
    ("CloudFront", "http://a.test/x", "301 M\r\nServer: CloudFront\r\nLocation: https://a.test/x"),
)


@pytest.mark.parametrize(("emitter", "url", "head"), SHOWN, ids=[row[0] for row in SHOWN])
def test_what_was_never_captured_is_only_suggested(emitter: str, url: str, head: str) -> None:
    found = emitters(Hop(Outgoing("GET", URL.parse(url)), response_of(f"HTTP/1.1 {head}\r\n\r\n", b"")))
    assert (found[0].emitter, found[0].confidence) == (emitter, "suggests")


def test_a_page_that_only_speaks_of_nginx_is_not_nginx() -> None:
    page = b"<html><body><hr><center>nginx</center></body></html>"
    response = response_of("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Type: text/html\r\n\r\n", page)
    assert "nginx" not in {
        guess.emitter for guess in emitters(Hop(Outgoing("GET", URL.parse("http://a.test/x")), response))
    }
