"""`detour schema`: the JSON Schema of a file that people write, for editors."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from detour.follow.contract import schema as contract_schema
from detour.formats.tables import schema as rule_file_schema

SCHEMAS = {"rules": rule_file_schema, "contract": contract_schema}


def schema(
    what: Annotated[
        str, typer.Argument(metavar="[rules|contract]", help="A rule file, or a contract.")
    ] = "rules",
) -> int:
    """Print the JSON Schema of a rule file, or of a contract."""
    if what not in SCHEMAS:
        raise typer.BadParameter(f"{what!r} has no schema; write {' or '.join(SCHEMAS)}")
    typer.echo(msgspec.json.format(msgspec.json.encode(SCHEMAS[what]())).decode())
    return 0
