"""Findings that a comment allows: `# detour: allow CHECK: reason`, on the line or on the one before.

A comment without a reason allows nothing and is a finding itself; one that allows nothing is a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from detour.audit.finding import Finding
from detour.audit.survey import Layers
from detour.errors import Span
from detour.formats.layer import Layer

WITHOUT_REASON, UNUSED = "allow-without-reason", "unused-allow"


class Allowance(msgspec.Struct, frozen=True):
    """A comment that allows a check at a place."""

    check: str
    reason: str
    span: Span


def allowances(layers: Layers) -> Iterator[Allowance]:
    """Every such comment of the layers."""
    for layer in layers:
        if layer.comment:
            yield from _of_layer(layer)


def _of_layer(layer: Layer) -> Iterator[Allowance]:
    comment = re.compile(re.escape(layer.comment) + r"\s*detour:\s*allow\s+([a-z0-9-]+)\s*(?::\s*(.*))?$")
    for file, text in layer.texts.items():
        if "detour:" not in text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            found = comment.search(line.rstrip()) if "detour:" in line else None
            if found:
                yield Allowance(found[1], (found[2] or "").strip(), Span(file, number))


def filtered(layers: Layers, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings that no comment allows, and what is to be said about the comments."""
    said = tuple(allowances(layers))
    good = {(one.check, one.span.file, one.span.line): one for one in said if one.reason}
    used: set[Span] = set()
    for finding in findings:
        allowed = _allowing(finding, good)
        if allowed is None:
            yield finding
        else:
            used.add(allowed.span)
    for one in said:
        if not one.reason:
            message = f"`allow {one.check}` gives no reason, so it allows nothing"
            remedy = f"Write why: `detour: allow {one.check}: REASON`."
            yield Finding(WITHOUT_REASON, "warning", message, remedy, one.span)
        elif one.span not in used:
            message = f"`allow {one.check}` allows nothing: there is no such finding here"
            yield Finding(UNUSED, "note", message, "Take the comment out.", one.span)


def _allowing(finding: Finding, good: dict[tuple[str, str, int], Allowance]) -> Allowance | None:
    if finding.span is None or not good:
        return None
    lines = (finding.span.line, finding.span.line - 1)
    found = (good.get((finding.check, finding.span.file, line)) for line in lines)
    return next((one for one in found if one is not None), None)
