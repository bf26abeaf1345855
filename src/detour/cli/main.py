"""All commands, and what every one of them promises about exit statuses.

0 done, 1 the answer is no, 2 bad usage or unreadable input with a one-line reason, 130 interrupted, 141
nobody reads what is printed any more (as a shell says of SIGPIPE): quietly.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from detour import __version__
from detour.errors import DetourError

# Every mistake on a command line is one of these: a wrong value, a missing one, no such command. typer
# shows `BadParameter` alone and keeps what it descends from to itself, so the class is asked for it.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# In the order of their help; each is the module of `detour.cli` with that name.
COMMANDS = (
    "serve",
    "compile",
    "match",
    "test",
    "trace",
    "check",
    "audit",
    "convert",
    "lab",
    "explain",
    "schema",
)


def application(words: Sequence[str]) -> typer.Typer:
    """The command line as far as `words` need it: only the command they name is loaded, or all for help.

    All commands together take half a second to load, which is what it takes to follow 10,000 URLs.
    """
    app = typer.Typer(
        name="detour",
        help="Temporary HTTP redirects that keep the method and the content.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    named = next((word for word in words if not word.startswith("-")), "")
    for name in (named,) if named in COMMANDS else COMMANDS:
        module = import_module(f"detour.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app)
        else:
            app.command(epilog=getattr(module, "EXAMPLES", None))(getattr(module, name))
    return app


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
        return int(application(sys.argv[1:])(standalone_mode=False) or 0)
    except UsageError as error:
        return _refuse(_usage(error))
    except DetourError as error:
        return _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        _abandon_stdout()
        return 141
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _abandon_stdout()
        return _refuse(f"the output cannot be written: {error.strerror}; make room, or write elsewhere")


def _abandon_stdout() -> None:
    """What is left to write goes nowhere, so that the flush at the exit is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: Any) -> str:
    """A mistake on a command line in one line: the flag it is about, the fact, the help to read."""
    ours = isinstance(error, typer.BadParameter) and error.param is None  # it names its flag itself
    fact = str(error) if ours else error.format_message()
    command = error.ctx.command_path if error.ctx else "detour"
    return f"{fact.removesuffix('.')}; try `{command} --help`"


def _refuse(message: str) -> int:
    for line in message.splitlines():
        typer.echo(f"detour: {line}", err=True)
    return 2
