"""`detour explain`: what a redirect status means and when to use which, from the table in `core.status`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Annotated

import typer

from detour.core.message import METHODS
from detour.core.status import REDIRECT_STATUSES, RedirectStatus

WIDTH = 88


def explain(
    what: Annotated[str | None, typer.Argument(help="301, 302, 303, 307, 308, or methods.")] = None,
) -> int:
    """Say what a redirect status means, when to use it, and what clients were seen to do."""
    if what is None:
        typer.echo(overview())
    elif what == "methods":
        typer.echo(textwrap.fill(" ".join(sorted(METHODS)), WIDTH))
    elif what.isdecimal() and int(what) in REDIRECT_STATUSES:
        typer.echo("\n".join((page(REDIRECT_STATUSES[int(what)]), *_seen(int(what)))))
    else:
        raise typer.BadParameter(f"{what!r} is no redirect status; the five are 301, 302, 303, 307, 308")
    return 0


def overview() -> str:
    """The five statuses in a table, and how to choose."""
    rows = ["status                     method and content    for how long   may be cached unasked"]
    for status in REDIRECT_STATUSES.values():
        kept = "kept" if status.keeps_method else "GET" if status.code == 303 else "POST may become GET"
        life = "for good" if status.permanent else "for now"
        cached = "yes" if status.cacheable else "no"
        rows.append(f"{status.code} {status.phrase:22} {kept:21} {life:14} {cached}")
    return "\n".join([*rows, "", "detour explain 307   for one of them"])


def _seen(status: int) -> Iterator[str]:
    """What the lab saw, in the columns of `page`."""
    from detour.lab.known import known, quoted  # here: nothing else that explains needs the lab

    for label, text in quoted(known(), status):
        indent = " " * (13 if label else 15)
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=f"{label:13}", subsequent_indent=indent, break_on_hyphens=False
        )


def page(status: RedirectStatus) -> str:
    """One status, for a person."""
    told = (
        ("means", status.meaning),
        ("use it when", status.use),
        ("not when", status.avoid),
        ("clients", status.clients),
    )
    lines = [f"{status.code} {status.phrase} ({status.clause})", ""]
    for label, text in told:
        lines += textwrap.wrap(text, WIDTH, initial_indent=f"{label:13}", subsequent_indent=" " * 13)
    return "\n".join(lines)
