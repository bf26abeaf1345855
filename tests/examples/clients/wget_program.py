"""GNU wget. It makes no forms: the multipart content is built beforehand and sent as a file."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from asked import answer, fields, form

OPTIONS = ("--no-config", "--server-response", "--tries=1", "--timeout=20", "--output-document=/dev/null")


def send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    """One run of the program."""
    with tempfile.NamedTemporaryFile() as built:
        typed = fields(kind)
        if kind == "multipart":
            typed["Content-Type"], content = form(file)
            built.write(content)
            built.flush()
            file = Path(built.name)
        return _run(method, url, typed, None if kind == "none" else file)


def _run(method: str, url: str, typed: dict[str, str], file: Path | None) -> tuple[int, str]:
    argv = ["wget", *OPTIONS, f"--method={method}", *(f"--header={n}: {v}" for n, v in typed.items())]
    if "SSL_CERT_FILE" in os.environ:
        argv.append(f"--ca-certificate={os.environ['SSL_CERT_FILE']}")
    argv += [f"--body-file={file}"] if file else []
    ended = subprocess.run([*argv, url], capture_output=True, text=True, timeout=40, check=False)
    statuses = re.findall(r"^ *HTTP/1\.[01] (\d{3})", ended.stderr, re.MULTILINE)
    if ended.returncode or not statuses:
        last = ended.stderr.strip().splitlines()[-1:] or [""]
        raise RuntimeError(f"exit {ended.returncode}, answers {' '.join(statuses)}: {last[0].strip()}")
    return int(statuses[-1]), url


if __name__ == "__main__":
    answer(send)
