"""`detour lab` as a command: what it prints, how it ends, and what an interrupt leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import jsonschema
import psutil  # type: ignore[import-untyped]
import pytest

from detour.lab.fixture import case_ids
from tests.examples.running import eventually, plain_environment, program

KEPT = ("--client", "urllib3", "--case", "same/307/PUT/json")
LOST = ("--client", "urllib3", "--case", "same/307/PUT/[jf]*")  # a file is lost: urllib3/urllib3#5181


def detour(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("detour"), *words],
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=100,
        **more,
    )


def test_a_client_without_fault_is_exit_0() -> None:
    done = detour("lab", *KEPT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "urllib3 2" in done.stdout
    assert "1 client, 1 case, 1 cell: 0 with a fault" in done.stdout


def test_a_fault_is_exit_1_until_a_baseline_holds_it(tmp_path: Path) -> None:
    baseline = str(tmp_path / "baseline.json")
    assert detour("lab", *LOST, "--json", "-o", baseline).returncode == 1
    assert detour("lab", *LOST, "--baseline", baseline).returncode == 0
    held = json.loads(Path(baseline).read_text())
    held["clients"][0]["cells"] = [
        one for one in held["clients"][0]["cells"] if not one["case"].endswith("/file")
    ]
    Path(baseline).write_text(json.dumps(held))
    assert detour("lab", *LOST, "--baseline", baseline).returncode == 1


def test_json_is_one_document_and_has_a_schema() -> None:
    done = detour("lab", *KEPT, "--json")
    schema = detour("lab", "--schema")
    jsonschema.validate(json.loads(done.stdout), json.loads(schema.stdout))
    assert json.loads(done.stdout)["clients"][0]["cells"][0]["request"] == "kept"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--client", "nope"), "--client 'nope' is none that the lab knows: curl"),
        (("--case", "nope/*"), "--case nope/*: there is no such case"),
        (("--format", "pdf"), "'pdf' is no format; there are text"),
        (("--baseline", "/nowhere"), "/nowhere: cannot be read"),
        (("-o", "/nowhere/at/all"), "-o /nowhere/at/all: cannot be written"),
        (("--resume", "/nowhere/at/all"), "--resume /nowhere/at/all: cannot be written"),
        (("--at-once", "0"), "--at-once"),
    ],
)
def test_a_mistake_is_exit_2_and_one_line(words: tuple[str, ...], reason: str) -> None:
    done = detour("lab", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_baseline_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "baseline").write_text("{}")
    done = detour("lab", "--baseline", str(tmp_path / "baseline"))
    assert done.returncode == 2
    assert "is no result of `detour lab --format json`" in done.stderr


def test_names_of_clients_ignore_case_and_the_slice_is_short() -> None:
    done = detour("lab", "--client", "URLLIB3", "--slice", "--case", "same/307/*", "--json")
    (client,) = json.loads(done.stdout)["clients"]
    assert client["name"] == "urllib3"
    assert 1 < len(client["cells"]) < 20


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_exit_130_ends_the_programs_and_what_was_settled_is_gone_on_with(
    tmp_path: Path, sent: signal.Signals
) -> None:
    journal = tmp_path / "journal"
    words = [
        "lab",
        "--client",
        "urllib3",
        "--client",
        "curl",
        "--case",
        "same/307/P*",
        "--resume",
        str(journal),
    ]
    with subprocess.Popen(
        [program("detour"), *words], env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        eventually(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 20, "twenty trials")
        children = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(sent)
        out, log = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, b"")
    assert f"go on with --resume {journal}" in log.decode()
    assert children
    assert not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    settled = journal.read_bytes().count(b"\n") - 1
    done = detour(*words, "--json")
    whole = json.loads(done.stdout)
    assert not journal.exists()
    asked = sum(cell["trials"] for client in whole["clients"] for cell in client["cells"])
    assert asked > settled > 0
    counted = {len(client["cells"]) + len(client.get("not_asked", ())) for client in whole["clients"]}
    assert counted == {len(case_ids("same/307/P*"))}


def test_serve_keeps_the_origins_up_until_it_is_ended() -> None:
    with subprocess.Popen(
        [program("detour"), "lab", "serve"], env=plain_environment(), stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        page = running.stderr.readline().split()[-1]
        authority = running.stderr.readline().split()[-1]
        with urllib.request.urlopen(page, timeout=10) as answer:
            assert b"Detour lab" in answer.read()
        assert Path(authority).read_text().startswith("-----BEGIN CERTIFICATE-----")
        running.terminate()
        assert running.wait(20) == 0
    assert not Path(authority).exists()


def test_serve_on_a_port_that_is_taken_is_exit_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = detour("lab", "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "cannot listen there: Address already in use" in done.stderr


def test_setup_says_who_is_there() -> None:
    done = detour("lab", "setup", "--client", "requests", "--client", "urllib.request")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"urllib.request: {sys.version.split()[0]}" in done.stderr


def test_diff_says_what_changed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    detour("lab", *KEPT, "--json", "-o", str(old))
    changed = json.loads(old.read_text())
    changed["clients"][0]["version"] = "99"
    changed["clients"][0]["cells"][0]["request"] = "lost"
    new.write_text(json.dumps(changed))
    assert detour("lab", "diff", str(old), str(old)).returncode == 0
    done = detour("lab", "diff", str(old), str(new))
    assert done.returncode == 1
    assert "same/307/PUT/json" in done.stdout
    assert "→ 99" in done.stdout


def test_progress_is_drawn_on_a_terminal_only() -> None:
    leader, follower = os.openpty()
    with subprocess.Popen(
        [program("detour"), "lab", *KEPT], env=plain_environment(), stdout=subprocess.PIPE, stderr=follower
    ) as running:
        os.close(follower)
        drawn = b""
        while running.poll() is None or drawn == b"":
            try:
                drawn += os.read(leader, 65536)
            except OSError:
                break
            time.sleep(0.01)
        out, _ = running.communicate(timeout=30)
    os.close(leader)
    assert b"asking" in drawn
    assert b"asking" not in out
    assert b"0 with a fault" in out
