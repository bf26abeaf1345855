"""`detour lab`: what real clients do with a redirect; `lab serve`, `lab setup`, `lab diff`."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from detour import __version__
from detour.cli.arguments import coloured
from detour.cli.ending import interruptible, terminated
from detour.errors import DetourError, LabError
from detour.lab.baseline import held, new_faults
from detour.lab.case import Case
from detour.lab.client import Client
from detour.lab.clients import CLIENTS
from detour.lab.diff import difference, lines
from detour.lab.journal import Journal
from detour.lab.program import Found, Places, find
from detour.lab.report import FORMATS
from detour.lab.report_text import text
from detour.lab.result import Results
from detour.lab.result import schema as result_schema
from detour.lab.run import Manner, Run, Told
from detour.lab.setup import carry_out, commands
from detour.lab.stage import open_stage
from detour.lab.trial import Trial

app = typer.Typer(
    name="lab",
    help="What real clients do with a redirect: cases are played to them, and what arrives is compared.",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_DEFAULT = Manner()

Names = Annotated[list[str], typer.Option("--client", metavar="NAME", help="These clients only; repeatable.")]
Globs = Annotated[list[str], typer.Option("--case", metavar="GLOB", help="These cases only; repeatable.")]
Slice = Annotated[bool, typer.Option("--slice", help="A short choice of cases, from every group.")]
Baseline = Annotated[
    str, typer.Option(metavar="FILE", help="Faults it holds are known; as --format json writes it.")
]
Format = Annotated[str, typer.Option(help=", ".join(FORMATS) + ".")]
JSON = Annotated[bool, typer.Option("--json", help="As --format json.")]
JSONDifference = Annotated[bool, typer.Option("--json", help="One document, for programs.")]
Place = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write.")]
Resume = Annotated[
    str, typer.Option(metavar="FILE", help="Keep results there; go on from them after an interrupt.")
]
AtOnce = Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Programs at a time.")]
Port = Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="Of the first origin; 0: any.")]
Install = Annotated[bool, typer.Option("--install", help="Install what is missing.")]
Document = Annotated[str, typer.Argument(metavar="FILE", help="As `detour lab --format json` writes it.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of the results.")]


@app.callback(invoke_without_command=True)
def lab(
    context: typer.Context,
    client: Names = [],  # noqa: B006
    case: Globs = [],  # noqa: B006
    slice: Slice = False,
    baseline: Baseline = "",
    format: Format = "text",
    json: JSON = False,
    output: Place = "-",
    resume: Resume = "",
    at_once: AtOnce = _DEFAULT.at_once,
    schema: Schema = False,
) -> int:
    """Play every case to every client that is there; exit 1 on a fault that no baseline holds."""
    if context.invoked_subcommand is not None:
        return 0
    if schema:
        return _print_schema()
    written = _format("json" if json else format)
    clients, cases = _clients(client), _cases(case, slice)
    known = held(_read(baseline), baseline) if baseline else frozenset()
    _ensure_writable(output)
    with interruptible(), _resumed(resume, cases) as journal, _bar() as told:
        results = Run(clients, cases, Manner(at_once), told, journal).results(__version__)
    _write(output, _reported(results, written, output))
    return _judged(results, known)


@app.command()
def serve(port: Port = 0) -> int:
    """Keep the origins up for clients that are driven by hand; the page tells how."""
    with open_stage(_all_cases(), {"a": port}) as stage, terminated() as over:
        typer.echo(f"lab: {stage.page}/", err=True)
        typer.echo(f"authority: {stage.authority.certificate}", err=True)
        over.wait()
    return 0


@app.command()
def setup(client: Names = [], install: Install = False) -> int:  # noqa: B006
    """Say which clients are there and how the others are installed; exit 1 while any is absent."""
    chosen = _clients(client)
    absent = _told(chosen)
    for command in commands(absent):
        if not install:
            typer.echo(" ".join(command))
        elif fault := carry_out(command):
            raise LabError(f"{fault}; what it printed says why")
    if install and absent:
        absent = _told(absent)
    return 1 if absent else 0


@app.command()
def diff(old: Document, new: Document, json: JSONDifference = False) -> int:
    """Say what changed from one run to another, as after an upgrade; exit 1 when anything did."""
    found = difference(_results(old), _results(new))
    for line in [msgspec.json.encode(found).decode()] if json else lines(found):
        typer.echo(line)
    return 1 if found.clients else 0


@app.command()
def report(document: Document, format: Format = "text", output: Place = "-") -> int:
    """Show a run again, in another format; the document is that of `--format json`."""
    written = _format(format)
    _write(output, _reported(_results(document), written, output))
    return 0


def _reported(results: Results, format: str, output: str) -> str:
    """In colour where a person looks at it."""
    if format == "text" and output == "-":
        lines = shutil.get_terminal_size().lines if sys.stdout.isatty() else 0
        return text(results, coloured(sys.stdout), lines)
    return FORMATS[format](results)


def _print_schema() -> int:
    typer.echo(msgspec.json.format(msgspec.json.encode(result_schema())).decode())
    return 0


def _judged(results: Results, known: frozenset[tuple[str, str, str]]) -> int:
    stuck = [one for one in results.clients if one.gave_up]
    for one in stuck:
        typer.echo(f"detour: {one.name}: not every case was asked: {one.gave_up}", err=True)
    return 1 if stuck or new_faults(results, known) else 0


def _clients(names: Sequence[str]) -> list[Client]:
    by_name = {one.name.lower(): one for one in CLIENTS}
    unknown = [name for name in names if name.lower() not in by_name]
    if unknown:
        known = ", ".join(one.name for one in CLIENTS)
        raise typer.BadParameter(f"--client {unknown[0]!r} is none that the lab knows: {known}")
    chosen = {name.lower() for name in names}
    return [one for one in CLIENTS if not names or one.name.lower() in chosen]


def _all_cases() -> tuple[Case, ...]:
    from detour.lab.cases import CASES  # here: they take a quarter of a second, and other commands none

    return CASES


def _cases(globs: Sequence[str], slice: bool) -> list[Case]:
    chosen = [
        case
        for case in _all_cases()
        if (case.slice or not slice) and (not globs or any(fnmatchcase(case.id, glob) for glob in globs))
    ]
    if not chosen:
        raise typer.BadParameter(
            f"--case {' '.join(globs)}: there is no such case; ids are like same/307/POST/json"
        )
    return chosen


def _format(name: str) -> str:
    if name not in FORMATS:
        raise typer.BadParameter(f"{name!r} is no format; there are {', '.join(FORMATS)}")
    return name


def _told(clients: Sequence[Client]) -> list[Client]:
    """Print who is there; those that are not."""
    with tempfile.TemporaryDirectory(prefix="detour-lab-") as folder:
        places = Places(Path(folder), Path(folder) / "authority.pem")
        with ThreadPoolExecutor(_DEFAULT.at_once) as pool:
            found: list[Found] = list(pool.map(lambda one: find(one, places.of(one)), clients))
    for client, one in zip(clients, found, strict=True):
        typer.echo(f"{client.name}: {one.version or 'absent: ' + one.absent}", err=True)
    return [client for client, one in zip(clients, found, strict=True) if one.absent]


@contextlib.contextmanager
def _resumed(name: str, cases: Sequence[Case]) -> Iterator[Journal | None]:
    """A journal that goes when the run is whole and stays when it is not."""
    if not name:
        yield None
        return
    journal = Journal(name, cases)
    try:
        yield journal
    except BaseException as error:
        journal.close()
        if isinstance(error, KeyboardInterrupt):
            typer.echo(f"detour: interrupted; go on with --resume {name}", err=True)
        raise
    journal.finish()


@contextlib.contextmanager
def _bar() -> Iterator[Told]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield Told()
        return
    # Imported here only: most runs draw nothing.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last = TextColumn("{task.fields[last]}")
    with Progress(*columns, last, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking", total=None, last="")

        def trial(one: Trial) -> None:
            bar.update(task, advance=1, last=f"{one.client} {one.case}")

        yield Told(lambda total: bar.update(task, total=total), trial)


def _results(name: str) -> Results:
    try:
        return msgspec.json.decode(_read(name), type=Results)
    except msgspec.DecodeError as error:
        raise LabError(f"{name}: is no result of `detour lab --format json`: {error}") from None


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise DetourError(f"{name}: cannot be read: {error.strerror}; name another file") from None


def _ensure_writable(name: str) -> None:
    """Better now than after the run; what the file holds stays until then."""
    if name != "-":
        try:
            Path(name).open("ab").close()
        except OSError as error:
            raise DetourError(f"-o {name}: cannot be written: {error.strerror}; name another file") from None


def _write(name: str, text: str) -> None:
    if name == "-":
        sys.stdout.write(text)
    else:
        Path(name).write_text(text, encoding="utf-8")
