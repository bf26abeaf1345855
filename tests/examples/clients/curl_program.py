"""curl --location. Options as in its manual: `-T` puts a file, `-F` makes a form, `-I` asks for the head.

From 1 MiB on curl sends `Expect: 100-continue` of its own accord; KIND `text` keeps it from that.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from asked import NOTE, answer, fields

OPTIONS = ("--silent", "--show-error", "--location", "--max-time", "30", "--output", "/dev/null")
WANTED = "%{http_code} %{url_effective}"


def send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    """One run of the program."""
    argv = ["curl", *OPTIONS, "--write-out", WANTED, *_content(method, kind, file), url]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=40, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip())
    status, _, last = ended.stdout.partition(" ")
    return int(status), last


def _content(method: str, kind: str, file: Path) -> list[str]:
    typed = [word for name, value in fields(kind).items() for word in ("-H", f"{name}: {value}")]
    if kind == "none":
        return ["-I"] if method == "HEAD" else ["-X", method]
    if kind == "multipart":
        return ["-F", f"note={NOTE}", "-F", f"file=@{file}"]
    typed += ["-H", "Expect:"] if kind == "text" else []
    return [*typed, "-T", str(file)] if method == "PUT" else [*typed, "--data-binary", f"@{file}"]


if __name__ == "__main__":
    answer(send)
