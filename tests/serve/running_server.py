"""A whole server as a child of the test: real processes, real sockets, ports from the kernel.

Run as a program, this module serves a rule file: `python -m tests.serve.running_server JSON`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import msgspec
import psutil

from detour.errors import RuleError, ServeError
from detour.load import compile_into
from detour.serve import server as serving
from detour.serve.options import Options

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds until a condition that must come true counts as never


ENDLESS = "# reading this never ends\n"  # a rule file


class RuleFile(msgspec.Struct, frozen=True):
    """A rule source: one file and what it imports."""

    path: str

    @property
    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def compile(self, descriptor: int, overrides: Mapping[str, Any]) -> None:
        path = Path(self.path)
        while path.is_file() and path.read_bytes() == ENDLESS.encode():
            time.sleep(0.01)
        compile_into(descriptor, self.path, overrides)


def rule(name: str, pattern: str, location: str, *lines: str) -> str:
    """One native rule as text."""
    return "\n".join(
        ["[[rule]]", f'name = "{name}"', f'pattern = "{pattern}"', f'location = "{location}"', *lines, ""]
    )


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of `condition`; fails when there is none within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"never: {what}")


class RunningServer:
    """A started server; leaves no process behind."""

    def __init__(self, rules: Path, folder: Path, **options: Any) -> None:
        options = {"listen": ["http://127.0.0.1:0"], "admin": "127.0.0.1:0", **options}
        self._log = folder / f"stderr-{time.monotonic_ns()}"
        self.stdout = folder / f"stdout-{time.monotonic_ns()}"
        argv = [
            sys.executable,
            "-m",
            "tests.serve.running_server",
            json.dumps({"rules": str(rules), **options}),
        ]
        with self._log.open("wb") as log, self.stdout.open("ab") as out:
            self.process = subprocess.Popen(
                argv, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
            )
        self._family: dict[int, psutil.Process] = {}

    def __enter__(self) -> Self:
        try:
            self.wait_for("ready: ")
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until `text` stands in the diagnostics that often."""
        eventually(lambda: self.log.count(text) >= times or self._failed(), f"{text!r} in:\n{self.log}")

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        return [line.split()[-1] for line in self.log.splitlines() if "listening on" in line]

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.rpartition("/")[2].rpartition(":")
        return host, int(port)

    @property
    def admin(self) -> str:
        return next(line.split()[-1] for line in self.log.splitlines() if "admin on" in line)

    def connect(self) -> socket.socket:
        """A plain connection to the first listener."""
        return socket.create_connection(self.address, timeout=PATIENCE)

    def ask(self, path: str, method: str = "GET") -> tuple[int, str | None]:
        """Status and Location of one request on a connection of its own."""
        with self.connect() as connection:
            return exchange(connection, path, method)

    def read_admin(self, path: str) -> str:
        """The text of an admin page; raises `HTTPError` for an error status."""
        with urlopen(Request(self.admin + path), timeout=PATIENCE) as answer:
            return answer.read().decode()

    def stats(self) -> Any:
        return json.loads(self.read_admin("/stats"))

    def hits(self) -> dict[str, int]:
        return {row["counted_under"]: row["hits"] for row in json.loads(self.read_admin("/rules"))["rules"]}

    def workers(self) -> list[psutil.Process]:
        """The processes that listen on the traffic port, the parent apart."""
        port = self.address[1]
        return [child for child in self.family()[1:] if port in _ports(child) and "admin" not in child.name()]

    def family(self) -> list[psutil.Process]:
        """The parent and all its children, the parent first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            for member in (root, *root.children(recursive=True)):
                self._family.setdefault(member.pid, member)
        return [member for member in self._family.values() if member.is_running()]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """The exit status."""
        return self.process.wait(PATIENCE)

    def _failed(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.log}")
        return False

    def end(self) -> None:
        """Stop whatever still runs."""
        family = self.family()
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # psutil checks the start time: never a reused id
                member.kill()
        self.process.wait()


def _ports(process: psutil.Process) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {c.laddr.port for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    return set()


def exchange(connection: socket.socket, path: str, method: str = "GET") -> tuple[int, str | None]:
    """Status and Location of one request on `connection`, which stays open."""
    connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
    return read_answer(connection, method)


def read_answer(connection: socket.socket, method: str = "GET") -> tuple[int, str | None]:
    """Status and Location of the next answer, read whole; raises `ConnectionError` when it is cut short."""
    status, fields = read_head(connection, method)
    return status, fields.get("location")


def read_head(connection: socket.socket, method: str = "GET") -> tuple[int, dict[str, str]]:
    """Status and fields (names in lower case) of the next answer, its content read and dropped."""
    held = b""
    while b"\r\n\r\n" not in held:
        held += _more(connection)
    head, _, content = held.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = 0 if method == "HEAD" else int(fields.get("content-length", "0"))
    while len(content) < length:
        content += _more(connection)
    return int(first.split()[1]), fields


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("closed before the answer was complete")
    return data


def main(text: str) -> int:
    """Serve as the command line does; errors in one line and exit 2."""
    written = json.loads(text)
    rules = written.pop("rules")
    serving.SLOWEST_SWAP = written.pop("slowest_swap", serving.SLOWEST_SWAP)
    options = msgspec.convert(written, Options)
    for table in (options.server, options.listener):
        for key in table:
            if key == "cert":
                table[key] = tuple(table[key])
    try:
        return serving.serve(RuleFile(rules), options)
    except (RuleError, ServeError) as error:
        sys.stderr.write(f"detour: {error}\n")
        return 2


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(sys.argv[1]))
