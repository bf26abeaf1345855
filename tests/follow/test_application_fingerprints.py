"""The table of fingerprints names the applications that were captured, and only them."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.core.chain import Hop, Outgoing, Response
from detour.core.url import URL
from detour.follow.fingerprint import Fingerprint, guesses
from detour.follow.fingerprints import emitters
from detour.follow.fingerprints.applications import APPLICATIONS as ROWS
from tests.follow.application_servers import APPLICATION_SERVERS
from tests.follow.captured import APPLICATIONS, answers, named, read, response_of, stripped
from tests.follow.programs import Program, running

CAPTURED = {capture.name: capture for capture in read(APPLICATIONS)}
CERTAIN = [row for row in ROWS if row.confidence == "is"]


@pytest.mark.parametrize("name", sorted(CAPTURED))
def test_a_captured_application_is_named_first_with_its_cause(name: str) -> None:
    first = emitters(CAPTURED[name].hop)[0]
    assert (first.emitter, first.cause) == (CAPTURED[name].emitter, CAPTURED[name].cause)


def test_captured_applications_are_named_without_their_server_field() -> None:
    wrong = [name for name, one in CAPTURED.items() if named(stripped(one.hop)) != one.emitter]
    assert wrong == []


@pytest.mark.parametrize("row", CERTAIN, ids=lambda row: f"{row.emitter}-{row.cause}")
def test_a_certain_row_rests_on_a_capture_that_has_its_marks(row: Fingerprint) -> None:
    assert guesses(CAPTURED[row.source].hop, (row,))


@pytest.mark.parametrize("application", APPLICATION_SERVERS, ids=lambda one: one.name)
def test_an_application_that_runs_now_is_named(application: Program, tmp_path: Path) -> None:
    with running(application, tmp_path) as port:
        answered = answers(application, port)
    assert [one.name for one in answered if named(one.hop) != one.emitter] == []


# What nobody captured: heads written after the field notes, section 6, each with who must be suggested.
SHOWN: tuple[tuple[str, str, str, str], ...] = (
    ("ASP.NET Core", "http://a.test/x", "307 T\r\nServer: Kestrel\r\nLocation: https://a.test/x", ""),
    ("AWS ALB", "http://a.test/x", "301 M\r\nServer: awselb/2.0\r\nLocation: https://a.test:443/x", ""),
    (
        "Amazon S3",
        "http://b.s3.test/x",
        "307 T\r\nServer: AmazonS3\r\nLocation: http://c.test/x",
        "<Code>TemporaryRedirect</Code>",
    ),
    ("Vercel", "http://a.test/x", "307 T\r\nServer: Vercel\r\nLocation: https://www.a.test/x", ""),
    ("Next.js", "http://a.test/x/", "308 P\r\nLocation: /x\r\nRefresh: 0;url=/x", ""),
    ("Cloudflare", "http://a.test/x", "301 M\r\nCF-RAY: 1-AMS\r\nServer: cloudflare\r\nLocation: /y", ""),
    (
        "Chrome",
        "http://a.test/x",
        "307 Internal Redirect\r\nNon-Authoritative-Reason: HSTS\r\nLocation: https://a.test/x",
        "",
    ),
    (
        "Vault",
        "http://a.test/v1/x",
        "307 T\r\nCache-Control: no-store\r\nLocation: http://b.test/v1/x\r\nContent-Length: 0",
        "",
    ),
    ("Tempesta FW", "http://a.test/", "302 F\r\nLocation: /__tfw=1a2b/", ""),
    (
        "WebHDFS",
        "http://a.test/webhdfs/v1/f",
        "307 T\r\nLocation: http://d.test:9864/webhdfs/v1/f?namenoderpcaddress=a",
        "",
    ),
)


@pytest.mark.parametrize(("emitter", "url", "head", "content"), SHOWN, ids=[row[0] for row in SHOWN])
def test_what_was_never_captured_is_only_suggested(emitter: str, url: str, head: str, content: str) -> None:
    response: Response = response_of(f"HTTP/1.1 {head}\r\n\r\n", content.encode())
    found = emitters(Hop(Outgoing("GET", URL.parse(url)), response))
    assert (found[0].emitter, found[0].confidence) == (emitter, "suggests")


def test_an_ordinary_answer_is_nobodys_for_certain() -> None:
    response = response_of("HTTP/1.1 307 Temporary Redirect\r\nLocation: /y\r\n\r\n", b"")
    assert emitters(Hop(Outgoing("GET", URL.parse("http://a.test/x")), response)) == ()
