"""Lines for a person, on stderr: each begins `detour: ` and leaves in one write."""

from __future__ import annotations

import os
import select

STDERR = 2
# A supervisor that waits for ever on a full pipe replaces no worker: after this long the line is dropped.
PATIENCE = 0.2


def format_lines(text: str) -> bytes:
    """`text` as octets, every line of it prefixed, newline included."""
    return "".join(f"detour: {line}\n" for line in text.splitlines()).encode("utf-8", "backslashreplace")


def say(text: str) -> None:
    """Write `text` to stderr; gives up quietly when stderr is closed or takes nothing for 0.2 s."""
    try:
        if select.select([], [STDERR], [], PATIENCE)[1]:
            os.write(STDERR, format_lines(text))
    except (OSError, ValueError):
        return
