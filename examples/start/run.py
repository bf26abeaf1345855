"""`make run`: Detour and a small origin, and a POST that goes through one to the other.

    python examples/start/run.py                # http://127.0.0.1:8307, admin on 8308
    PORT=9000 python examples/start/run.py      # 9000 and 9001
    RULES=my.toml python examples/start/run.py  # your rules; a Netlify `_redirects` file will do, too

It stays up until interrupted (Ctrl-C), then ends what it started.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from echo_origin import DEFAULT_PORT, Origin  # noqa: E402  (it lies one folder up)

RULES = HERE / "detours.toml"
WRITTEN_ORIGIN = f"http://127.0.0.1:{DEFAULT_PORT}"
START_SECONDS = 30.0
STOP_SECONDS = 35.0  # a little over the server's own drain timeout
MOST_REDIRECTS = 5
IMPORT = '[[rule]]\nname = "imported"\nimport = {}\ndialect = "netlify"\non_fault = "pass"\n'


class Unable(Exception):
    """Why this cannot go on, in one line."""


def choose_ports() -> tuple[int, int]:
    """The port for traffic and the next one for the admin pages; raises `Unable`."""
    written = os.environ.get("PORT") or "8307"
    if not written.isdigit() or not 0 < int(written) < 65535:
        raise Unable(f"PORT={written} is no port; give one from 1 to 65534, as in PORT=9000")
    ports = int(written), int(written) + 1
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen(1)
            except OSError as error:
                remedy = f"choose two free ones with PORT=, as in PORT={ports[0] + 1000}"
                raise Unable(f"cannot listen on port {port}: {error.strerror}; {remedy}") from None
    return ports


class ServedRules:
    """The file that is served: yours as it is, or a copy in which something had to be filled in."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._origin = origin
        chosen = os.environ.get("RULES")
        self._written = Path(chosen) if chosen else RULES
        self.is_example = not chosen
        if not self._written.is_file():
            raise Unable(f"RULES={chosen} is no file; name a rule file")
        copied = self.is_example or self._written.suffix != ".toml"
        self.path = folder / "detours.toml" if copied else self._written
        self._copied_at = 0
        self.refresh()

    def refresh(self) -> None:
        """Make the copy anew when what it was made from has changed."""
        if self.path == self._written:
            return
        with contextlib.suppress(OSError):  # an editor is just replacing it
            changed_at = self._written.stat().st_mtime_ns
            if changed_at != self._copied_at:
                new = self.path.with_suffix(".new")
                new.write_text(self._text(), encoding="utf-8")
                new.replace(self.path)
                self._copied_at = changed_at

    def _text(self) -> str:
        if self.is_example:
            return self._written.read_text(encoding="utf-8").replace(WRITTEN_ORIGIN, self._origin)
        return IMPORT.format(json.dumps(str(self._written.resolve())))

    def __str__(self) -> str:
        if self.path == self._written:
            return str(self._written)
        how = "with the origin's port filled in" if self.is_example else "imported as netlify"
        return f"{_short(self._written)} ({how}: {self.path})"


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


@contextlib.contextmanager
def serving(rules: Path, ports: tuple[int, int]) -> Iterator[subprocess.Popen[bytes]]:
    """A `detour serve` that is ready; ended when the block ends."""
    beside = Path(sys.executable).parent / "detour"
    program = str(beside) if beside.exists() else shutil.which("detour")
    if program is None:
        raise Unable("the command `detour` is not installed; run `make run`, or pip install detour-http")
    listen, admin = f"http://127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"
    server = subprocess.Popen([program, "serve", str(rules), "--listen", listen, "--admin", admin])
    try:
        wait_until_ready(server, f"http://{admin}/readyz")
        yield server
    finally:
        end(server)


def wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    """Return when the server says it is ready; raises `Unable`."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Unable("detour serve did not start; the reason stands above")
        with contextlib.suppress(OSError), opener.open(url, timeout=1):
            return
        time.sleep(0.05)
    raise Unable(f"detour serve is not ready after {START_SECONDS:.0f} s")


def end(server: subprocess.Popen[bytes]) -> None:
    """Stop the server the gentle way, then the other way."""
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()  # its children end by themselves
        server.wait()


def send(method: str, url: str, content: bytes, fields: dict[str, str]) -> None:
    """Send a request, follow 307 and 308 with the same method and content, and print what happens."""
    for _ in range(MOST_REDIRECTS + 1):
        print(f"\n> {method} {url}\n> {len(content)} octets of content: {content.decode()}")
        answer, text = ask(method, url, content, fields)
        if answer.status not in (307, 308):
            return report(json.loads(text), content)
        print(f"\nHTTP/1.1 {answer.status} {answer.reason}")
        for name, value in answer.getheaders():
            print(f"{name}: {value}")
        url = urljoin(url, answer.headers["Location"])
    raise Unable(f"more than {MOST_REDIRECTS} redirects; the rules make a loop")


def report(arrival: dict[str, Any], content: bytes) -> None:
    """Say what arrived at the origin, and whether it is what was sent."""
    same = arrival["sha256"] == hashlib.sha256(content).hexdigest()
    print(f"\nWhat arrived at the origin ({'the same octets' if same else 'NOT what was sent'}):")
    for name in ("method", "target", "length", "sha256"):
        print(f"  {name:8}{arrival[name]}")
    for name, value in arrival["fields"]:
        print(f"  {name}: {value}")


def ask(
    method: str, url: str, content: bytes, fields: dict[str, str]
) -> tuple[http.client.HTTPResponse, str]:
    """One request, and its answer with the text."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, f"{parts.path}{'?' + parts.query if parts.query else ''}", content, fields)
        answer = connection.getresponse()
        return answer, answer.read().decode()


def stay(server: subprocess.Popen[bytes], rules: ServedRules) -> int:
    """Wait for the interrupt, or for the server's end; its exit status."""
    while (status := server.poll()) is None:
        time.sleep(0.25)
        rules.refresh()
    return status


def run() -> int:
    """Everything, in the order of the screen."""
    ports = choose_ports()
    with tempfile.TemporaryDirectory(prefix="detour-start-") as folder, contextlib.ExitStack() as stack:
        origin = Origin(port=0)
        stack.callback(origin.server_close)
        rules = ServedRules(Path(folder), origin.url)
        print(f"rules:  {rules}\norigin: {origin.url} prints what arrives")
        origin.start()
        stack.callback(origin.shutdown)
        server = stack.enter_context(serving(rules.path, ports))
        url = f"http://127.0.0.1:{ports[0]}"
        if rules.is_example:
            order = b'{"article": 7, "pieces": 2}'
            send("POST", f"{url}/echo/orders?from=make-run", order, {"Content-Type": "application/json"})
            print(f"\nNow you: curl -i {url}/v1/resource\n         curl -L {url}/echo/hello -d name=you")
        print(f"\nServing on {url}, admin on http://127.0.0.1:{ports[1]}; Ctrl-C ends it.")
        return stay(server, rules)


def main() -> int:
    """0 when interrupted, 2 with one line when it cannot start."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        return run()
    except KeyboardInterrupt:
        return 0
    except (Unable, OSError) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
