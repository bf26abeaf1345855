"""`detour check` as a user types it, against real servers: reports, exit statuses, interrupts, recording."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_commands import detour
from tests.net.origin import Origin, Peer, origin
from tests.serve.running_server import RunningServer, eventually, rule

PROGRAM = "from detour.cli.main import main; main()"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`detour serve`: a chain of three, one redirect that never ends, and one out of the site."""
    folder = tmp_path_factory.mktemp("served")
    rules = folder / "detours.toml"
    rules.write_text(
        rule("one", "/one/*", "/two/{0}", "status = 308", 'cache = "1m"')
        + rule("two", "/two/*", "/three/{0}", "status = 302")
        + rule("ping", "/ping", "/pong")
        + rule("pong", "/pong", "/ping")
        + rule("orders", "/v1/orders/*", "/v2/orders/{0}")
        + '[[rule.expect]]\nrequest = "POST https://shop.test/v1/orders/7"\nlocation = "/v2/orders/7"\n'
        + '[[rule.expect]]\nrequest = "GET https://shop.test/v1/orders/8"\nstatus = 307\n'
    )
    with RunningServer(rules, folder) as running:
        yield running


CONTRACT = """
[[request]]
name     = "orders"
method   = "POST"
url      = "/v1/orders/7"
content  = "{}"
status   = 307
location = "/v2/orders/7"
[[request]]
name   = "wrong"
url    = "/one/x"
status = 301
chain  = ["/two/x", "/three/x"]
end_status = 404
"""


@pytest.fixture
def contract(tmp_path: Path) -> str:
    file = tmp_path / "contract.toml"
    file.write_text(CONTRACT)
    return str(file)


def answering(peer: Peer) -> None:
    """Answers every request, and keeps the connection."""
    while peer.head():
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_a_contract_holds_or_says_where_it_does_not(server: RunningServer, contract: str) -> None:
    done = detour("check", contract, "--origin", server.url)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"FAIL  wrong: GET {server.url}/one/x  ({contract}:9)"
    assert lines[1].strip() == "status 308, expected 301"
    assert lines[-1].startswith("1 passed, 1 failed")


def test_everything_as_written_is_exit_0(server: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(CONTRACT.replace("301", "308"))
    done = detour("check", str(file), "--origin", server.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 passed, 0 failed")


def test_rule_files_are_held_against_the_server_that_serves_them(
    server: RunningServer, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text((Path(server_rules(server))).read_text())
    asked = detour("check", str(rules), "--origin", server.url)
    assert asked.returncode == 0, asked.stdout
    assert "1 passed, 0 failed, 1 skipped" in asked.stdout  # the POST is no contract's
    sent = detour("check", str(rules), "--origin", server.url, "--send")
    assert "2 passed, 0 failed" in sent.stdout


def server_rules(server: RunningServer) -> str:
    arguments = server.process.args
    assert isinstance(arguments, list)
    return str(json.loads(str(arguments[-1]))["rules"])


def test_csv_and_lists_from_standard_input(server: RunningServer) -> None:
    csv = detour("check", "-", "--origin", server.url, stdin="old,new\n/two/a,/three/a\n/two/a,/four\n")
    assert csv.returncode == 1
    assert f"does not come to {server.url}/four: it goes to {server.url}/three/a" in csv.stdout
    loop = detour("check", "-", "--origin", server.url, stdin="/ping\n")
    assert loop.returncode == 1
    assert "ends with loop" in loop.stdout
    assert "[redirect-loop]" in loop.stdout


def test_a_sitemap_is_fetched_whole_whatever_its_length(tmp_path: Path) -> None:
    def serving(peer: Peer) -> None:
        while head := peer.head():
            content = sitemap if head.split()[1] == b"/sitemap.xml" else b""
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))

    with origin(serving) as seen:
        rows = "".join(f"<url><loc>{seen.url(f'/{n}')}</loc></url>{' ' * 2000}" for n in range(60))
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        sitemap = f'<urlset xmlns="{space}">{rows}</urlset>'.encode()
        assert len(sitemap) > 64 * 1024
        done = detour("check", str(seen.url("/sitemap.xml")))
    assert (done.returncode, done.stdout) == (0, "60 passed, 0 failed\n"), done.stderr


def test_json_is_one_document(server: RunningServer, contract: str) -> None:
    done = detour("check", contract, "--origin", server.url, "--json")
    document = json.loads(done.stdout)
    assert document["summary"]["passed"] == document["summary"]["failed"] == 1
    assert {one["name"].split(":")[0] for one in document["results"]} == {"orders", "wrong"}


def test_junit_has_a_case_for_each_request_with_its_line(server: RunningServer, contract: str) -> None:
    done = detour("check", contract, "--origin", server.url, "--format", "junit")
    cases = {case.attrib["line"]: case for case in ElementTree.fromstring(done.stdout).iter("testcase")}
    assert set(cases) == {"2", "9"}
    assert cases["2"].find("failure") is None
    failure = cases["9"].find("failure")
    assert failure is not None
    assert "status 308, expected 301" in "".join(failure.itertext()) + str(failure.attrib)
    assert float(cases["2"].attrib["time"]) > 0


def test_sarif_points_at_the_line_of_the_contract(
    server: RunningServer, contract: str, tmp_path: Path
) -> None:
    report = tmp_path / "detour.sarif"
    done = detour("check", contract, "--origin", server.url, "--format", "sarif", "-o", str(report))
    assert (done.returncode, done.stdout) == (1, "")
    document = json.loads(report.read_text())
    assert document["version"] == "2.1.0"
    places = [
        result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for result in document["runs"][0]["results"]
    ]
    assert set(places) == {9}


@pytest.mark.parametrize("format", ["markdown", "html"])
def test_reports_for_people_name_what_failed(server: RunningServer, contract: str, format: str) -> None:
    done = detour("check", contract, "--origin", server.url, "--format", format)
    assert "wrong: GET" in done.stdout
    assert "expected 301" in done.stdout


def test_a_record_is_a_contract_that_holds(server: RunningServer, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text("/one/a\n/two/b\n/three/c\n/v1/orders/1\n")
    recorded = tmp_path / "recorded.toml"
    done = detour("check", str(urls), "--origin", server.url, "--record", "-o", str(recorded))
    assert done.returncode == 0, done.stderr
    requests = {one["url"]: one for one in tomllib.loads(recorded.read_text())["request"]}
    assert requests[f"{server.url}/one/a"] == {
        "url": f"{server.url}/one/a",
        "status": 308,
        "location": "/two/a",
        "chain": [f"{server.url}/two/a", f"{server.url}/three/a"],
        "end": "/three/a",
        "end_status": 404,
    }
    assert detour("check", str(recorded)).stdout.startswith("4 passed, 0 failed")


def test_a_record_of_what_is_wrong_holds_too_and_says_what_was_found(tmp_path: Path) -> None:
    def slashing(peer: Peer) -> None:
        while head := peer.head():
            redirects = head.startswith(b"GET /a HTTP")
            answer = b"307 T\r\nLocation: /a/\r\nContent-Length: 0\r\n\r\n"
            peer.say(b"HTTP/1.1 " + (answer if redirects else b"200 OK\r\nContent-Length: 0\r\n\r\n"))

    recorded = tmp_path / "recorded.toml"
    with origin(slashing) as seen:
        flags = ("--fail-on", "note")
        done = detour("check", "-", "--record", "-o", str(recorded), *flags, stdin=f"{seen.url('/a')}\n")
        again = detour("check", str(recorded), *flags)
    assert done.returncode == 0, done.stderr
    (request,) = tomllib.loads(recorded.read_text())["request"]
    assert "slash-only" in request["allow"]
    assert again.stdout == "1 passed, 0 failed\n"


def test_results_are_told_in_the_order_of_the_input(tmp_path: Path) -> None:
    def later_for_the_first(peer: Peer) -> None:
        while head := peer.head():
            peer.origin.over.wait(0.5 if b"/0 " in head else 0)
            peer.say(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")

    with origin(later_for_the_first) as seen:
        urls = [str(seen.url(f"/{number}")) for number in range(8)]
        done = detour("check", "-", "--json", stdin="\n".join(urls))
    assert [one["name"] for one in json.loads(done.stdout)["results"]] == [f"GET {url}" for url in urls]


@pytest.mark.parametrize("given", ["", "# nothing but a comment\n\n", "old,new\n"])
def test_a_run_over_nothing_is_a_mistake_and_not_a_success(given: str) -> None:
    done = detour("check", "-", stdin=given)
    assert done.returncode == 2
    assert done.stderr == "detour: -: holds nothing to check; name a file with URLs or requests\n"


def test_reports_to_keep_say_of_what_and_when_they_are(server: RunningServer, contract: str) -> None:
    html = detour("check", contract, "--origin", server.url, "--format", "html").stdout
    title = re.search(r"<title>(.*)</title>", html)
    assert title is not None
    assert re.fullmatch(rf"detour check {re.escape(contract)}, \d{{4}}-\d\d-\d\d \d\d:\d\d UTC", title[1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("absent.txt",), "absent.txt: cannot be read: No such file or directory"),
        (("-", "--format", "yaml"), "'yaml' is no format"),
        (("-", "--rate", "0"), "--rate is in requests a second"),
        (("-", "--policy", "ie6"), "'ie6' is no policy"),
        (("-", "--record", "--resume", "x"), "leave out --resume"),
        (("-", "--record", "--format", "html"), "leave out --format"),
        (("-", "-o", "no/such/folder/x"), "-o no/such/folder/x: cannot be written"),
        (("-", "--origin", "ftp://x"), "use http or https"),
        (("-", "--guard", "maybe"), "--guard 'maybe'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(arguments: tuple[str, ...], said: str) -> None:
    done = detour("check", *arguments, stdin="http://127.0.0.1:1/\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("flags", [("-o", "/dev/full"), ("--format", "html", "-o", "/dev/full")])
def test_a_full_disk_is_one_line_and_exit_2(flags: tuple[str, ...]) -> None:
    done = detour("check", "-", "--retries", "0", *flags, stdin="http://127.0.0.1:1/\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("detour: the output cannot be written: No space left on device; make room")
    assert len(done.stderr.splitlines()) == 1


def test_faults_of_a_contract_stop_the_run_before_anything_is_asked(tmp_path: Path) -> None:
    with origin(answering) as seen:
        file = tmp_path / "c.toml"
        file.write_text(f'[[request]]\nurl = "{seen.url()}"\n[[request]]\nurl = "x"\nstatus = "no"\n')
        done = detour("check", str(file))
    assert done.returncode == 2
    assert [line.split(":")[2] for line in done.stderr.splitlines()] == ["5"]
    assert seen.heads == []


def test_nothing_unsafe_leaves_unless_a_contract_names_its_origin(tmp_path: Path) -> None:
    def elsewhere(peer: Peer) -> None:
        while head := peer.head():
            if b"POST" in head:
                peer.content(2)
            peer.say(b"HTTP/1.1 307 T\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % other_url.encode())

    with origin(answering) as other:
        other_url = str(other.url("/there", host="localhost"))
        with origin(elsewhere) as first:
            file = tmp_path / "c.toml"
            file.write_text(f'[[request]]\nurl = "{first.url()}"\ncontent = "hi"\nend_status = 200\n')
            done = detour("check", str(file))
    assert done.returncode == 1
    assert "needs-consent" in done.stdout
    assert [head.split()[0] for head in first.heads] == [b"POST"]
    assert other.heads == []


def test_a_list_asks_with_get_and_no_other_method(tmp_path: Path) -> None:
    with origin(answering) as seen:
        done = detour("check", "-", "--at-once", "4", stdin=f"{seen.url('/1')}\n{seen.url('/2')}\n")
    assert done.stdout.startswith("2 passed, 0 failed")
    assert {head.split()[0] for head in seen.heads} == {b"GET"}


def interrupted(seen: Origin, urls: Path, journal: Path, output: Path, settled: int) -> int:
    """Run until so many answers were given, then interrupt; the exit status."""
    command = [sys.executable, "-c", PROGRAM, "check", str(urls), "--resume", str(journal), "--per-host", "1"]
    process = subprocess.Popen(
        [*command, "--json", "-o", str(output)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        eventually(lambda: journal.exists() and journal.read_bytes().count(b"\n") > settled, "settled")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert b"interrupted" in said
    return process.returncode


def test_an_interrupted_run_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    waits = 20

    def slow_at_last(peer: Peer) -> None:
        while head := peer.head():
            if head.split()[1] == b"/%d" % waits and not slow_at_last.over:  # type: ignore[attr-defined]
                peer.origin.over.wait(30)  # until the connection is closed, or the test is over
                return
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    slow_at_last.over = False  # type: ignore[attr-defined]
    urls, journal, output = tmp_path / "urls.txt", tmp_path / "journal", tmp_path / "report.json"
    with origin(slow_at_last) as seen:
        urls.write_text("".join(f"{seen.url(f'/{number}')}\n" for number in range(40)))
        assert interrupted(seen, urls, journal, output, waits) == 130
        cut = json.loads(output.read_text())
        assert cut["summary"]["passed"] == waits
        slow_at_last.over = True  # type: ignore[attr-defined]
        done = detour("check", str(urls), "--resume", str(journal), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["passed"] == 40
    asked = [head.split()[1] for head in seen.heads]
    assert sorted(asked) == sorted([b"/%d" % number for number in range(40)] + [b"/%d" % waits])
    assert not journal.exists()


def test_a_terminal_shows_how_far_it_is() -> None:
    parent, child = pty.openpty()
    with origin(answering) as seen:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "check", "-"],
            input=f"{seen.url()}\n",
            stdout=subprocess.PIPE,
            stderr=child,
            text=True,
            timeout=60,
            env={**os.environ, "TERM": "xterm"},
        )
    os.close(child)
    shown = os.read(parent, 1 << 16).decode()
    os.close(parent)
    assert "checking" in shown
    assert done.stdout == "1 passed, 0 failed\n"


def test_what_failed_stands_above_the_bar_on_lines_of_its_own() -> None:
    parent, child = pty.openpty()

    def refusing(peer: Peer) -> None:
        while peer.head():
            peer.origin.over.wait(0.02)
            peer.say(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")

    with origin(refusing) as seen:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, "check", "-", "--per-host", "1"],
            input="".join(f"{seen.url(f'/{number}')}\n" for number in range(40)),
            stdout=child,
            stderr=child,
            text=True,
            timeout=60,
            env={**os.environ, "TERM": "xterm"},
        )
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # nobody writes any more
        while piece := os.read(parent, 1 << 16):
            shown += piece
    os.close(parent)
    lines = [re.split("\r|\x1b\\[2K", line)[-1] for line in shown.decode().split("\r\n")]
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in lines]
    failed = [line for line in plain if "FAIL" in line]
    assert len(failed) == 40
    assert all(re.fullmatch(r"FAIL  GET http://127\.0\.0\.1:\d+/\d+  \(-:\d+\)", line) for line in failed)
    assert "40/40" not in plain[-1]  # the bar has gone


def test_the_example_contract_loads() -> None:
    file = Path(__file__).parents[2] / "examples" / "check" / "contract.toml"
    done = detour("check", str(file), "--origin", "http://127.0.0.1:1", "--retries", "0", "--json")
    assert done.returncode == 1, done.stderr  # nobody is there
    assert json.loads(done.stdout)["summary"]["failed"] == 5
