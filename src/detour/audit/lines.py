"""What several checks say about a rule in the words of its file: findings, and lines to write instead."""

from __future__ import annotations

import re
from typing import Literal

from detour.audit.finding import Check, Finding, Severity
from detour.audit.survey import Place
from detour.core.rule import Rule

# Words that some dialects have for a status: nginx `rewrite`, Apache `Redirect`.
_WORDS = {301: ("permanent",), 302: ("redirect", "temp"), 303: ("seeother",)}


def at(
    check: Check,
    place: Place,
    message: str,
    remedy: str = "",
    *,
    severity: Severity | None = None,
    witness: str = "",
    confidence: Literal["is", "suggests"] = "is",
) -> Finding:
    """A finding at the line of a rule, with a request that shows it."""
    return check.finding(
        message,
        remedy,
        severity=severity,
        span=place.rule.span,
        witness=witness or place.witness,
        confidence=confidence,
    )


def instead(place: Place, old: str, new: str, words: str) -> str:
    """`words`, and the line of the rule with `old` replaced where the line holds it."""
    written = place.text
    return f"{words}:\n  {written.replace(old, new, 1)}" if old and old in written else f"{words}."


def with_status(place: Place, status: int) -> str:
    """The line of the rule with another status, or how to say it where no line of it holds one."""
    words = f"Answer {status} instead of {place.rule.status}"
    old = str(place.rule.status)
    written = place.text
    found = list(re.finditer(rf"(?<![\w/.-]){old}(?![\w/.-])", written))
    if found:
        one = found[-1] if place.layer.dialect != "nginx" else found[0]
        return f"{words}:\n  {written[: one.start()]}{status}{written[one.end() :]}"
    for word in _WORDS.get(place.rule.status, ()):
        if re.search(rf"\b{word}\b", written) and place.layer.dialect == "apache":
            return f"{words}:\n  " + re.sub(rf"\b{word}\b", str(status), written, count=1)
    added = {"netlify", "cloudflare-pages", "ipfs"}
    if place.layer.dialect in added and written and len(written.split()) == 2:
        return f"{words}:\n  {written} {status}"
    if place.layer.dialect == "csv" and written.count(",") == 1:
        return f"{words}:\n  {written},{status}"
    if place.layer.dialect == "native":
        return f"{words}; in the rule {place.rule.name}:\n  status = {status}"
    return f"{words}."


def removed(place: Place) -> str:
    """The line to take out."""
    written = place.text
    return f"Take the line out:\n  {written}" if written else f"Take it out of {place.rule.span}."


def said(rule: Rule) -> str:
    """A rule in a message: its pattern and where it stands."""
    return f"`{rule.pattern}` ({rule.span})"
