"""How arguments are read that several commands take."""

from __future__ import annotations

import time
from datetime import datetime

import typer


def fields(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """`-H 'Name: value'` lines as pairs; raises `typer.BadParameter`."""
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise typer.BadParameter(f"{line!r} is no field; write -H 'Name: value'")
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


def instant(text: str | None) -> float:
    """An ISO 8601 time with its offset as seconds since the epoch; now, when there is none."""
    if text is None:
        return time.time()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-12-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset; write {text}Z for UTC")
    return moment.timestamp()
