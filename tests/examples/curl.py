"""curl on the verbatim recipes: it believes that shop.example.com is at a port of loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.examples.running import PATIENCE, plain_environment, program


class Answer(msgspec.Struct, frozen=True):
    """One response: status, fields (names in lower case), content."""

    status: int
    fields: dict[str, str]
    content: str

    @property
    def location(self) -> str | None:
        return self.fields.get("location")


def curl(url: str, *options: str, at: Mapping[str, int], ca: Path | None = None) -> list[Answer]:
    """Every answer on the way; `at` says which port of loopback stands for HOST:PORT."""
    argv = [program("curl"), "--silent", "--show-error", "--include", "--http1.1", "--max-time", "20"]
    for authority, port in at.items():
        argv += ["--connect-to", f"{authority}:127.0.0.1:{port}"]
    argv += ["--cacert", str(ca)] if ca else []
    # the content of informational and redirecting answers is not shown, so heads follow each other
    ended = subprocess.run(
        [*argv, *options, url], capture_output=True, text=True, timeout=PATIENCE + 10, env=plain_environment()
    )
    assert ended.returncode == 0, ended.stderr
    return _read(ended.stdout)


def _read(text: str) -> list[Answer]:
    answers = []
    while text.startswith("HTTP/1.1 "):
        head, _, text = text.replace("\r\n", "\n").partition("\n\n")
        first, *lines = head.split("\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        content, text = ("", text) if text.startswith("HTTP/1.1 ") else (text, "")
        if not first.startswith("HTTP/1.1 100"):
            answers.append(Answer(int(first.split()[1]), fields, content))
    return answers
