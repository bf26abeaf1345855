"""`detour schema`: the JSON Schema of a rule file, for editors."""

from __future__ import annotations

import msgspec
import typer

from detour.formats.tables import schema as rule_file_schema


def schema() -> int:
    """Print the JSON Schema of a rule file."""
    typer.echo(msgspec.json.format(msgspec.json.encode(rule_file_schema())).decode())
    return 0
