"""A run as one file to keep or to send: nothing to load, the bytes of a cell at a click.

The matrix is plain HTML. Cells and evidence lie in the page deflated, evidence in one piece a client, which
is inflated when a cell of that client is opened: 20,000 cells weigh a few megabytes. A content security
policy allows the page's own script, by its hash, and nothing else: a mistake in escaping could not run or
fetch.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

import msgspec

from detour.audit.printable import one_line
from detour.lab.carried import ORIGIN_WORDS
from detour.lab.evidence import Told, told
from detour.lab.form import FORMS
from detour.lab.matrix import LETTERS, Mark, Matrix, Row, matrix
from detour.lab.question import GROUPS, QUESTIONS, Question
from detour.lab.result import ClientResult, Results
from detour.lab.verdict import NOTES, VERDICTS

_SHADES = {
    **{name: name for name in ("kept", "rewritten", "refused", "dropped", "forwarded")},
    "kept within": "within",
}


def html(results: Results) -> str:
    """The page."""
    return "".join(_page(results, matrix(results)))


def _page(results: Results, found: Matrix) -> Iterator[str]:
    script, style = _packaged("report.js"), _packaged("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    title = f"Detour lab, {found.day}"
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title>\n<style>{style}</style></head>\n<body>\n"
    )
    yield from _top(results, found)
    yield from _matrix(found)
    yield _browse(results, found)
    yield _deflated("index", _index(results, found))
    for number, client in enumerate(_asked(results)):
        yield _deflated(f"evidence-{number}", _evidence(client, results))
    yield f"<script>{script}</script>\n</body></html>\n"


def _packaged(name: str) -> str:
    return (files("detour.lab") / "page" / name).read_text(encoding="utf-8")


def _asked(results: Results) -> list[ClientResult]:
    return [client for client in results.clients if client.cells]  # as the rows of the matrix


def _top(results: Results, found: Matrix) -> Iterator[str]:
    cells, faults = sum(row.cells for row in found.rows), sum(row.faults for row in found.rows)
    varying = sum(row.varying for row in found.rows)
    yield "<h1>What clients do with a redirect</h1>\n"
    yield (
        f'<p class="mute">{_inline(found.date)}; {_inline(found.system)}; Detour {_inline(found.detour)}; '
        f"{len(found.rows)} clients, {found.cases} cases, {cells:,} cells, {faults:,} with a fault, "
        f"{varying:,} varying.</p>\n"
    )
    for what, reasons in (("Absent", found.absent), ("Gave up", found.gave_up)):
        if reasons:
            listed = "; ".join(f"{_inline(name)} ({_inline(why)})" for name, why in reasons.items())
            yield f'<p class="mute">{what}: {listed}.</p>\n'


def _matrix(found: Matrix) -> Iterator[str]:
    """Clients × questions; a cell leads to its cases."""
    questions = found.questions
    yield "<h2>In short</h2>\n<p>The worst verdict of each question's cases; click one to see them.</p>\n"
    yield '<div class="wide" id="matrix"><table><thead><tr><th></th>'
    for group, members in groupby(questions, lambda one: one.group):
        words = _inline(GROUPS[group])
        yield f'<th class="group first" colspan="{len(list(members))}" title="{words}">{group}</th>'
    yield '<th class="group first" colspan="2">cells</th></tr><tr><th></th>'
    for number, one in enumerate(questions):
        yield f'<th{_first(questions, number)} title="{_inline(one.asks)}"><span>{one.name}</span></th>'
    yield '<th class="first">faults</th><th>varying</th></tr></thead><tbody>\n'
    for client, row in enumerate(found.rows):
        yield f"<tr><th>{_inline(row.name)} <small>{_inline(row.version)}</small></th>"
        yield from (_cell(client, row, questions, number) for number in range(len(questions)))
        yield f'<td class="number first">{row.faults}</td><td class="number">{row.varying or ""}</td></tr>\n'
    yield "</tbody></table></div>\n"
    yield f'<ul class="legend">{"".join(_legend(found))}</ul>\n'


def _cell(client: int, row: Row, questions: tuple[Question, ...], number: int) -> str:
    question = questions[number]
    mark = row.marks.get(question.key)
    first = "first" if _first(questions, number) else ""
    if mark is None:
        return f'<td class="none {first}" title="not asked">·</td>'
    title = f"{row.name}: {question.asks}: {_in_words(mark)}"
    return (
        f'<td data-v data-q="{escape(question.key)}" data-client="{client}" title="{_inline(title)}" '
        f'class="{_shade(mark.verdict)} {first}">{mark.letter}{"~" if mark.varying else ""}</td>'
    )


def _in_words(mark: Mark) -> str:
    otherwise = f", {mark.otherwise} of {mark.cases} cases otherwise" if mark.otherwise else ""
    return f"{mark.verdict}{otherwise}{f', {mark.varying} varying' if mark.varying else ''}"


def _first(questions: tuple[Question, ...], number: int) -> str:
    new = not number or questions[number - 1].group != questions[number].group
    return ' class="first"' if new else ""


def _legend(found: Matrix) -> Iterator[str]:
    used = {mark.verdict for row in found.rows for mark in row.marks.values()}
    for name, verdict in VERDICTS.items():
        if name in used:
            letter = f'<b class="{_shade(name)}">{LETTERS[name]}</b>'
            yield f'<li title="{_inline(verdict.meaning)}">{letter} {name}</li>'
    yield '<li><b class="none">·</b> not asked</li><li><b>~</b> varies</li>'


def _shade(verdict: str) -> str:
    return "fault" if VERDICTS[verdict].bold else _SHADES.get(verdict, "none")


def _browse(results: Results, found: Matrix) -> str:
    """The filter, and places for what the script draws."""
    from detour.lab.cases import GROUPS as CASE_GROUPS  # here: the cases take a quarter of a second

    groups = {one.group: CASE_GROUPS.get(one.group, one.group) for one in results.cases}
    statuses = sorted({status for one in results.cases for status in one.statuses})
    verdicts = {"fault": "any fault", "varying": "varying", **{name: name for name in VERDICTS}}
    questions = {one.key: f"{one.key}: {one.asks}" for one in found.questions}
    boxes = "".join(
        f'<label><input type="checkbox" value="{number}" checked> {_inline(row.name)}</label>'
        for number, row in enumerate(found.rows)
    )
    return (
        '<h2 id="browse">Every cell</h2>\n<form id="filter">'
        '<input type="search" id="words" placeholder="case, e.g. 307/POST" aria-label="case">'
        f"{_select('question', 'any question', questions)}{_select('group', 'any group', groups)}"
        f"{_select('status', 'any status', {str(one): str(one) for one in statuses})}"
        f"{_select('verdict', 'any verdict', verdicts)}"
        f'<details class="pick"><summary>clients</summary><div id="clients">{boxes}</div></details>'
        '<button type="button" id="all">show all</button><button type="button" id="none">no client</button>'
        '<span class="mute" id="count"></span></form>\n'
        "<noscript><p>Cells and their bytes are shown by a script of this page.</p></noscript>\n"
        '<div class="wide" id="cells"><table><thead></thead><tbody></tbody></table></div>\n'
        '<aside id="cell" hidden></aside>\n'
    )


def _select(name: str, every: str, options: dict[str, str]) -> str:
    listed = "".join(
        f'<option value="{_inline(value)}">{_inline(words)}</option>' for value, words in options.items()
    )
    return f'<select id="{name}" aria-label="{name}"><option value="">{every}</option>{listed}</select>'


def _index(results: Results, found: Matrix) -> dict[str, Any]:
    numbers = {one.id: number for number, one in enumerate(results.cases)}
    clients = _asked(results)
    return {
        "cases": results.cases,
        "clients": [
            {"name": one.name, "version": one.version, "not_asked": one.not_asked} for one in clients
        ],
        "cells": [_verdicts(one, numbers) for one in clients],
        "questions": [
            {
                "key": one.key,
                "axis": one.axis,
                "cases": [number for case, number in numbers.items() if one.is_about(case)],
            }
            for one in QUESTIONS
        ],
        "verdicts": {
            name: {"letter": LETTERS[name], "shade": _shade(name), "bold": one.bold}
            for name, one in VERDICTS.items()
        },
        "notes": NOTES,
        "forms": {name: one.words for name, one in FORMS.items()},
        "origins": ORIGIN_WORDS,
    }


def _verdicts(client: ClientResult, numbers: dict[str, int]) -> list[tuple[str, str, int] | None]:
    found: list[tuple[str, str, int] | None] = [None] * len(numbers)
    for cell in client.cells:
        if cell.case in numbers:
            found[numbers[cell.case]] = cell.request, cell.credentials, int(cell.unsettled)
    return found


def _evidence(client: ClientResult, results: Results) -> dict[int, Told]:
    numbers = {one.id: number for number, one in enumerate(results.cases)}
    return {numbers[cell.case]: told(client.name, cell) for cell in client.cells if cell.case in numbers}


def _deflated(name: str, value: Any) -> str:
    """Data for the script, as base64 of zlib (what DecompressionStream calls deflate)."""
    octets = zlib.compress(msgspec.json.encode(value), 9)
    return f'<script type="text/plain" id="{name}">{base64.b64encode(octets).decode()}</script>\n'


def _inline(text: str) -> str:
    return escape(one_line(text))
