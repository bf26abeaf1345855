"""`detour compile`: rules as one file that a server maps, built beside its place and renamed into it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from detour.errors import RuleError
from detour.load import Progress, compile_into
from detour.snapshot import Manifest, anonymous_file

_STDOUT = "-"


def compile(
    rules: Annotated[str, typer.Argument(help="The rule file.", show_default=False)],
    output: Annotated[
        str,
        typer.Option("-o", "--output", help="Where to write: a file, or - for stdout.", show_default=False),
    ],
) -> int:
    """Make one file of a rule file and its imports. `detour serve` opens it at once."""
    if output != _STDOUT:
        manifest, size = _write_file(rules, output)
        typer.echo(f"{output}: {manifest.rules:,} rules, {size / 1e6:,.1f} MB")
        return 0
    if sys.stdout.isatty():
        raise typer.BadParameter("compiled rules are no text for a terminal; write -o FILE")
    _write_stdout(rules)
    return 0


def _write_file(rules: str, output: str) -> tuple[Manifest, int]:
    """Put the compiled rules in the place of `output`, whole or not at all."""
    place = os.path.realpath(output)  # a link stays one
    if os.path.exists(place) and not os.path.isfile(place):
        raise RuleError.of_file(output, "not a regular file", "name one, or - for stdout")
    try:
        with _beside(place) as (descriptor, temporary):
            manifest = _compile(rules, descriptor)
            os.fsync(descriptor)
            os.rename(temporary, place)
            _sync_folder(place)
            return manifest, os.fstat(descriptor).st_size
    except OSError as error:
        raise RuleError.of_file(
            output, f"cannot be written: {error.strerror}", "name a file in a folder with room"
        ) from None


def _write_stdout(rules: str) -> None:
    descriptor = anonymous_file("detour-compile")  # a pipe cannot go back to write the header
    try:
        _compile(rules, descriptor)
        with open(descriptor, "rb", closefd=False) as compiled:
            compiled.seek(0)
            shutil.copyfileobj(compiled, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    finally:
        os.close(descriptor)


def _compile(rules: str, descriptor: int) -> Manifest:
    with _bar() as progress:
        manifest = compile_into(descriptor, rules, progress=progress)
    for warning in manifest.warnings:
        typer.echo(f"detour: warning: {warning}", err=True)
    return manifest


@contextlib.contextmanager
def _beside(place: str) -> Iterator[tuple[int, str]]:
    """A new file in the folder of `place`, and its name; gone afterwards unless it was renamed."""
    folder, name = os.path.split(place)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        yield descriptor, temporary
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _sync_folder(place: str) -> None:
    """So that the new name outlives a loss of power, too."""
    folder = os.open(os.path.dirname(place), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _bar() -> Iterator[Progress | None]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    # Imported here only: most commands draw nothing.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("compiling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling", total=None)
        yield lambda rules, lines: bar.update(task, completed=rules, total=max(rules, lines))
