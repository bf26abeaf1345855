"""The command line: flags in, text out. One command a file; `main` is the door."""

from __future__ import annotations

from detour.cli.main import main

__all__ = ["main"]
