# ruff: noqa: T201
"""`python -m tests.examples.client_table`: what real clients do with a redirect, as a table.

Every client sends every request through every recipe, over real sockets; what arrives at the origin decides.
With `--write`, docs/clients.md is written anew, with the day and the versions.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.examples.cases import CASES
from tests.examples.client_programs import CLIENTS, Client
from tests.examples.running import REPOSITORY
from tests.examples.staging import Outcome, staged

PAGE = REPOSITORY / "docs" / "clients.md"
STATUSES = (307, 302)

WORDS = """\
- **kept**: the same method, all of the content, and its Content-Type arrived, once;
- **rewritten**: POST became GET without content, as the standard allows on 302 (RFC 9110 §15.4.3);
- **misrewritten**: the method was changed where the standard does not allow it;
- **refused**: nothing arrived, and the client said so: an error, or the redirect itself handed back;
- **lost**: the method arrived, the content did not, or not all of it;
- **altered**: something else arrived than was sent.
"""

# What stands behind a verdict on 307 that is not `kept`.
NOTES = {
    "urllib.request": "follows 307 for GET and HEAD only, and asks GET in place of HEAD; for all others it "
    "raises `HTTPError`. Follow by hand.",
    "httpx": "an open file as `content` has been read to its end when the redirect comes; the second request "
    "announces its length and sends nothing, then httpx raises `LocalProtocolError`. Pass bytes, or open "
    "the file again.",
    "aiohttp": "now and then (1 in some hundreds on a busy machine) a form of 1 MiB answered early ends "
    "in `ServerDisconnectedError`, after the redirect and before anything arrives; with nginx as the "
    "redirecting server, too.",
    "Node fetch": "a `FormData` is written again with a new boundary, while Content-Type keeps the old one: "
    "the target cannot read the form (nodejs/undici#4065). Blobs and strings are kept.",
}

INTRODUCTION = """\
# What clients do with a redirect

Made by `python -m tests.examples.client_table --write`; do not edit. Each client sends each request through
every recipe in `examples/` to Detour, and a recording origin says what arrived. The file that is PUT, and the
one in the multipart form, have 1 MiB: more than Detour waits for, so it answers while they are being sent.
How each client is asked stands in `tests/examples/clients/`, one file each; how the recipes are brought to
loopback, in `tests/examples/recipes.py`. Chromium's page is of another origin, so `cors` lets it in.
"""


def play(clients: Sequence[Client], status: int) -> list[Outcome]:
    """Every case of every client through every recipe."""
    with (
        tempfile.TemporaryDirectory(prefix="detour-clients-") as folder,
        staged(Path(folder), status) as stage,
    ):
        outcomes = []
        for client in clients:
            if sys.stderr.isatty():
                print(f"\r\033[K{status}: {client.name}", end="", file=sys.stderr, flush=True)
            outcomes += stage.play(client)
        return outcomes


def table(clients: Sequence[Client], outcomes: Sequence[Outcome]) -> str:
    """Client by request, in Markdown; verdicts that differ from run to run are all told."""
    lines = ["| client | " + " | ".join(case.name for case in CASES) + " |", "|---" * (len(CASES) + 1) + "|"]
    for client in clients:
        cells = [_cell([o for o in outcomes if (o.client, o.case) == (client.name, case)]) for case in CASES]
        lines.append(f"| {client.name} {client.version()} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(outcomes: Sequence[Outcome]) -> str:
    verdicts = sorted({outcome.verdict for outcome in outcomes})
    if len(verdicts) == 1:
        return verdicts[0] if verdicts[0] in ("kept", "refused", "rewritten") else f"**{verdicts[0]}**"
    total = len(outcomes)
    counts = {verdict: sum(o.verdict == verdict for o in outcomes) for verdict in verdicts}
    return ", ".join(f"{verdict} ({count} of {total})" for verdict, count in counts.items())


def page(clients: Sequence[Client], played: dict[int, list[Outcome]], absent: dict[str, str]) -> str:
    """The whole document."""
    today = f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()}, Python {platform.python_version()}"
    parts = [INTRODUCTION, f"Seen on {today}.\n", WORDS]
    for status, outcomes in played.items():
        contrast = "" if status == 307 else ", for contrast"
        parts.append(f"## {status}{contrast}\n\n{table(clients, outcomes)}\n")
        notes = [(c.name, NOTES[c.name]) for c in clients if c.name in NOTES and status == 307]
        if notes:
            parts.append("\n".join(f"- {name}: {note}" for name, note in notes) + "\n")
    if absent:
        parts.append("Not asked: " + "; ".join(absent.values()) + ".\n")
    return "\n".join(parts)


def main() -> int:
    """Play, print, and write when told to."""
    parser = argparse.ArgumentParser(prog="python -m tests.examples.client_table", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(REPOSITORY)}")
    parser.add_argument("--client", nargs="+", metavar="NAME", help="these clients only")
    flags = parser.parse_args()
    chosen = [client for client in CLIENTS if not flags.client or client.name in flags.client]
    absent = {client.name: reason for client in chosen if (reason := client.absent())}
    present = [client for client in chosen if client.name not in absent]
    text = page(present, {status: play(present, status) for status in STATUSES}, absent)
    print(text)
    if flags.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
