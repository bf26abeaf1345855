"""Writes docs/clients.md, and what `detour explain` quotes: `python docs/make_clients.py RESULT`.

RESULT is what `detour lab --json -o RESULT` writes: a run over all cases, with every client there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from detour.lab.known import FILE
from detour.lab.matrix import matrix
from detour.lab.report_markdown import markdown
from detour.lab.result import Results

ROOT = Path(__file__).parent.parent
MADE = "<!-- Made by docs/make_clients.py from a run of the lab; do not edit. -->\n"
PAGE = ROOT / "docs" / "clients.md"
SUMMARY = ROOT / "src" / "detour" / "lab" / FILE


def write(results: Results) -> None:
    """Both files; exits on a run that is not whole."""
    stuck = ", ".join(client.name for client in results.clients if client.gave_up)
    if stuck:
        sys.exit(f"not every case was asked of {stuck}; what is published is a whole run")
    PAGE.write_text(f"{MADE}\n{markdown(results)}", encoding="utf-8")
    SUMMARY.write_bytes(msgspec.json.encode(matrix(results)) + b"\n")


if __name__ == "__main__":
    write(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Results))
