"""Whatever an origin does, `detour trace` and `detour check` end in a value or a line, within the limits."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import trustme

from detour.cli.main import _run
from detour.core.chain import ENDS, Chain, End, Hop, Outgoing, Response
from detour.core.policy import POLICIES
from detour.core.url import URL
from detour.follow.trace import judge
from tests.follow.hostile_origins import (
    CONNECTIONS,
    CONTENTS,
    HEADS,
    HOSTILE,
    HTTP2,
    Door,
    Hostile,
    always,
    redirect,
    reset,
)
from tests.net.origin import Origin, Peer, Talk, origin

PROGRAM = "from detour.cli.main import main; main()"
# The peak of this program alone: `wait4` begins with what the test's own process held when it forked.
MEASURED = f"""
import atexit, os, pathlib, sys
status, peak = pathlib.Path("/proc/self/status"), pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: peak.write_text(status.read_text().partition("VmHWM:")[2].split()[0]))
{PROGRAM}
"""
UNIX = "unix:80:169.254.169.254"  # a host named unix is looked up like another, and leads nowhere
MOST_SECONDS = 20.0  # for one chain
MOST_MEMORY = 200_000_000  # octets, of which Python and libcurl take 60 million


class Done(msgspec.Struct, frozen=True):
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def detour(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs a command in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["detour", *arguments])
        status = _run()
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def contexts() -> dict[Door, ssl.SSLContext]:
    authority = trustme.CA()
    made: dict[Door, ssl.SSLContext] = {}
    for door in ("https", "h2"):
        made[door] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # type: ignore[index]
        authority.issue_cert("127.0.0.1").configure_cert(made[door])  # type: ignore[index]
    made["h2"].set_alpn_protocols(["h2"])
    return made


@contextlib.contextmanager
def standing(case: Hostile, contexts: dict[Door, ssl.SSLContext]) -> Iterator[tuple[Origin, str]]:
    """The origin of a row, and the URL that leads to it."""
    with origin(case.talk, tls=contexts.get(case.door)) as seen:
        scheme = "http" if case.door == "http" else "https"
        yield seen, f"{scheme}://127.0.0.1:{seen.port}/x"


def printable(text: str) -> bool:
    return all(line.isprintable() and len(line) < 2000 for line in text.split("\n"))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_trace_ends_in_a_value_within_the_limits(
    case: Hostile, contexts: dict[Door, ssl.SSLContext], detour: Callable[..., Done]
) -> None:
    flags = ("--timeout", str(case.patience), "--insecure", "--resolve", UNIX)
    with standing(case, contexts) as (seen, url):
        began = time.monotonic()
        told = detour("trace", url, *flags, "--json", "--curl")
        seconds = time.monotonic() - began
        text = detour("trace", url, *flags)
    document = json.loads(told.out)
    assert document["end"] in case.ends, document["end_detail"]
    assert document["end"] in ENDS
    assert document["end_detail"].isprintable()
    assert (told.status in (0, 1), told.err) == (True, "")
    assert (text.status, text.err, printable(text.out)) == (told.status, "", True)
    assert len(document["hops"]) <= 21
    assert seconds < MOST_SECONDS
    assert seen.connections >= 1


def tells(detail: str, end: str) -> bool:
    """Whether a failed result says that its chain came to this end."""
    return f"ends with {end}" in detail or detail.startswith(f"{end}:")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "way",
    [("--resolve", "inside.test:80:169.254.169.254"), ("--connect-to", "inside.test:80:169.254.169.254:80")],
)
def test_a_name_that_resolves_to_metadata_is_stopped_whoever_follows(
    policy: str, way: tuple[str, str], detour: Callable[..., Done], tmp_path: Path
) -> None:
    with origin(always(redirect("http://inside.test/"))) as seen:
        told = detour("trace", str(seen.url()), *way, "--policy", policy, "--json")
        (tmp_path / "urls.txt").write_text(str(seen.url()))
        checked = detour("check", str(tmp_path / "urls.txt"), *way, "--policy", policy)
    assert (told.status, json.loads(told.out)["end"]) == (1, "refused-address")
    assert checked.status == 1
    assert "refused-address" in checked.out


ANSWERS = (*HEADS, *CONTENTS, *CONNECTIONS, *HTTP2)


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case.name)
def test_a_post_ends_in_a_value_too_and_is_sent_once_a_hop(
    case: Hostile, contexts: dict[Door, ssl.SSLContext], detour: Callable[..., Done]
) -> None:
    with standing(case, contexts) as (seen, url):
        began = time.monotonic()
        told = detour("trace", url, "--timeout", str(case.patience), "--insecure", "-d", "a=1", "--json")
        seconds = time.monotonic() - began
    document = json.loads(told.out)
    assert (document["end"] in ENDS, told.err) == (True, "")
    assert sum(head.startswith(b"POST") for head in seen.heads) <= len(document["hops"])
    assert seconds < MOST_SECONDS


HUNGRY = (
    "a gzip bomb",
    "content without end at 200",
    "a field of 10 MB",
    "a line without end",
    "an endless chain",
)


@pytest.mark.parametrize(
    "case", [case for case in HOSTILE if case.name in HUNGRY], ids=lambda case: case.name
)
def test_a_trace_takes_no_more_memory_than_its_limits(
    case: Hostile, contexts: dict[Door, ssl.SSLContext], tmp_path: Path
) -> None:
    with standing(case, contexts) as (_, url):
        ran = measured(tmp_path, "trace", url, "--json")
    assert (json.loads(ran.out)["end"] in case.ends, ran.err) == (True, "")
    assert ran.memory < MOST_MEMORY


class Ran(msgspec.Struct, frozen=True):
    """A command that ran by itself: what it left behind, and what it took."""

    status: int
    out: str
    err: str
    seconds: float
    memory: int  # octets at the most


def measured(folder: Path, *arguments: str) -> Ran:
    out, err, peak = folder / "out", folder / "err", folder / "peak"
    began = time.monotonic()
    command = [sys.executable, "-c", MEASURED, str(peak), *arguments]
    with out.open("wb") as told, err.open("wb") as said:
        status = subprocess.run(command, stdout=told, stderr=said, timeout=100).returncode
    seconds = time.monotonic() - began
    return Ran(status, out.read_text(), err.read_text(), seconds, int(peak.read_text()) * 1024)


def test_a_check_settles_every_hostile_origin_and_the_good_one_among_them(
    tmp_path: Path, contexts: dict[Door, ssl.SSLContext]
) -> None:
    """One run over all of them: nobody keeps another from its result."""
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(standing(case, contexts))[1] for case in HOSTILE]
        good = stack.enter_context(origin(always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")))
        urls.insert(len(urls) // 2, str(good.url("/good")))
        listed = tmp_path / "urls.txt"
        listed.write_text("".join(f"{url}\n" for url in urls))
        flags = ("--timeout", "3", "--insecure", "--retries", "1", "--per-host", "64", "--resolve", UNIX)
        ran = measured(tmp_path, "check", str(listed), *flags, "--json")
    assert (ran.status, ran.err) == (1, "")
    results = {one["name"]: one for one in json.loads(ran.out)["results"]}
    assert len(results) == len(HOSTILE) + 1
    assert results[f"GET {good.url('/good')}"]["outcome"] == "passed"
    for case, url in zip(HOSTILE, (url for url in urls if not url.endswith("/good")), strict=True):
        result = results[f"GET {url}"]
        passes = case.ends & {"arrived"}
        assert result["outcome"] == "failed" or passes, case.name
        ends = case.ends | ({"timeout"} if case.door == "h2" else set())  # these answer once a connection
        assert passes or any(tells(result["detail"], end) for end in ends), (case.name, result["detail"])
    assert ran.seconds < 60
    assert ran.memory < MOST_MEMORY


HEAD = b"HTTP/1.1 307 Temporary Redirect\r\nServer: s\r\nLocation: /whole\r\nContent-Length: 0\r\n\r\n"
ARRIVED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def cutting(close: Callable[[Peer], None]) -> Talk:
    """Asked for `/N`, says the first N octets of a head and closes."""

    def talk(peer: Peer) -> None:
        while head := peer.head():
            where = head.split()[1][1:]
            peer.say(ARRIVED if where == b"whole" else HEAD[: int(where)])
            if where != b"whole":
                close(peer)
                return

    return talk


@pytest.mark.parametrize("close", [lambda peer: None, reset], ids=["close", "reset"])
def test_a_head_cut_at_any_octet_is_no_answer(
    close: Callable[[Peer], None], detour: Callable[..., Done], tmp_path: Path
) -> None:
    with origin(cutting(close)) as seen:
        urls = [str(seen.url(f"/{at}")) for at in range(len(HEAD))]
        ends = {json.loads(detour("trace", url, "--json").out)["end"] for url in urls}
        listed = tmp_path / "urls.txt"
        listed.write_text("\n".join(urls))
        checked = detour("check", str(listed), "--json", "--retries", "0")
        whole = detour("trace", str(seen.url(f"/{len(HEAD)}")), "--json")
    assert ends == {"protocol"}
    summary = json.loads(checked.out)["summary"]
    assert (summary["passed"], summary["failed"]) == (0, len(HEAD))
    assert json.loads(whole.out)["end"] in ("arrived", "protocol")  # a reset may overtake the head


@pytest.mark.parametrize(
    "unit", ["<", "a ", "/.", '"', "=a;", "\n", "<a ", "%2f", "x,", "((", "{{", "a:", "-- "]
)
def test_what_a_server_says_is_judged_in_proportion_to_its_length(unit: str) -> None:
    """No expression over fields or content takes more than its time, whatever stands there."""
    text = (unit * 65_536)[:65_536]
    flat = text.replace("\n", " ")
    names = (
        "Server",
        "Location",
        "Content-Type",
        "Set-Cookie",
        "Via",
        "X-Redirect-By",
        "Alt-Svc",
        "X-Powered-By",
    )
    request = Outgoing("GET", URL.parse("http://127.0.0.1:1/x"))
    fields = tuple((name, flat[:60_000]) for name in names)
    response = Response(307, fields=fields, content=text.encode(), content_length=65_536, raw_head=b"")
    hop = Hop(request, response, URL.parse("http://127.0.0.1:1/y"))
    began = time.process_time()
    judge(Chain("fetch", (hop, hop), End("loop")))
    assert time.process_time() - began < 2.0
