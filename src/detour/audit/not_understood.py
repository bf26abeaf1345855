"""What a reader could not express, as findings: a note each, or the check that is about such lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Edit, Finding, Severity
from detour.audit.survey import Layers, lines_of
from detour.errors import Fault, Span
from detour.formats.layer import Layer

NAME = "not-understood"

# Facts that are findings of a check of their own (words of the readers).
_TOLD: tuple[tuple[re.Pattern[str], str, Severity], ...] = (
    (re.compile(r"is a `from` in line \d+ already"), "duplicate-rule", "warning"),
    (re.compile("carries user information"), "credentials-in-location", "error"),
    (re.compile(r"^\W?\d+\W? is (?:no|not a)(?: redirect)? status"), "unsupported-status", "error"),
)


def findings(layers: Layers) -> Iterator[Finding]:
    """One for each entry that a layer did not understand."""
    for layer in layers:
        for fault in layer.not_understood:
            yield _finding(layer, fault)


def _finding(layer: Layer, fault: Fault) -> Finding:
    told = ((name, severity) for fact, name, severity in _TOLD if fact.search(fault.fact))
    name, severity = next(told, (NAME, "note"))
    message = fault.fact if name != NAME else f"not understood: {fault.fact}"
    if name == NAME:
        return Finding(name, severity, message, fault.remedy, fault.span)
    edits = _mended(layer, fault, name)
    written = "".join(f":\n  {line.strip()}" for edit in edits for line in edit.lines)
    return Finding(name, severity, message, fault.remedy + written, fault.span, edits=edits)


def _mended(layer: Layer, fault: Fault, name: str) -> tuple[Edit, ...]:
    """Its line without what is wrong with it, where the line holds it once."""
    rows, line = lines_of(layer, fault.span.file), fault.span.line
    row = rows[line - 1] if 0 < line <= len(rows) else ""
    form, instead = _MENDS[name]
    status = fault.fact.lstrip("`").split(maxsplit=1)[0].strip("`")
    new, times = re.subn(form.format(status=re.escape(status)), instead, row)
    return (Edit(Span(fault.span.file, line), 1, (new,)),) if times == 1 else ()


# What of a line is written otherwise, and how.
_MENDS = {
    "duplicate-rule": (r"(?!)", ""),
    "credentials-in-location": (r"(?<=://)[^/@\s\"'<>]+@", ""),
    "unsupported-status": (r"(?<![\w/.:-]){status}(?![\w/.:-])", "307"),
}
