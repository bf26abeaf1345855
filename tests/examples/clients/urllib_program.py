"""urllib.request of Python's standard library."""

from __future__ import annotations

from pathlib import Path
from urllib.request import Request, urlopen

from asked import answer, fields, form


def send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    """One `urlopen`."""
    typed = fields(kind)
    content = None if kind == "none" else file.read_bytes()
    if kind == "multipart":
        typed["Content-Type"], content = form(file)
    with urlopen(Request(url, content, typed, method=method), timeout=30) as response:
        response.read()
        return response.status, response.url


if __name__ == "__main__":
    answer(send)
