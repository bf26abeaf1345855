"""The GitHub Action, the pre-commit hooks and the page about `detour check` are what they say."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from detour.follow.contract import read
from detour.formats.conversion import Document
from tests.examples.running import plain_environment
from tests.net.origin import keeping, origin

ROOT = Path(__file__).parents[2]


def contracts(page: str) -> list[list[str]]:
    """The methods that each contract of a page asks with."""
    blocks = re.findall(r"```toml (?:contract|broken)\.toml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    read_blocks = (read(Document.parse("contract.toml", block), lambda _name: b"") for block in blocks)
    return [[claim.request.method for claim in claims] for claims in read_blocks]


def test_every_contract_in_the_documentation_loads() -> None:
    first = ["POST", "POST", "PUT"]
    assert contracts("README.md") == [first]
    assert contracts("docs/check.md") == [first, ["POST", "GET", "GET", "HEAD", "PUT", "PATCH"]]


def test_the_documentation_names_no_flag_that_is_not_there() -> None:
    for command in ("trace", "check"):
        page = (ROOT / "docs" / f"{command}.md").read_text()
        known = set(re.findall(r"--[a-z0-9.-]+", helped(command)))
        curl = {"--globoff", "--path-as-is", "--noproxy", "--data-raw"}
        others = {"--hook-stage", "--proxy-headers", "--forwarded-allow-ips"}
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9.-]*[a-z0-9]", page)) <= known | curl | others


def helped(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from detour.cli.main import main; main()", command, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_the_action_takes_nothing_from_users_into_its_scripts() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(scripts) == 3
    assert not [script for script in scripts if "${{" in script]
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"] if "run" in step)


def test_every_input_of_the_action_is_used_and_described() -> None:
    text = (ROOT / "action.yml").read_text()
    action = yaml.safe_load(text)
    for name, told in action["inputs"].items():
        assert told["description"]
        assert f"inputs.{name}" in text
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action["inputs"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_scripts_of_the_action_are_bash(number: int) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    script = [step["run"] for step in action["runs"]["steps"] if "run" in step][number]
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


def checked(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """The step `Check` run as a runner runs it, and what it says to later steps."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "check")
    programs = folder / "runner" / "detour" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (programs / "detour").write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "from detour.cli.main import main; main()" "$@"\n'
    )
    (programs / "detour").chmod(0o755)
    said = folder / "said"
    given = {name.upper(): value for name, value in inputs.items()}
    environment = {"FILES": "", "ORIGIN": "", "ARGUMENTS": "", "SARIF": "detour.sarif"} | given
    assert set(environment) == set(step["env"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=plain_environment(
            {"RUNNER_TEMP": str(folder / "runner"), "GITHUB_OUTPUT": str(said), **environment}
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done, said.read_text() if said.exists() else ""


def test_the_action_annotates_the_line_of_the_contract_and_tells_the_status(tmp_path: Path) -> None:
    with origin(keeping(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as seen:
        (tmp_path / "b,c.toml").write_text(f'[[request]]\nurl = "{seen.url("/%41")}"\nstatus = 307\n')
        done, said = checked(tmp_path, files="b,c.toml\n", arguments="--retries 0\n--per-host 2")
    assert (done.returncode, said) == (0, "status=1\n"), done.stderr
    first = f"status 404, expected 307%0AGET {seen.url('/%2541')} → 404"
    assert done.stdout.splitlines() == [f"::error file=b%2Cc.toml,line=1::{first}"]
    assert json.loads((tmp_path / "detour.sarif").read_text())["version"] == "2.1.0"


def test_the_action_says_that_all_holds(tmp_path: Path) -> None:
    with origin(keeping(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as seen:
        (tmp_path / "urls.txt").write_text("/a\n/b\n")
        done, said = checked(tmp_path, files="urls.txt", origin=str(seen.url("/")))
    assert (done.returncode, done.stdout, said) == (0, "", "status=0\n"), done.stderr


def test_the_action_fails_at_once_where_nothing_can_be_read(tmp_path: Path) -> None:
    done, said = checked(tmp_path, files="absent.toml")
    assert (done.returncode, said) == (2, "status=2\n")
    assert "absent.toml: cannot be read" in done.stderr


@pytest.mark.parametrize("name", ["files", "origin", "arguments", "sarif"])
@pytest.mark.parametrize(
    "hostile",
    ["$(touch pwned)", "`touch pwned`", "; touch pwned #", '" && touch pwned && "', "x\ntouch pwned"],
)
def test_no_input_of_the_action_is_run(tmp_path: Path, name: str, hostile: str) -> None:
    done, _ = checked(tmp_path, **{"files": "absent.txt", name: hostile})
    assert done.returncode == 2
    assert not (tmp_path / "pwned").exists()


def test_what_a_server_says_is_no_command_to_the_runner(tmp_path: Path) -> None:
    """A line that begins with `::` would be one."""
    location = b"/a%0A::set-output name=x::y\t::stop-commands::z"
    answer = b"HTTP/1.1 307 X\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with origin(keeping(answer)) as seen:
        (tmp_path / "urls.txt").write_text(f"{seen.url('/')}\n::warning::mine\n")
        done, said = checked(tmp_path, files="urls.txt")
    assert said == "status=1\n"
    lines = done.stdout.splitlines()
    assert len(lines) >= 2
    assert all(re.match(r"::(error|warning|notice) file=urls\.txt,line=[12]::", line) for line in lines)


def test_the_hook_runs_every_file_and_fails_when_one_does(tmp_path: Path) -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    rule = (
        '[[rule]]\nname = "a"\npattern = "/a"\nlocation = "/b"\n[[rule.expect]]\nrequest = "GET http://h/a"\n'
    )
    good, bad = tmp_path / "detours.toml", tmp_path / "b $(touch pwned).detours.toml"
    good.write_text(f'{rule}location = "/b"\n')
    bad.write_text(f'{rule}location = "/c"\n')

    def run(*files: Path) -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        command = [*shlex.split(hooks["detour-test"]["entry"]), *map(str, files)]  # as pre-commit splits it
        return subprocess.run(
            command, cwd=tmp_path, env=plain_environment(path), capture_output=True, text=True, timeout=60
        )

    assert run(good).returncode == 0
    both = run(bad, good)
    assert both.returncode == 1
    assert "1 passed, 0 failed" in both.stdout  # the second was run, too
    assert not (tmp_path / "pwned").exists()


def test_hooks_name_commands_and_files_that_exist() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert set(hooks) == {"detour-test", "detour-check"}
    assert re.search(hooks["detour-test"]["files"], "examples/start/detours.toml")
    assert re.search(hooks["detour-check"]["files"], "examples/check/contract.toml")
    assert not re.search(hooks["detour-test"]["files"], "pyproject.toml")
    assert hooks["detour-check"]["stages"] == ["manual"]  # a commit sends no requests
