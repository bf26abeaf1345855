"""What several checks say about a rule: a finding at its line, and a rule in a message."""

from __future__ import annotations

from typing import Literal

from detour.audit import remedies
from detour.audit.finding import Check, Finding, Severity
from detour.audit.methods import per_method
from detour.audit.remedies import Remedy
from detour.audit.survey import Place
from detour.core.rule import Rule

_NOTHING = Remedy("")


def at(
    check: Check,
    place: Place,
    message: str,
    remedy: Remedy = _NOTHING,
    *,
    severity: Severity | None = None,
    witness: str = "",
    confidence: Literal["is", "suggests"] = "is",
) -> Finding:
    """A finding at the line of a rule, with a request that shows it; one for each method if they differ."""
    shown = witness or place.witness
    return check.finding(
        message,
        remedies.text(remedy, check.name, place.layer.dialect, check.instead),
        severity=severity,
        span=place.rule.span,
        witness=shown,
        confidence=confidence,
        per_method=per_method(place, shown.partition(" ")[2]),
        edits=remedy.edits,
    )


def said(rule: Rule) -> str:
    """A rule in a message: its pattern and where it stands."""
    return f"`{rule.pattern}` ({rule.span})"
