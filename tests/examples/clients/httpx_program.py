"""httpx with `follow_redirects=True`, and an open file for content."""

from __future__ import annotations

from pathlib import Path

import httpx
from asked import NOTE, answer, fields


def send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    """One `httpx.request`."""
    with file.open("rb") as opened:
        content = {
            "none": {},
            "json": {"content": file.read_bytes()},
            "multipart": {"data": {"note": NOTE}, "files": {"file": (file.name, opened)}},
        }.get(kind, {"content": opened})
        answered = httpx.request(
            method, url, headers=fields(kind), timeout=30, follow_redirects=True, **content
        )
    return answered.status_code, str(answered.url)


if __name__ == "__main__":
    answer(send)
