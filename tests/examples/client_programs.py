"""The clients: how each is run, what it is called, and which version is installed."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from tests.examples.cases import Said
from tests.examples.running import plain_environment

FOLDER = Path(__file__).parent / "clients"
SECONDS = 100.0

Asked = tuple[str, str, str, Path]  # method, URL, kind of content, file


class Client(msgspec.Struct, frozen=True):
    """A client program: its name, the command that runs it, and what tells its version."""

    name: str
    argv: tuple[str, ...]
    program: str = ""  # an executable it needs ...
    package: str = ""  # ... or a Python package

    def absent(self) -> str | None:
        """Why it cannot be run here; None when it can."""
        return None if self.version() else f"{self.program or self.package} is not installed"

    def version(self) -> str | None:
        """Its version; None when it is not there."""
        if self.package:
            try:
                return version(self.package)
            except PackageNotFoundError:
                return None
        return _version_of(self.program)

    def run(self, asked: Sequence[Asked], ca: Path | None = None) -> list[Said]:
        """Let it send these requests, one after the other; `ca` is what it trusts over TLS."""
        words = [str(word) for one in asked for word in one]
        names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        ended = subprocess.run(
            [*self.argv, *words],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env=plain_environment(dict.fromkeys(names, str(ca)) if ca else {}),
        )
        said = [msgspec.convert(json.loads(line), Said) for line in ended.stdout.splitlines()]
        if len(said) != len(asked):
            raise AssertionError(
                f"{self.name} said {len(said)} of {len(asked)} things:\n{ended.stderr[-2000:]}"
            )
        return said


@functools.cache
def _version_of(program: str) -> str | None:
    if shutil.which(program) is None:
        return None
    ended = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"\d+(\.\d+)+", ended.stdout)
    return found[0] if found else "unknown"


def _python(name: str, file: str, program: str = "", package: str = "") -> Client:
    return Client(name, (sys.executable, str(FOLDER / file)), program, package)


CLIENTS = (
    _python("curl", "curl_program.py", program="curl"),
    _python("wget", "wget_program.py", program="wget"),
    _python("urllib.request", "urllib_program.py", program="python3"),
    _python("requests", "requests_program.py", package="requests"),
    _python("httpx", "httpx_program.py", package="httpx"),
    _python("aiohttp", "aiohttp_program.py", package="aiohttp"),
    Client("Node fetch", ("node", str(FOLDER / "fetch_program.mjs")), program="node"),
    Client("java.net.http", ("java", str(FOLDER / "JavaHttpProgram.java")), program="java"),
    _python("Chromium fetch", "chromium_program.py", program="chromium"),
)
