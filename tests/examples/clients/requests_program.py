"""requests, with an open file for content, as its documentation advises."""

from __future__ import annotations

from pathlib import Path

import requests
from asked import NOTE, answer, fields


def send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    """One `requests.request`; unlike its other methods, `head` alone does not follow by default."""
    with file.open("rb") as opened:
        content = {
            "none": {},
            "multipart": {"data": {"note": NOTE}, "files": {"file": (file.name, opened)}},
        }.get(kind, {"data": opened})
        answered = requests.request(
            method, url, headers=fields(kind), timeout=30, allow_redirects=True, **content
        )
    return answered.status_code, answered.url


if __name__ == "__main__":
    answer(send)
