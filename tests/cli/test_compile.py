"""`detour compile`, and the commands that take what it writes."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_commands import RULES, detour

COMPILE = "from detour.cli.main import main; main()"
URL = "https://api.example.com/v1/orders/7"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "detours.toml"
    file.write_text(RULES)
    return file


def test_match_and_test_read_compiled_rules(rules: Path, tmp_path: Path) -> None:
    output = tmp_path / "rules.compiled"
    done = detour("compile", str(rules), "-o", str(output))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{output}: 1 rules, 0.0 MB\n"
    rules.unlink()
    matched = detour("match", str(output), "POST", URL)
    assert matched.stdout.splitlines()[0] == f"307 by orders ({rules}:2)"
    assert detour("test", str(output)).stdout == "1 passed, 0 failed, 1 rules\n"


def test_a_dash_is_standard_output_and_standard_input(rules: Path) -> None:
    command = [sys.executable, "-c", COMPILE]
    written = subprocess.run([*command, "compile", str(rules), "-o", "-"], capture_output=True, timeout=60)
    assert (written.returncode, written.stderr) == (0, b"")
    matched = subprocess.run(
        [*command, "match", "-", "POST", URL], input=written.stdout, capture_output=True, timeout=60
    )
    assert matched.stdout.decode().splitlines()[0] == f"307 by orders ({rules}:2)"


def test_a_terminal_gets_no_binary(rules: Path) -> None:
    parent, child = pty.openpty()
    command = [sys.executable, "-c", COMPILE, "compile", str(rules), "-o", "-"]
    done = subprocess.run(command, stdout=child, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(child)
    os.close(parent)
    assert done.returncode == 2
    assert done.stderr.startswith("detour: ")
    assert "write -o FILE" in done.stderr


def test_a_terminal_shows_how_far_it_is(tmp_path: Path) -> None:
    rules = tmp_path / "detours.toml"
    rules.write_text('[[rule]]\nname = "bulk"\nimport = "bulk.csv"\ndialect = "csv"\n')
    (tmp_path / "bulk.csv").write_text("".join(f"/old/{n},/new/{n}\n" for n in range(30_000)))
    parent, child = pty.openpty()
    command = [sys.executable, "-c", COMPILE, "compile", str(rules), "-o", str(tmp_path / "out")]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=child,
        text=True,
        timeout=60,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(child)
    shown = os.read(parent, 1 << 16).decode()
    os.close(parent)
    assert done.returncode == 0
    assert "compiling" in shown
    assert "30,000 rules" in done.stdout


def test_the_file_is_readable_as_far_as_the_umask_lets_it(rules: Path, tmp_path: Path) -> None:
    output = tmp_path / "rules.compiled"
    before = os.umask(0o022)
    try:
        detour("compile", str(rules), "-o", str(output))
    finally:
        os.umask(before)
    assert stat.S_IMODE(output.stat().st_mode) == 0o644


def test_a_link_stays_a_link(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "rules.compiled"
    link.symlink_to(tmp_path / "real" / "rules")
    assert detour("compile", str(rules), "-o", str(link)).returncode == 0
    assert link.is_symlink()
    assert detour("match", str(link), "POST", URL).returncode == 0


def test_faults_leave_what_was_there_and_nothing_beside_it(rules: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    output = folder / "rules.compiled"
    detour("compile", str(rules), "-o", str(output))
    before = output.read_bytes()
    rules.write_text(RULES + '[[rule]]\nname = "a"\npattern = "v1"\nlocation = "/b"\nstatus = 308\n')
    done = detour("compile", str(rules), "-o", str(output))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert output.read_bytes() == before
    assert [*folder.iterdir()] == [output]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("/dev/null", "/dev/null: not a regular file"),
        ("missing/rules", "cannot be written: No such file or directory"),
        (".", "not a regular file"),
    ],
)
def test_where_nothing_can_be_written_is_one_line_and_exit_2(rules: Path, output: str, said: str) -> None:
    place = output if output.startswith("/") else str(rules.parent / output)
    done = detour("compile", str(rules), "-o", place)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("match", "GET", URL), ("test",), ("serve",)])
def test_a_damaged_file_is_one_line_and_exit_2(rules: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    output = tmp_path / "rules.compiled"
    detour("compile", str(rules), "-o", str(output))
    octets = bytearray(output.read_bytes())
    octets[100] ^= 1
    output.write_bytes(octets)
    name, *rest = command
    done = detour(name, str(output), *rest)
    assert done.returncode == 2
    assert done.stderr == (
        f"detour: {output}: compiled rules, but damaged (records); "
        "compile it again: detour compile RULES -o FILE\n"
    )
