"""A vendor's own matcher, an npm package in one node process, asked over its standard input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import pytest

PEERS = Path(os.environ.get("DETOUR_PEERS", Path(__file__).parents[1] / "peers"))

Answer = tuple[int, str | None] | None


class NodeEngine:
    """One program that answers a line for each line; skips the test where node or the package is absent."""

    package: ClassVar[str]
    script: ClassVar[str]  # beside this file; its argument is the folder of packages

    def __enter__(self) -> Self:
        node = shutil.which("node")
        modules = PEERS / "node_modules"
        if node is None:
            pytest.skip("node is not installed")
        if not (modules / self.package).exists():
            pytest.skip(f"{self.package} is absent: npm install --no-package-lock --prefix tests/peers")
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name(self.script)), str(modules.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)  # closes its input, at which it ends

    def answers(self, asked: dict[str, Any]) -> list[Answer]:
        """What it answers to each of the requests asked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        assert isinstance(reply, list), reply
        return [None if answer is None else (answer[0], answer[1]) for answer in reply]
