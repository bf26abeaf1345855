"""Writes the documentation that is made from tables: `python docs/make.py`. A test says when it is stale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from detour.cli.explain import overview
from detour.core.matcher import SKIP_REASONS
from detour.core.message import METHODS
from detour.core.settings import ListenerSettings, ServerSettings
from detour.core.status import REDIRECT_STATUSES
from detour.formats import tables

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/make.py from the tables in the source; edit those. -->\n"

TABLES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("[[rule]]", tables.RuleTable),
    ("[rule.when], [rule.unless]", tables.ConditionTable),
    ("share = { … }", tables.ShareTable),
    ("[rule.cors]", tables.CorsTable),
    ("[[rule.expect]]", tables.ExpectTable),
    ("[defaults]", tables.DefaultsTable),
    ("[server]", ServerSettings),
    ("[[listener]]", ListenerSettings),
)


def statuses() -> Iterator[str]:
    """docs/statuses.md"""
    yield MADE
    yield "# The five redirect statuses\n"
    yield f"```\n{overview()}\n```\n"
    for status in REDIRECT_STATUSES.values():
        yield f"## {status.code} {status.phrase}\n"
        yield f"{status.meaning} ({status.clause})\n"
        yield f"**Use it when:** {status.use}\n"
        yield f"**Not when:** {status.avoid}\n"
        yield f"**Clients:** {status.clients}\n"


def reference() -> Iterator[str]:
    """docs/reference.md"""
    yield MADE
    yield "# Every key of a rule file\n"
    yield "For editors: `detour schema` prints the JSON Schema. How to use the keys: [rules.md](rules.md).\n"
    for title, kind in TABLES:
        yield f"## `{title}`\n"
        yield f"{(kind.__doc__ or '').strip()}\n"
        rows = [
            f"| `{field.encode_name}` | {_default(field)} | {_meaning(field)} |"
            for field in msgspec.structs.fields(kind)
        ]
        yield "| key | default | meaning |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"
    yield "## Methods\n"
    yield f"What the server can be asked for: {', '.join(sorted(METHODS))}.\n"
    yield "## Why a rule did not answer\n"
    yield "\n".join(f"- `{reason}`: {meaning}" for reason, meaning in SKIP_REASONS.items()) + "\n"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    return "" if default in (None, (), {}, "") else f"`{str(default).lower()}`"


def _meaning(field: msgspec.structs.FieldInfo) -> str:
    described = (meta.description for meta in field.type.__metadata__ if meta.description)
    return str(next(described)).replace("|", "\\|")


PAGES = {"statuses.md": statuses, "reference.md": reference}


def page(name: str) -> str:
    """The text of one page."""
    return "\n".join(PAGES[name]())


if __name__ == "__main__":
    for name in PAGES:
        (HERE / name).write_text(page(name))
