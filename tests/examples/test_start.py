"""What `make run` starts, from the first line to Ctrl-C."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.examples.running import EXAMPLES, PATIENCE, REPOSITORY, Running, eventually, free_port
from tests.examples.running import plain_environment as environment

RUN = EXAMPLES / "start" / "run.py"


def two_free_ports() -> int:
    """The first of two neighbours that are free."""
    for _ in range(50):
        port = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
        return port
    raise AssertionError("no two free ports beside each other")


class Started(Running):
    """`examples/start/run.py`, up until it is interrupted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, rules: str = "") -> None:
        self.port = two_free_ports()
        monkeypatch.setenv("PORT", str(self.port))
        monkeypatch.setenv("RULES", rules)
        super().__init__([sys.executable, str(RUN)], folder)

    def ready(self) -> bool:
        return "Ctrl-C ends it" in self.said

    @property
    def said(self) -> str:
        return self._out.read_text()

    def ask(self, method: str, target: str) -> tuple[int, str | None]:
        """Status and Location."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        ) as asking:
            asking.request(method, target)
            answer = asking.getresponse()
            return answer.status, answer.headers["Location"]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    with Started(tmp_path, monkeypatch) as running:
        yield running


def test_a_post_goes_through_a_redirect_and_arrives(started: Started) -> None:
    assert "HTTP/1.1 307 Temporary Redirect\nLocation: http://127.0.0.1:" in started.said
    told = [json.loads(line) for line in started.said.splitlines() if line.startswith('{"method"')]
    assert [(one["method"], one["target"], one["length"]) for one in told] == [
        ("POST", "/orders?from=make-run", 27)
    ]
    assert "What arrived at the origin (the same octets)" in started.said


def test_the_first_example_of_the_readme_is_answered(started: Started) -> None:
    with socket.create_connection(("127.0.0.1", started.port), PATIENCE) as connection:
        connection.sendall(b"GET /v1/resource HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        head = connection.makefile("rb").read().split(b"\r\n")
    assert head[:2] == [
        b"HTTP/1.1 307 Temporary Redirect",
        b"Location: https://api.example.com/v2/resource",
    ]


def interrupt(pid: int) -> None:
    """As a terminal does it: to everything in the foreground."""
    os.killpg(pid, signal.SIGINT)


def terminate(pid: int) -> None:
    """As a supervisor does it: to what it has started."""
    os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize("stop", [interrupt, terminate])
def test_an_interrupt_ends_everything(started: Started, stop: Callable[[int], None]) -> None:
    family = psutil.Process(started.process.pid).children(recursive=True)
    assert len(family) >= 3, "the server's parent and its workers"
    stop(started.process.pid)
    assert started.process.wait(PATIENCE) == 0
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert alive == []


def test_rules_of_ones_own_are_served_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "own.toml"
    rule = '[[rule]]\nname = "own"\npattern = "/a"\nlocation = "/{}"\n'
    rules.write_text(rule.format("b"))
    with Started(tmp_path, monkeypatch, str(rules)) as running:
        assert running.ask("POST", "/a") == (307, "/b")
        rules.write_text(rule.format("c"))
        eventually(lambda: running.ask("POST", "/a") == (307, "/c"), "a reload")


def test_a_netlify_file_is_served_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "_redirects"
    rules.write_text("/old/*  /new/:splat  302\nnonsense\n")
    with Started(tmp_path, monkeypatch, str(rules)) as running:
        assert running.ask("GET", "/old/page") == (302, "/new/page")
        rules.write_text("/old/*  /newer/:splat  302\n")
        eventually(lambda: running.ask("GET", "/old/page") == (302, "/newer/page"), "a reload")


def test_a_busy_port_is_one_line_that_names_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        ended = run(PORT=str(port))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"port {port}" in ended.stderr
    assert "PORT=" in ended.stderr


def test_rules_that_are_not_there_are_one_line() -> None:
    ended = run(PORT=str(two_free_ports()), RULES="no/such.toml")
    assert (ended.returncode, ended.stderr) == (
        2,
        "make run: RULES=no/such.toml is no file; name a rule file\n",
    )


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    """One that is expected to give up."""
    return subprocess.run(
        [sys.executable, str(RUN)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=REPOSITORY,
        env=environment({"RULES": "", **settings}),
    )
