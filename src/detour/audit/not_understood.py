"""What a reader could not express, as findings: a note each, or the check that is about such lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Finding, Severity
from detour.audit.survey import Layers
from detour.errors import Fault

NAME = "not-understood"

# Facts that are findings of a check of their own (words of the readers).
_TOLD: tuple[tuple[re.Pattern[str], str, Severity], ...] = (
    (re.compile("carries user information"), "credentials-in-location", "error"),
    (re.compile(r"^\W?\d+\W? is (?:no|not a)(?: redirect)? status"), "unsupported-status", "error"),
)


def findings(layers: Layers) -> Iterator[Finding]:
    """One for each entry that a layer did not understand."""
    for layer in layers:
        for fault in layer.not_understood:
            yield _finding(fault)


def _finding(fault: Fault) -> Finding:
    told = ((name, severity) for fact, name, severity in _TOLD if fact.search(fault.fact))
    name, severity = next(told, (NAME, "note"))
    message = fault.fact if name != NAME else f"not understood: {fault.fact}"
    return Finding(name, severity, message, fault.remedy, fault.span)
