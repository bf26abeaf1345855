"""fetch of Chromium, headless, from a page of another origin. KIND `form` submits a real form and waits.

The page comes from a small server of this program, which also takes what the page saw. A submitted form
leaves the page for good, so nobody can say what came of it but the origin: the program ends when its
standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).with_name("page.html")
SECONDS = 60.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--ignore-certificate-errors",
)


class Pages(ThreadingHTTPServer):
    """Serves the page, the cases and the files; holds what the page saw."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), PageRequest)
        groups = [words[at : at + 4] for at in range(0, len(words), 4)]
        self.files = [Path(group[3]) for group in groups]
        keys = ("method", "url", "kind")
        self.cases = [dict(zip(keys, group, strict=False), file=n) for n, group in enumerate(groups)]
        self.said: list[dict[str, object]] | None = None
        self.done = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"


class PageRequest(BaseHTTPRequestHandler):
    """One connection of the browser."""

    server: Pages

    def do_GET(self) -> None:
        """The page, the cases, or a file."""
        if self.path == "/":
            self._answer("text/html", PAGE.read_bytes())
        elif self.path == "/cases":
            self._answer("application/json", json.dumps(self.server.cases).encode())
        elif self.path.startswith("/file/"):
            self._answer("application/octet-stream", self.server.files[int(self.path[6:])].read_bytes())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """What the page saw."""
        self.server.said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer("text/plain", b"")
        self.server.done.set()

    def _answer(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def browsing(url: str) -> Iterator[None]:
    """A browser on that page, with a profile of its own; ended with all its processes."""
    with tempfile.TemporaryDirectory(prefix="detour-chromium-", ignore_cleanup_errors=True) as profile:
        argv = ["chromium", *FLAGS, f"--user-data-dir={profile}", url]
        quiet = subprocess.DEVNULL
        browser = subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)  # the session this program has made for it
            browser.wait()


def main() -> None:
    """Run the page's cases; print what it saw."""
    pages = Pages(sys.argv[1:])
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    with browsing(pages.url):
        if pages.cases[0]["kind"] == "form":
            sys.stdin.read()
            return
        pages.done.wait(SECONDS)
    nothing = {"status": None, "url": None, "error": f"the page said nothing for {SECONDS:.0f} s"}
    for said in pages.said or [nothing] * len(pages.cases):
        sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
