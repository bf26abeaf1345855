"""Real programs as children of a test: Detour, the echo origin of the examples, nginx. All on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil  # type: ignore[import-untyped]
import pytest

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
PATIENCE = 20.0  # seconds until what must come true counts as never

T = TypeVar("T")


def eventually(look: Callable[[], T], what: Callable[[], str] | str) -> T:
    """The first true value of `look`; raises `AssertionError` when there is none in time."""
    deadline = time.monotonic() + PATIENCE
    while not (value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what if isinstance(what, str) else what()}")
        time.sleep(0.02)
    return value


def free_port() -> int:
    """A port the kernel just had free on loopback; for what must stand in a file before it is bound."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """The program beside this Python, or on the path; skips the test when there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def plain_environment(more: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment without proxies, which would stand between a client and loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, **more}


class Running:
    """A program that is up; its output in files; ended when the block ends."""

    def __init__(self, argv: list[str], folder: Path) -> None:
        name = f"{Path(argv[0]).name}-{time.monotonic_ns()}"
        self._out, self._log = folder / f"{name}.out", folder / f"{name}.log"
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                cwd=REPOSITORY,
                env=plain_environment(),
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        try:
            eventually(self._is_ready, lambda: f"{self.process.args!r} is ready:\n{self.log}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def log(self) -> str:
        """What it wrote on stderr so far."""
        return self._log.read_text(errors="replace")

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.process.args!r} ended with {self.process.returncode}:\n{self.log}")
        return self.ready()

    def ready(self) -> bool:
        """Whether it can be used."""
        raise NotImplementedError

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()


class Detour(Running):
    """`detour serve` as installed; the admin listener is off."""

    def __init__(self, rules: Path, folder: Path, *flags: str) -> None:
        super().__init__([program("detour"), "serve", str(rules), "--admin", "off", *flags], folder)

    def ready(self) -> bool:
        return "ready: " in self.log

    @property
    def urls(self) -> list[str]:
        """Where it listens."""
        return [line.split()[-1] for line in self.log.splitlines() if "listening on" in line]

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class EchoOrigin(Running):
    """`examples/echo_origin.py`: what arrives stands in `arrivals`."""

    def __init__(self, folder: Path, cert: str = "") -> None:
        flags = ["--cert", cert] if cert else []
        super().__init__([sys.executable, str(EXAMPLES / "echo_origin.py"), "--port", "0", *flags], folder)

    def ready(self) -> bool:
        return "echo origin: " in self.log

    @property
    def url(self) -> str:
        return self.log.split()[-1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def arrivals(self, having: str = "") -> list[dict[str, Any]]:
        """Every request so far whose target has `having` in it, in the order of their ends."""
        lines = self._out.read_text().split("\n")[:-1]  # the last one may be half written
        found = (json.loads(line) for line in lines)
        return [arrival for arrival in found if having in arrival["target"]]

    def settle(self) -> None:
        """Wait until nobody is connected: what ended halfway has been told, too."""
        eventually(lambda: not self._connected(), "the origin is left alone")

    def _connected(self) -> bool:
        with contextlib.suppress(psutil.Error):
            connections = psutil.Process(self.process.pid).net_connections("tcp")
            return any(connection.status != psutil.CONN_LISTEN for connection in connections)
        return False

    def arrival(self, having: str) -> dict[str, Any]:
        """The one request with `having` in its target; waits for it."""
        found = eventually(lambda: self.arrivals(having), f"a request for {having}")
        assert len(found) == 1, found
        return found[0]


class Nginx(Running):
    """nginx with the text of an `http {}` block."""

    TEXT = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ }}
http {{
  access_log off;
  client_max_body_size 64m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{text}
}}
"""

    def __init__(self, text: str, port: int, folder: Path) -> None:
        self._port = port
        written = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # so that its worker can read the test's folder
        written.write_text(user + self.TEXT.format(folder=folder, text=text))
        argv = [program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(written)]
        super().__init__(argv, folder)

    def ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False
