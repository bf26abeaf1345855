"""`detour test`: every example written in the rules, against the whole rule set."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from detour.core.example import failure
from detour.load import load_files


def test(rules: Annotated[str, typer.Argument(help="The rule file.")]) -> int:
    """Run the `expect` examples of a rule file; exit 1 when one fails."""
    loaded = load_files(rules)
    for warning in loaded.warnings:
        typer.echo(f"detour: warning: {warning}", err=True)
    now = time.time()
    seen: set[object] = set()
    failed = passed = 0
    for rule in loaded.ruleset.rules:
        for expect in rule.terms.expect:
            if expect.span in seen:
                continue  # an import's examples stand on each of its lines
            seen.add(expect.span)
            fact = failure(loaded.ruleset, rule, expect, now)
            passed, failed = passed + (fact is None), failed + (fact is not None)
            if fact is not None:
                typer.echo(f"{expect.span}: {rule.series}: {expect.method} {expect.url}: {fact}")
    typer.echo(f"{passed} passed, {failed} failed, {len(loaded.ruleset.rules)} rules")
    return 1 if failed else 0
