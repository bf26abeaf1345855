"""Programs that peers are made of: where they are, what version they say, and what they read."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bench.process import Absent


def program(name: str) -> str:
    """The program beside this Python, else on the path; raises `Absent`."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


def says(name: str, flag: str) -> Callable[[], str]:
    """Asks a program for its version: the first line it writes."""

    def ask() -> str:
        argv = [program(name), flag]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        lines = (ended.stdout + ended.stderr).strip().splitlines()
        return lines[0].strip() if lines else "unknown"

    return ask


def python_version() -> str:
    """The versions a Python row depends on."""
    return f"Python {platform.python_version()}, uvloop {version('uvloop')}, httptools {version('httptools')}"


def write(folder: Path, name: str, text: str) -> str:
    """The path of a new file in `folder`."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)
