"""How arguments are read that several commands take."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from typing import TextIO

import typer

from detour.core.message import METHODS, is_token
from detour.load import Loaded, load_files


def rule_file(path: str) -> Loaded:
    """A rule file, read; warnings go to stderr. Raises `RuleError`."""
    loaded = load_files(path)
    for warning in loaded.warnings:
        typer.echo(f"detour: warning: {warning}", err=True)
    return loaded


# Controls end a field or make it malformed (RFC 9110 §5.5); a surrogate is an octet that is no UTF-8.
_UNSENT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def fields(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """`-H 'Name: value'` lines as pairs; raises `typer.BadParameter`."""
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not is_token(name.strip()):
            raise typer.BadParameter(f"{line!r} is no field; write -H 'Name: value'")
        if _UNSENT.search(value):
            raise typer.BadParameter(f"{line!r} holds what no field can; leave it out")
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


def method(name: str) -> str:
    """A method to ask with; raises `typer.BadParameter`. Names are case-sensitive (RFC 9110 §9.1)."""
    if not is_token(name) or name == "CONNECT":
        raise typer.BadParameter(f"{name!r} is no method to ask with; write a token like POST")
    if name.upper() in METHODS and name not in METHODS:
        raise typer.BadParameter(f"methods are case-sensitive, and {name!r} is none; write {name.upper()}")
    return name


def coloured(out: TextIO) -> bool:
    """Whether `out` is a terminal, and its user has not said NO_COLOR (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR")


def instant(text: str | None) -> float:
    """An ISO 8601 time with its offset as seconds since the epoch; now, when there is none."""
    if text is None:
        return time.time()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-12-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset; write {moment.isoformat()}Z for UTC")
    return moment.timestamp()
