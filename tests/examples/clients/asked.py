"""What every client program written in Python does with its command line.

    PROGRAM METHOD URL KIND FILE [METHOD URL KIND FILE]...

KIND is `none` (no content; FILE is read by nobody), `json` and `file` (FILE is the content), `multipart`
(a form with a field `note` and FILE as its field `file`) or `text` (FILE as a string). One JSON line is
printed for each request: the status of the last answer, its URL, and the error, null where there is none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

TYPES = {"json": "application/json", "file": "application/octet-stream", "text": "text/plain"}
NOTE = "kept or lost?"
BOUNDARY = "----what-arrives-7MA4YWxkTrZu0gW"

Send = Callable[[str, str, str, Path], tuple[int, str]]


def answer(send: Send) -> None:
    """Send what was asked for; `send` returns status and URL, or raises."""
    words = sys.argv[1:]
    for at in range(0, len(words), 4):
        method, url, kind, file = words[at : at + 4]
        try:
            status, last = send(method, url, kind, Path(file))
            said = {"status": status, "url": last, "error": None}
        except Exception as error:  # what a client refuses with is what is asked
            said = {"status": getattr(error, "code", None), "url": None, "error": in_one_line(error)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def in_one_line(error: Exception) -> str:
    """The error's kind and message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def fields(kind: str) -> dict[str, str]:
    """The Content-Type of content that is not a form."""
    return {"Content-Type": TYPES[kind]} if kind in TYPES else {}


def form(file: Path) -> tuple[str, bytes]:
    """Content-Type and content of the form, for clients that do not make forms themselves."""
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\n{NOTE}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    content = parts.encode() + file.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    return f"multipart/form-data; boundary={BOUNDARY}", content
