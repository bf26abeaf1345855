"""npm @vercel/routing-utils in one node process, asked over its standard input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

SCRIPT = Path(__file__).with_suffix(".cjs")
PEERS = Path(os.environ.get("DETOUR_PEERS", Path(__file__).parents[1] / "peers"))

Answer = tuple[int, str | None] | None


class VercelEngine:
    """Answers of Vercel's own compiler of redirects; skips the test where node or the package is absent."""

    def __enter__(self) -> VercelEngine:
        node = shutil.which("node")
        modules = PEERS / "node_modules"
        if node is None:
            pytest.skip("node is not installed")
        if not (modules / "@vercel" / "routing-utils").exists():
            pytest.skip("@vercel/routing-utils is absent: npm install --no-package-lock --prefix tests/peers")
        self._process = subprocess.Popen(
            [node, str(SCRIPT), str(modules.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)  # closes its input, at which it ends

    def ask(self, config: Mapping[str, Any], paths: list[str]) -> list[Answer]:
        """Status and Location, as the routes have it, for each path; None where no redirect answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"config": config, "requests": paths}) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        assert isinstance(reply, list), reply
        return [None if answer is None else (answer[0], answer[1]) for answer in reply]
