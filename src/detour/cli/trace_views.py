"""What `detour trace` can show of a URL, each as lines for a person and as one document for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import typer

from detour.audit.finding import SEVERITIES, Finding
from detour.audit.report import Result
from detour.cli.chain_text import (
    answer_line,
    chain_lines,
    emitter_line,
    end_line,
    finding_lines,
    hop_lines,
    shown,
)
from detour.core.chain import ENDS, Chain
from detour.core.status import REDIRECT_STATUSES
from detour.follow.check import way
from detour.follow.document import document, finding_document
from detour.follow.matrix import differences
from detour.follow.preflight import Preflight, obstacles
from detour.follow.trace import Judged, judge

# Ends at which a client got what it asked for, or stopped because it was told to; the rest is no answer.
# A redirect status without Location is an answer that a check judges.
ANSWERED = frozenset({"arrived", "not-followed", "needs-consent", "no-location"})


class View(msgspec.Struct, frozen=True):
    """What to print, and what the exit status depends on."""

    lines: tuple[str, ...]
    document: dict[str, Any]
    findings: tuple[Finding, ...]
    answered: bool
    results: tuple[Result, ...]  # for the formats that know only those


def chain_view(judged: Judged, commands: Sequence[str] = ()) -> View:
    """One chain; `commands` reproduce its hops."""
    told = document(judged)
    for hop, command in zip(told["hops"], commands, strict=False):
        hop["curl"] = command
    lines = tuple(chain_lines(judged, commands))
    return View(lines, told, judged.findings, answered(judged.chain), (_result(judged),))


def matrix_view(rows: tuple[Chain, ...], commands: Sequence[str] = ()) -> View:
    """A table of methods, and where they differ; what each check finds is told once, at its gravest."""
    judged = [judge(row) for row in rows]
    found = sorted(
        (one for each in judged for one in each.findings),
        key=lambda one: SEVERITIES.index(one.severity),
        reverse=True,
    )
    findings = tuple({one.check: one for one in reversed(found)}.values())[::-1]
    lines = [*_table(judged), *_differences(rows)]
    if findings:
        lines += ["", *finding_lines(findings, places=False)]
    if commands:
        lines += ["", *commands]
    told = {
        "methods": [_row(one) for one in judged],
        "differences": [msgspec.to_builtins(one) for one in differences(rows)],
        "findings": [finding_document(one) for one in findings],
    }
    asked = [row for row in rows if row.end.name != "needs-consent"]
    return View(
        tuple(lines),
        told,
        findings,
        not asked or any(answered(row) for row in asked),
        tuple(_result(one) for one in judged),
    )


def preflight_view(preflight: Preflight, chain: Chain, commands: Sequence[str] = ()) -> View:
    """A browser's question, the answer, and what the browser does then; refused is no answer."""
    judged = _as_needed(preflight, judge(chain))
    shown_chain = chain_view(judged, commands)
    response = chain.hops[0].response
    reasons = obstacles(preflight, response) if response is not None else ("the preflight got no answer",)
    told = {
        "preflight": {
            **msgspec.to_builtins(preflight),
            "needed": preflight.needed,
            "allowed": not reasons,
            "reasons": list(reasons),
        },
        **shown_chain.document,
    }
    lines = [*hop_lines(judged, commands)]
    lines += [*_preflight(preflight, reasons)] if response is not None else [end_line(chain)]
    if judged.findings:
        lines += ["", *finding_lines(judged.findings, places=False)]
    blocked = bool(reasons) and preflight.needed
    answers = shown_chain.answered and not blocked
    return View(tuple(lines), told, judged.findings, answers, shown_chain.results)


def _as_needed(preflight: Preflight, judged: Judged) -> Judged:
    """A question that no browser asks breaks nothing when it is refused: its findings are notes."""
    if preflight.needed:
        return judged
    notes = tuple(
        msgspec.structs.replace(one, severity="note") if one.check == "preflight-redirect" else one
        for one in judged.findings
    )
    return msgspec.structs.replace(judged, findings=notes)


def har_view(chains: tuple[Chain, ...], others: int, missing: str = "") -> View:
    """The chains of a recording that redirect; `others`: requests that do not; `missing`: a URL not in it."""
    judged = [judge(chain) for chain in chains]
    findings = tuple(one for each in judged for one in each.findings)
    lines: list[str] = []
    for each in judged:
        lines += [*chain_lines(each), "", ""]
    lines.append(
        f"the recording holds no request for {shown(missing)}"
        if missing
        else f"{_count(len(chains), 'chain')} with redirects, {_count(others, 'request')} without"
    )
    told = {"chains": [document(each) for each in judged], "others": others}
    every = not missing and all(answered(chain) for chain in chains)
    return View(tuple(lines), told, findings, every, tuple(_result(each) for each in judged))


def with_findings(view: View, found: tuple[Finding, ...]) -> View:
    """A view with what a further look found."""
    if not found:
        return view
    told = {
        **view.document,
        "findings": [*view.document["findings"], *(finding_document(one) for one in found)],
    }
    lines = (*view.lines, "", *finding_lines(found, places=False))
    return msgspec.structs.replace(view, lines=lines, document=told, findings=(*view.findings, *found))


def answered(chain: Chain) -> bool:
    """Whether a client that follows like this got an answer."""
    return chain.end.name in ANSWERED


def _result(judged: Judged) -> Result:
    """What a report tells of a chain; whether what was found fails it is for the caller to say."""
    chain, request = judged.chain, judged.chain.hops[0].request
    no_answer = "" if answered(chain) else f"{chain.end.name}: {chain.end.detail or ENDS[chain.end.name]}"
    return Result(
        f"{request.method} {request.url}",
        "failed" if no_answer else "passed",
        judged.findings,
        seconds=sum(hop.response.timings.total for hop in chain.hops if hop.response),
        detail=no_answer,
        way=way(chain),
    )


def _table(judged: Sequence[Judged]) -> Iterator[str]:
    width = max(len(one.chain.hops[0].request.method) for one in judged)
    for one in judged:
        method = f"{shown(one.chain.hops[0].request.method):{width}}"
        yield f"{typer.style(method, bold=True)}  {_outcome(one)}"


def _outcome(judged: Judged) -> str:
    hop, end = judged.chain.hops[0], judged.chain.end
    if hop.response is None:
        return (
            typer.style("not probed (--send asks for it)", dim=True)
            if end.name == "needs-consent"
            else end_line(judged.chain)
        )
    by = emitter_line(judged.guesses[0]) if hop.response.status in REDIRECT_STATUSES else ""
    return answer_line(hop) + (f"  {by}" if by else "")


def _differences(rows: tuple[Chain, ...]) -> Iterator[str]:
    found = differences(rows)
    if found:
        yield ""
    for one in found:
        yield f"{typer.style(', '.join(map(shown, one.methods)), bold=True)}: {shown(one.what)}"


def _row(judged: Judged) -> dict[str, Any]:
    hop = document(judged)["hops"][0]
    return {**hop, "end": judged.chain.end.name, "end_detail": judged.chain.end.detail}


def _preflight(preflight: Preflight, reasons: Sequence[str]) -> Iterator[str]:
    names = f" with {', '.join(preflight.fields)}" if preflight.fields else ""
    what, page = f"{shown(preflight.method)}{shown(names)}", shown(preflight.origin)
    allowed, refused = (
        typer.style("allowed", fg="green", bold=True),
        typer.style("refused", fg="red", bold=True),
    )
    if not preflight.needed:
        yield f"{allowed}: a page of {page} sends {what} without asking first: no preflight is needed"
        if reasons:
            yield "This one was asked all the same, and is refused:"
    elif reasons:
        yield f"{refused}: a browser does not send {what} from {page}:"
    else:
        yield f"{allowed}: a browser sends {what} from {page}"
    yield from (f"  {shown(reason)}" for reason in reasons)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
