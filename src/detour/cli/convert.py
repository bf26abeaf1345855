"""`detour convert`: rules from one language to another; what cannot be said is listed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from detour.cli import arguments
from detour.cli.ending import interruptible
from detour.core.matcher import RuleSet
from detour.errors import RuleError
from detour.formats.layer import Layer
from detour.formats.writers import WRITERS, Writer, writer_for
from detour.formats.writers.writing import Unsaid, Written
from detour.load import load_layer

_STDOUT = "-"
_MOST_SHOWN = 20  # differences


class Converted(msgspec.Struct, frozen=True):
    """What came of a conversion."""

    layer: Layer
    written: Written | None  # None: nothing was to be written
    proof: Any = None  # a `detour.prove.proof.Proof`

    @property
    def clean(self) -> bool:
        """Whether everything was said, and nothing differs without an explanation."""
        unsaid = self.written is not None and bool(self.written.unsaid)
        return not (unsaid or self.layer.not_understood or (self.proof and self.proof.unexplained))


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="A configuration, or - for stdin.")],
    to: Annotated[str, typer.Option(metavar="DIALECT", help="The language to write.")] = "",
    from_: Annotated[
        str, typer.Option("--from", metavar="DIALECT", help="The language of IN; default: by its content.")
    ] = "",
    output: Annotated[str, typer.Option("-o", "--output", metavar="OUT", help="Where to write.")] = _STDOUT,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove",
            help="Start the real server with what was written and compare; without --to, with IN itself.",
        ),
    ] = False,
    at: Annotated[str | None, typer.Option(help="The time to decide windows at; default: now.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One document: text, unsaid, proof.")] = False,
) -> int:
    """Restate rules in another language, and list what it cannot say.

    Exit 1: something is left unsaid or was not understood, or the real server answers otherwise.
    """
    writer = _writer(to, prove)
    now = arguments.instant(at) if at else time.time()
    layer = load_layer(source, dialect=from_)
    written = None if writer is None else writer.write(layer.rules, now)
    with interruptible():
        proof = _proof(layer, to, written, now) if prove else None
    done = Converted(layer, written, proof)
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_document(done)), indent=2).decode())
        return 0 if done.clean else 1
    if written is not None:
        _write(output, written.text)
    for line in _told(done):
        typer.echo(line, err=True)
    return 0 if done.clean else 1


def _writer(to: str, prove: bool) -> Writer | None:
    if not to and prove:
        return None
    known = ", ".join(writer.name for writer in WRITERS)
    found = writer_for(to)
    if found is None:
        fact = f"--to {to!r} is no language that can be written" if to else "no language to write"
        raise typer.BadParameter(f"{fact}; name one of {known}")
    return found


def _proof(layer: Layer, to: str, written: Written | None, now: float) -> Any:
    """Asks the real server; raises `DetourError` where there is none, or it does not start."""
    from detour.prove.proof import prove  # here only: nothing else starts servers
    from detour.prove.servers import SERVERS, server_for
    from detour.prove.whole import listed, whole

    dialect = to or layer.dialect
    server = server_for(dialect)
    if server is None:
        known = ", ".join(one.name for one in SERVERS)
        raise typer.BadParameter(f"--prove: no server reads {dialect}; there are {known}")
    if written is not None:
        return prove(server, written.text, RuleSet.of(written.said), now)
    text, beside = whole(layer)
    return prove(server, text, layer.ruleset, now, beside=beside, listed=listed(layer))


def _write(output: str, text: str) -> None:
    if output == _STDOUT:
        sys.stdout.write(text)
        return
    try:
        with open(output, "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        fact = f"cannot be written: {error.strerror}"
        raise RuleError.of_file(output, fact, "name a file in a folder with room") from None


def _told(done: Converted) -> Iterator[str]:
    """What a person must know beside the text."""
    for fault in done.layer.not_understood:
        yield f"not understood: {fault}"
    for warning in done.layer.warnings:
        yield f"note: {warning}"
    if done.written is not None:
        yield from dict.fromkeys(map(_unsaid, done.written.unsaid))  # a line may have made several rules
        yield from (f"note: {note}" for note in done.written.notes)
    if done.proof is not None:
        yield from _proven(done.proof)


def _unsaid(one: Unsaid) -> str:
    name = "" if one.rule == str(one.span) else f"{one.rule}: "
    lines = [f"unsaid: {one.span}: {name}{one.what}; {one.nearest}"]
    return "\n".join([*lines, *(f"    {methods}: {text}" for methods, text in one.consequences)])


def _proven(proof: Any) -> Iterator[str]:
    told = f"proved with {proof.server}: {proof.asked} requests, {proof.redirects} of them redirected"
    explained = len(proof.differences) - len(proof.unexplained)
    more = f", {explained} for a known reason" if explained else ""
    yield f"{told}; {len(proof.unexplained)} differ{more}"
    if proof.unclaimed:
        yield f"    {proof.unclaimed} more fall on what is not understood: no answer is claimed for them"
    for one in proof.unexplained[:_MOST_SHOWN]:
        told = f"{proof.server} answers {one.server}, the rules say {one.detour} ({one.rule})"
        yield f"    {one.question}: {told}"
    for why in dict.fromkeys(one.why for one in proof.differences if one.why):
        count = sum(one.why == why for one in proof.differences)
        yield f"    {count}: {why}"


def _document(done: Converted) -> dict[str, Any]:
    written, proof = done.written, done.proof
    document: dict[str, Any] = {
        "dialect": done.layer.dialect,
        "not_understood": [_fault(fault) for fault in done.layer.not_understood],
        "warnings": done.layer.warnings,
    }
    if written is not None:
        document |= {"text": written.text, "unsaid": written.unsaid, "notes": written.notes}
    if proof is not None:
        document["proof"] = {
            "server": proof.server,
            "asked": proof.asked,
            "redirects": proof.redirects,
            "unclaimed": proof.unclaimed,
            "differences": [
                {
                    "request": str(one.question),
                    "rules": one.detour,
                    "server": one.server,
                    "rule": one.rule,
                    "why": one.why,
                }
                for one in proof.differences
            ],
        }
    return document


def _fault(fault: Any) -> dict[str, Any]:
    return {"span": str(fault.span), "fact": fault.fact, "remedy": fault.remedy}
