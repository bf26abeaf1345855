"""docs/migrate-ingress-nginx.md: every command of it, run in its order, says what stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.examples.running import Detour, plain_environment, program

PAGE = Path(__file__).parent.parent / "docs" / "migrate-ingress-nginx.md"
_BLOCK = re.compile(r"^```(\w*) ?([\w.]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COUNT = re.compile(r"\d+(?= requests,| of them| for a known reason)|(?<=^    )\d+(?=: )", re.MULTILINE)


def blocks() -> Iterator[tuple[str, str, str]]:
    """The fenced blocks of the page: language, file, text."""
    for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield found[1], found[2], found[3]


def run(command: str, folder: Path, ports: Mapping[str, int]) -> str:
    """What a command of the page prints; INGRESS:80 and GATEWAY:80 are where their rules are served."""
    for name, port in ports.items():
        command = command.replace(f"{name}:80", f"127.0.0.1:{port}")
    name, *arguments = shlex.split(command)
    done = subprocess.run(
        [program(name), *arguments],
        cwd=folder,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def patched(text: str, patch: str) -> str:
    """`text` with the lines that begin with + behind the line before them."""
    for context, added in re.findall(r"^ (.*\n)\+(.*\n)", patch, re.MULTILINE):
        assert context in text
        text = text.replace(context, context + added)
    return text


def served(name: str, folder: Path) -> Detour:
    """Detour with the rules of a file in another language."""
    run(f"detour convert {name}.yaml --to native -o {name}.toml", folder, {})
    return Detour(folder / f"{name}.toml", folder, "--listen", "http://127.0.0.1:0")


def outputs(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Each command of the page: what stands there, and what it says now."""
    program("nginx")
    ports: dict[str, int] = {}
    with ExitStack() as running:
        for kind, file, text in blocks():
            if file:
                known = folder / file
                known.write_text(patched(known.read_text(), text) if kind == "diff" else text)
                continue
            command, _, printed = text.removeprefix("$ ").partition("\n")
            if "GATEWAY" in command or "INGRESS" in command:
                which = "ingress" if "INGRESS" in command else "gateway"
                ports[which.upper()] = running.enter_context(served(which, folder)).port
            yield command, printed, run(command, folder, ports)


def without_counts(text: str) -> str:
    return _COUNT.sub("N", text)


def test_every_command_of_the_migration_says_what_stands_there(tmp_path: Path) -> None:
    ran = 0
    for command, printed, now in outputs(tmp_path):
        assert without_counts(now) == without_counts(printed), command
        ran += 1
    assert ran == 8
