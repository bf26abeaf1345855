"""`detour test`: every example written in the rules, against the whole rule set."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from detour.cli import arguments
from detour.core.example import failure


def test(rules: Annotated[str, typer.Argument(help="The rule file.")]) -> int:
    """Run the examples written in a rule file. Exit 1 when one fails."""
    loaded = arguments.rule_file(rules)
    now = time.time()
    examples = loaded.ruleset.examples
    failed = 0
    for example in examples:
        fact = failure(loaded.ruleset, example, now)
        if fact is not None:
            failed += 1
            typer.echo(f"{example.span}: {example.rule}: {example.method} {example.url}: {fact}")
    typer.echo(f"{len(examples) - failed} passed, {failed} failed, {len(loaded.ruleset.rules)} rules")
    return 1 if failed else 0
