"""`detour trace` as a user types it, against origins on raw sockets that record every request."""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detour.cli.main import _run
from detour.core.chain import SAFE_METHODS
from detour.core.policy import POLICIES
from tests.net.origin import Origin, Peer, keeping, origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


class Done(msgspec.Struct):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


Trace = Callable[..., Done]


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trace:
    """Runs `detour trace` in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["detour", "trace", *arguments])
        status = _run()
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return run


def redirect(status: int, *locations: str, more: str = "") -> bytes:
    lines = "".join(f"Location: {location}\r\n" for location in locations)
    return f"HTTP/1.1 {status} Moved\r\n{lines}{more}Content-Length: 0\r\n\r\n".encode("latin-1")


def answering(answers: Callable[[str, str], bytes]) -> Callable[[Peer], None]:
    """A talk that reads each request whole, whatever its framing, and answers by method and path."""

    def talk(peer: Peer) -> None:
        while head := peer.head():
            line, *lines = head.decode("latin-1").split("\r\n")
            fields = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            if "100-continue" in fields.get("expect", ""):
                peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            if "chunked" in fields.get("transfer-encoding", ""):
                peer.until(b"0\r\n\r\n")
            elif int(fields.get("content-length", 0)):
                peer.content(int(fields["content-length"]))
            method, target, _ = line.split(" ")
            answer = answers(method, target)
            peer.say(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else answer)

    return talk


def methods(seen: Origin) -> list[str]:
    return [head.split(b" ")[0].decode() for head in seen.heads]


@pytest.fixture
def elsewhere() -> Iterator[Origin]:
    """Another origin; answers everything with 200."""
    with origin(answering(lambda method, target: OK)) as seen:
        yield seen


def here(elsewhere: Origin, status: int = 307) -> Any:
    """An origin: /near leads to /there, /far to another origin; the rest arrives."""

    def answer(method: str, target: str) -> bytes:
        path = target.partition("?")[0]
        if path == "/near":
            return redirect(status, "/there")
        return redirect(status, str(elsewhere.url("/b"))) if path == "/far" else OK

    return origin(answering(answer))


# -- what is printed


def test_the_text_says_what_was_kept_what_it_means_and_how_it_ended(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/near")), "-d", "a=1")
    lines = [line.strip() for line in done.out.splitlines()]
    assert (done.status, done.err) == (0, "")
    assert lines[0] == f"1  POST {seen.url('/near')}"
    assert f"307 Moved  Location: /there  = {seen.url('/there')}" in lines
    assert any("must use the same method" in line for line in lines)
    assert "method kept, content kept" in lines
    end = next(line for line in lines if line.startswith("arrived"))
    assert end.startswith(f"arrived: 200 OK at {seen.url('/there')} after 1 redirect, ")
    assert seen.contents == [b"a=1", b"a=1"]


def test_a_method_that_is_lost_is_told_in_the_hop_and_as_a_finding(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere, 302) as seen:
        done = trace(str(seen.url("/near")), "-d", "a=1", "--fail-on", "warning")
    assert done.status == 1
    assert "POST became GET, content dropped" in done.out
    assert "[method-loss]" in done.out
    assert "→ Answer 307 where 302 is, so that POST arrives" in done.out
    assert methods(seen) == ["POST", "GET"]


def test_what_a_status_means_is_told_once(trace: Trace) -> None:
    answers = {"/1": redirect(307, "/2"), "/2": redirect(307, "/3"), "/3": redirect(308, "/4")}
    with origin(answering(lambda method, target: answers.get(target, OK))) as seen:
        done = trace(str(seen.url("/1")))
    assert done.out.count("temporarily at another URI") == 1
    assert done.out.count("new permanent URI") == 1
    assert "[long-chain]" not in done.out


def test_the_worst_finding_is_told_first_with_what_to_change(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/far")), "-d", "a=1", "-u", "me:pw", "--send")
    after = done.out.partition("arrived: ")[2].splitlines()[2:]
    severities = [line.split()[0] for line in after if line[:1] != " "]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert len(severities) >= 2
    assert sum(line.startswith("       → ") for line in after) >= len(severities)
    assert max(map(len, after)) <= 110


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (redirect(307), "no-location: a redirect status without Location"),
        (redirect(307, "ftp://a/"), "refused-scheme: ftp: is neither http nor https"),
        (redirect(307, "/a", "/b"), "many-locations: 2 Location"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "arrived: 404 Not Found, no redirect, "),
    ],
)
def test_the_end_is_one_line_with_its_reason(trace: Trace, answer: bytes, said: str) -> None:
    with origin(keeping(answer)) as seen:
        done = trace(str(seen.url()))
    ends = [line for line in done.out.splitlines() if line.startswith(said)]
    assert len(ends) == 1, done.out


def test_colour_is_for_terminals_alone(elsewhere: Origin) -> None:
    command = [sys.executable, "-c", "from detour.cli.main import main; main()", "trace"]
    parent, child = pty.openpty()
    with here(elsewhere) as seen:
        piped = subprocess.run([*command, str(seen.url("/near"))], capture_output=True, timeout=60)
        subprocess.run([*command, str(seen.url("/near"))], stdout=child, timeout=60, check=True)
    shown = os.read(parent, 1 << 16)
    with here(elsewhere) as seen:
        plain = {**os.environ, "NO_COLOR": "1"}
        subprocess.run([*command, str(seen.url("/near"))], stdout=child, timeout=60, check=True, env=plain)
    unwanted = os.read(parent, 1 << 16)
    os.close(child)
    os.close(parent)
    assert b"\x1b[" not in piped.stdout + unwanted
    assert unwanted.startswith(b"1  GET ")
    assert b"\x1b[1m" in shown
    bare = re.sub(rb"\x1b\[[0-9;]*m", b"", shown).replace(b"\r\n", b"\n")
    assert bare.split(b" in ")[0] == piped.stdout.split(b" in ")[0]  # the times differ


def test_the_url_can_come_from_standard_input(elsewhere: Origin) -> None:
    command = [sys.executable, "-c", "from detour.cli.main import main; main()", "trace", "-", "--json"]
    with here(elsewhere) as seen:
        url = str(seen.url("/near"))
        one = subprocess.run(command, input=f"\n{url}\n", capture_output=True, text=True, timeout=60)
        two = subprocess.run(command, input=f"{url}\n{url}\n", capture_output=True, text=True, timeout=60)
    assert json.loads(one.stdout)["hops"][0]["url"] == url
    assert (two.returncode, two.stdout) == (2, "")
    assert "2 URLs on standard input" in two.stderr


def test_json_is_one_document_with_what_the_contract_names(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/near")), "-d", "a=1", "-u", "me:pw", "--json")
    first, last = done.document["hops"]
    named = {
        "method",
        "url",
        "status",
        "location",
        "location_url",
        "emitter",
        "timings",
        "http_version",
        "remote",
    }
    named |= {"headers", "findings", "method_kept", "content", "credentials"}
    assert named <= set(first)
    assert (first["method"], first["status"], first["location"]) == ("POST", 307, "/there")
    assert (first["method_kept"], first["content"], first["credentials"]) == (True, "kept", "kept")
    assert (first["http_version"], first["remote"]) == ("1.1", "127.0.0.1")
    assert ["Location", "/there"] in first["headers"]
    assert set(first["timings"]) == {"dns", "connect", "tls", "first_byte", "total"}
    assert (last["status"], last["location"], done.document["end"]) == (200, None, "arrived")
    assert b"Authorization: Basic bWU6cHc=" in seen.heads[0]  # RFC 7617 §2


def test_what_is_sent_is_what_was_typed(trace: Trace) -> None:
    with origin(answering(lambda method, target: OK)) as seen:
        trace(
            str(seen.url("/a/../%2f")),
            "-H",
            "X-A: 1",
            "-H",
            "User-Agent:",
            "-b",
            "c=1",
            "-b",
            "d=2",
            "-X",
            "QUERY",
        )
    head = seen.heads[0].decode()
    assert head.startswith("QUERY /%2f HTTP/1.1\r\n")
    assert "\r\nX-A: 1\r\n" in head
    assert "\r\nCookie: c=1; d=2\r\n" in head
    assert "User-Agent" not in head


def test_credentials_written_into_the_url_are_sent_as_clients_do(trace: Trace) -> None:
    with origin(answering(lambda method, target: OK)) as seen:
        done = trace(f"http://me:p%40w@127.0.0.1:{seen.port}/")
    assert b"Authorization: Basic bWU6cEB3" in seen.heads[0]
    assert "p%40w" not in done.out


def test_a_file_is_sent_as_it_is_and_again_after_a_307(
    trace: Trace, elsewhere: Origin, tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(b"a\r\n\x00b")
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/near")), "-d", f"@{tmp_path / 'data'}")
    assert done.status == 0
    assert seen.contents == [b"a\r\n\x00b"] * 2


def test_a_stream_cannot_be_sent_again(elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        command = [
            sys.executable,
            "-c",
            "from detour.cli.main import main; main()",
            "trace",
            "-d",
            "@-",
            "--json",
        ]
        done = subprocess.run(
            [*command, str(seen.url("/near"))], input=b"once", capture_output=True, timeout=60
        )
    document = json.loads(done.stdout)
    assert (done.returncode, document["end"], document["hops"][0]["content"]) == (
        1,
        "not-replayable",
        "not-replayable",
    )
    assert methods(seen) == ["POST"]


@pytest.mark.parametrize(("policy", "became"), [("fetch", "dropped"), ("go", "leaked"), ("curl", "dropped")])
def test_credentials_at_another_port_are_told_as_each_client_has_it(
    trace: Trace, elsewhere: Origin, policy: str, became: str
) -> None:
    """Fetch §4.4 drops them at another origin; Go compares hosts alone (`shouldCopyHeaderOnRedirect`)."""
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/far")), "-u", "me:pw", "--policy", policy, "--json")
        text = trace(str(seen.url("/far")), "-u", "me:pw", "--policy", policy)
    assert done.document["hops"][0]["credentials"] == became
    assert f"method kept, credentials {became}" in text.out
    assert (b"Authorization" in elsewhere.heads[0]) is (became == "leaked")


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_can_be_looked_through(trace: Trace, elsewhere: Origin, policy: str) -> None:
    with here(elsewhere, 303) as seen:
        done = trace(str(seen.url("/near")), "--policy", policy, "--json")
        text = trace(str(seen.url("/near")), "--policy", policy)
    assert (done.document["policy"], done.document["end"]) == (policy, "arrived")
    assert text.out.startswith("1  GET" if policy == "fetch" else f"through the eyes of {policy}\n1  GET")


def test_curl_commands_reproduce_each_hop(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/near")), "--curl", "--json")
        assert [hop["curl"].startswith("curl ") for hop in done.document["hops"]] == [True, True]
        command = done.document["hops"][0]["curl"]
        assert subprocess.run(["sh", "-c", command], capture_output=True, timeout=60).returncode == 0
    assert sorted(seen.heads[0].split(b"\r\n")) == sorted(seen.heads[2].split(b"\r\n"))


@pytest.mark.parametrize("name", ["sarif", "junit", "markdown", "html"])
def test_other_formats_hold_the_findings(trace: Trace, elsewhere: Origin, name: str) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/far")), "-d", "a=1", "--format", name)
    assert "content-crosses-origin" in done.out


# -- exit statuses


def test_a_finding_at_fail_on_is_1(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        statuses = [
            trace(str(seen.url("/far")), "-d", "a=1", "--fail-on", severity).status
            for severity in ("note", "warning", "error", "never")
        ]
    assert statuses == [1, 1, 0, 0]  # content-crosses-origin is a warning


def test_no_answer_is_1_and_says_why(trace: Trace) -> None:
    with origin(answering(lambda method, target: OK)) as seen:
        port = seen.port
    done = trace(f"http://127.0.0.1:{port}/", "--json")
    (hop,) = done.document["hops"]
    assert (done.status, done.document["end"], hop["status"]) == (1, "connect", None)
    with origin(answering(lambda method, target: OK)) as seen:
        (answered,) = trace(str(seen.url()), "--json").document["hops"]
    assert list(hop) == list(answered)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ftp://a/"],
        ["http://"],
        ["http://a/", "-X", "A B"],
        ["http://a/", "-X", "post"],
        ["http://a/", "--methods", "GET,post"],
        ["http://a/", "-b", "cookie"],
        ["http://a/", "-u", "nobody"],
        ["http://a/", "--timeout", "soon"],
        ["http://a/", "--cacert", "/no/such.pem"],
        ["http://a/", "--nonsense"],
        ["http://a/", "http://b/"],
        ["http://a/", "-H", "no colon"],
        ["http://a/", "-H", "A: \x1b"],
        ["http://a/", "--policy", "nobody"],
        ["http://a/", "--guard", "none"],
        ["http://a/", "--fail-on", "fatal"],
        ["http://a/", "--format", "pdf"],
        ["http://a/", "--methods", "GET,A B"],
        ["http://a/", "--methods", "CONNECT"],
        ["http://a/", "--methods", "all", "-X", "PUT"],
        ["http://a/", "--methods", "all", "--preflight", "http://b"],
        ["http://a/", "--preflight", "b"],
        ["http://a/", "--expect", "-d", "a"],
        ["http://a/", "--expect", "--send"],
        ["http://a/", "--max-hops", "-1"],
        ["http://a/", "--timeout", "0"],
        ["http://a/", "--http2", "--http3"],
        ["http://a/", "--proxy", "http://127.0.0.1:1"],
        ["http://a/", "--cert", "/no/such.pem"],
        ["http://a/", "-d", "@/no/such/file"],
        ["http://a/", "-u", "a:b", "-H", "Authorization: x"],
        ["http://a/", "-H", "Content-Length: 3", "--guard", "off"],
        ["--har", "/no/such.har"],
        ["--har", "/no/such.har", "-X", "POST"],
        ["--har", "/no/such.har", "--methods", "all"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_2_with_a_line(trace: Trace, arguments: list[str]) -> None:
    done = trace(*arguments)
    assert (done.status, done.out) == (2, "")
    assert re.fullmatch(r"detour: [^\n]+\n", done.err), done.err
    assert "; " in done.err  # and what to do


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["http://a/", "--timeout", "soon"], "--timeout"),
        (["http://a/", "--cacert", "/no/such.pem"], "--cacert"),
        (["http://a/", "-X", "post"], "write POST"),
        (["http://a/", "--fail-on", "fatal"], "--fail-on"),
        (["http://a/", "-u", "nobody"], "-u"),
    ],
)
def test_a_mistake_is_told_by_the_name_it_was_typed_with(
    trace: Trace, arguments: list[str], named: str
) -> None:
    assert named in trace(*arguments).err


def test_an_interrupt_is_130() -> None:
    asked: list[bool] = []

    def interrupting(peer: Peer) -> None:
        peer.head()
        running.send_signal(signal.SIGINT)
        asked.append(True)
        peer.origin.over.wait(60)

    with origin(interrupting) as seen:
        command = [sys.executable, "-c", "from detour.cli.main import main; main()", "trace", str(seen.url())]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = running.communicate(timeout=60)
    assert (asked, running.returncode, out, err) == ([True], 130, b"", b"")


# -- consent

LOOKS = (
    (),
    ("--methods", "all"),
    ("--methods", "POST,DELETE,PUT,PATCH,GET"),
    ("--preflight", "https://page.test"),
    ("--expect",),
    ("--probe-open",),
)
OUTPUTS = (
    (),
    ("--curl", "--json"),
    ("--max-hops", "3", "--fail-on", "note"),
    ("--guard", "off", "-H", "X-A: 1"),
)
TYPED = (("-X", "DELETE"), ("-d", "a=1"), ("-X", "PUT", "-d", "a=1"))


@pytest.mark.parametrize("policy", POLICIES)
def test_nobody_s_origin_sees_an_unsafe_request_unasked(trace: Trace, elsewhere: Origin, policy: str) -> None:
    with here(elsewhere) as seen:
        for look, output, path in itertools.product(LOOKS, OUTPUTS, ("/near", "/far?next=/x")):
            trace(str(seen.url(path)), "--policy", policy, *look, *output)
    assert set(methods(seen) + methods(elsewhere)) <= SAFE_METHODS
    assert len(seen.heads) > len(LOOKS) * len(OUTPUTS)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_was_typed_is_sent_to_its_origin_alone(trace: Trace, elsewhere: Origin, policy: str) -> None:
    """Other looks than the chain ask for other requests than the typed one: none of those is unsafe."""
    with here(elsewhere) as seen:
        for typed, output in itertools.product(TYPED, OUTPUTS):
            done = trace(str(seen.url("/far")), "--policy", policy, *typed, *output)
            assert done.status != 2
        assert set(methods(seen)) == {"DELETE", "POST", "PUT"}
        assert len(seen.heads) == len(TYPED) * len(OUTPUTS)
        for typed, look, output in itertools.product(TYPED, LOOKS[1:5], OUTPUTS):
            before = len(seen.heads)
            trace(str(seen.url("/near")), "--policy", policy, *typed, *look, *output)
            assert set(methods(seen)[before:]) <= SAFE_METHODS
    assert set(methods(elsewhere)) <= SAFE_METHODS


def test_a_typed_post_stops_at_an_origin_change_and_says_so(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/far")), "-d", "a=1", "--json")
    assert (done.document["end"], len(done.document["hops"]), elsewhere.heads) == ("needs-consent", 1, [])
    assert f"POST {elsewhere.url('/b')}" in done.document["end_detail"]


def test_send_goes_on(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/far")), "-d", "a=1", "--json", "--send")
    assert (done.document["end"], methods(elsewhere), elsewhere.contents) == ("arrived", ["POST"], [b"a=1"])


# -- other looks


def test_the_matrix_shows_each_method_and_what_was_not_probed(trace: Trace) -> None:
    with origin(answering(lambda method, _: redirect(302 if method == "GET" else 307, "/b"))) as seen:
        text, sent = (
            trace(str(seen.url()), "--methods", "all"),
            trace(str(seen.url()), "--methods", "all", "--send"),
        )
    rows = dict(line.split(maxsplit=1) for line in text.out.splitlines()[:7])
    assert rows["GET"].startswith("302")
    assert rows["HEAD"].startswith("307")
    assert rows["POST"] == "not probed (--send asks for it)"
    assert "HEAD, OPTIONS: gets 307 where GET gets 302" in text.out
    assert "HEAD, OPTIONS, POST, PUT, PATCH, DELETE: gets 307 where GET gets 302" in sent.out


def test_a_redirected_preflight_is_refused_as_browsers_refuse_it(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/near")), "--preflight", "https://page.test/x", "-X", "PUT", "--json")
    preflight = done.document["preflight"]
    assert (done.status, preflight["needed"], preflight["allowed"]) == (1, True, False)
    assert (preflight["origin"], preflight["method"]) == ("https://page.test", "PUT")
    assert "preflight-redirect" in [finding["check"] for finding in done.document["findings"]]
    assert methods(seen) == ["OPTIONS"]


def test_a_preflight_that_allows_says_that_the_browser_sends(trace: Trace) -> None:
    allowing = (
        b"HTTP/1.1 204 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: PUT\r\n\r\n"
    )
    with origin(answering(lambda method, _: allowing)) as seen:
        done = trace(str(seen.url()), "--preflight", "https://page.test", "-X", "PUT")
    assert done.status == 0
    assert "allowed: a browser sends PUT from https://page.test" in done.out


def test_expect_shows_when_the_content_was_asked_for(trace: Trace, elsewhere: Origin) -> None:
    with here(elsewhere) as seen:
        done = trace(str(seen.url("/near")), "--expect", "--send", "-d", "a=1", "--json", "--http1.1")
    first = done.document["hops"][0]
    assert (first["expect"]["outcome"], first["interim"]) == ("continued", [100])
    assert "continue-then-redirect" in [finding["check"] for finding in first["findings"]]


def test_an_early_redirect_spares_the_content(trace: Trace) -> None:
    def early(peer: Peer) -> None:
        while b"/a" in peer.head():
            peer.say(redirect(303, "/b", more="Connection: close\r\n"))
            return
        peer.say(OK)

    with origin(early) as seen:
        done = trace(str(seen.url("/a")), "--expect", "--send", "-d", "x" * 1000, "--json", "--http1.1")
    assert (done.document["hops"][0]["expect"]["outcome"], done.document["hops"][0]["sent"]) == (
        "refused-early",
        0,
    )


def test_probe_open_finds_a_server_that_believes_its_callers(trace: Trace) -> None:
    def believing(peer: Peer) -> None:
        while head := peer.head():
            found = re.search(rb"X-Forwarded-Host: (\S+)", head)
            peer.say(redirect(302, f"https://{found[1].decode() if found else '127.0.0.1:1'}/b"))

    with origin(believing) as seen:
        done = trace(str(seen.url()), "--probe-open", "--max-hops", "0", "--json")
    found = [finding for finding in done.document["findings"] if finding["check"] == "open-location"]
    assert [finding["message"].split(" chooses ")[0] for finding in found] == ["the field X-Forwarded-Host"]
    assert done.status == 1


def test_har_sends_nothing_and_tells_the_browser_s_own_redirect(trace: Trace, tmp_path: Path) -> None:
    def entry(url: str, status: int, **more: Any) -> dict[str, Any]:
        return {
            "request": {"method": "GET", "url": url, "headers": []},
            "response": {"status": status, **more},
        }

    hsts = [
        {"name": "Location", "value": "https://a.test/"},
        {"name": "Non-Authoritative-Reason", "value": "HSTS"},
    ]
    made_up = entry(
        "http://a.test/", 307, statusText="Internal Redirect", headers=hsts, redirectURL="https://a.test/"
    )
    entries = [made_up, entry("https://a.test/", 200), entry("https://a.test/x.png", 200)]
    file = tmp_path / "a.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    done = trace("--har", str(file))
    assert done.status == 0
    assert "browser-internal" in done.out
    assert "1 chain with redirects, 1 request without" in done.out
    assert len(trace("--har", str(file), "--json").document["chains"]) == 1
    absent = trace("--har", str(file), "https://b.test/", "--json")
    assert (absent.status, absent.document["chains"]) == (1, [])
    assert "no request for https://b.test/" in trace("--har", str(file), "https://b.test/").out
