"""All commands, and what every one of them promises about exit statuses.

0 done, 1 the answer is no, 2 bad usage or unreadable input with a one-line reason, 130 interrupted, 141
nobody reads what is printed any more (as a shell says of SIGPIPE): quietly.
"""

from __future__ import annotations

import os
import sys

import typer

from detour import __version__
from detour.cli import compile, explain, match, schema, serve, test
from detour.errors import DetourError

# Every mistake on a command line is one of these: a wrong value, a missing one, no such command. typer
# shows `BadParameter` alone and keeps what it descends from to itself, so the class is asked for it.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name="detour",
    help="Temporary HTTP redirects that keep the method and the content.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (serve.serve, compile.compile, match.match, test.test, explain.explain, schema.schema)

for command in COMMANDS:
    app.command()(command)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")
) -> None:
    if context.invoked_subcommand is None and not version:
        typer.echo(context.get_help())
    if version:
        typer.echo(f"detour {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line and exit; nobody sees a traceback of a mistake that is theirs."""
    sys.exit(_run())


def _run() -> int:
    try:
        return int(app(standalone_mode=False) or 0)
    except UsageError as error:
        return _refuse(f"{error}; try `detour --help`")
    except DetourError as error:
        return _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the exit flush is quiet
        return 141


def _refuse(message: str) -> int:
    for line in message.splitlines():
        typer.echo(f"detour: {line}", err=True)
    return 2
