"""`detour serve`: answer requests from a rule file. Its flags are made from `core.settings`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
import typer

from detour.core.settings import ListenerSettings, Seconds, ServerSettings
from detour.formats.wording import expected, shown
from detour.load import compile_into
from detour.serve.options import DEFAULT_ADMIN, Options

_TABLES: dict[str, type[msgspec.Struct]] = {"server": ServerSettings, "listener": ListenerSettings}
_LISTEN = (
    "where to listen, http://ADDRESS:PORT or https://ADDRESS:PORT; repeatable; replaces the file's listeners"
)


def serve(rules: str, listen: list[str], admin: str, **flags: Any) -> int:
    """Serve redirects from a rule file, or from compiled rules."""
    from detour.serve.server import serve as run  # here only: no other command needs a server to begin with

    if rules == "-":
        raise typer.BadParameter("standard input cannot be watched or read again; name a rule file")
    given = {name: value for name, value in flags.items() if value not in (None, [])}
    options = Options(
        listen=tuple(listen or ()),
        listener=_settings("listener", given),
        server=_settings("server", given),
        admin=admin,
    )
    return run(RuleFileSource(rules), options)


class RuleFileSource:
    """Where the server's rules come from: a file, and what it imports (`serve.reload.RuleSource`)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.files = (path,)

    def compile(self, descriptor: int, overrides: Mapping[str, Any]) -> None:
        compile_into(descriptor, self.path, overrides)


def _settings(table: str, given: dict[str, Any]) -> dict[str, Any]:
    """What was given of one table, as the setting's own type; raises `typer.BadParameter`."""
    return {
        field.name: _value(field, given[field.name])
        for field in msgspec.structs.fields(_TABLES[table])
        if field.name in given
    }


def _value(field: msgspec.structs.FieldInfo, text: Any) -> Any:
    try:
        return msgspec.convert(text, field.type, dec_hook=lambda _, value: Seconds.parse(value))
    except msgspec.ValidationError:
        takes = expected(field.type, (field.name,))
        raise typer.BadParameter(f"{_flag(field.name)} cannot be {shown(text)}; write {takes}") from None


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _parameters() -> Iterator[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    yield inspect.Parameter(
        "rules",
        keyword,
        annotation=Annotated[
            str, typer.Argument(help="The rule file, or compiled rules.", show_default=False)
        ],
    )
    yield inspect.Parameter(
        "listen", keyword, default=[], annotation=Annotated[list[str], typer.Option("--listen", help=_LISTEN)]
    )
    yield inspect.Parameter(
        "admin",
        keyword,
        default=DEFAULT_ADMIN,
        annotation=Annotated[str, typer.Option(help="health, metrics, rules as JSON: ADDRESS:PORT, or off")],
    )
    for table in _TABLES.values():
        for field in msgspec.structs.fields(table):
            if field.name != "listen":
                yield _parameter(field)


def _parameter(field: msgspec.structs.FieldInfo) -> inspect.Parameter:
    kind, default = _kind(field)
    flag = _flag(field.name)
    names = (f"{flag}/--no-{flag[2:]}",) if kind is bool else (flag,)
    option = typer.Option(*names, help=_help(field), show_default=False)
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind | None, option]
    )


def _kind(field: msgspec.structs.FieldInfo) -> tuple[Any, Any]:
    """The type of a flag, and the value that means it was not given."""
    shown = str(field.type)
    if "tuple[" in shown:
        return list[str], []
    if "bool" in shown:
        return bool, None
    return (int, None) if "int" in shown else (str, None)


def _help(field: msgspec.structs.FieldInfo) -> str:
    default = field.default if field.default is not msgspec.NODEFAULT else None
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    said = "" if default in (None, (), False, True) else f" [default: {default}]"
    return _description(field) + said


def _description(field: msgspec.structs.FieldInfo) -> str:
    return next(meta.description for meta in field.type.__metadata__ if meta.description) or ""


_SIGNATURE = inspect.Signature(list(_parameters()), return_annotation=int)
serve.__signature__ = _SIGNATURE  # type: ignore[attr-defined]  # typer reads the flags from here
serve.__annotations__ = {name: one.annotation for name, one in _SIGNATURE.parameters.items()}
