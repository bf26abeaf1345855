"""overstayed: a temporary rule that is over, or has been temporary for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place

_LONG = 365 * 86_400.0  # seconds


def over_rule(place: Place) -> Iterator[Finding]:
    rule, now = place.rule, place.survey.now
    if rule.template is None:
        return
    if rule.terms.end <= now:
        over = datetime.fromtimestamp(rule.terms.end, UTC).date()
        yield at(CHECK, place, f"it is over since {over}, and still here", remedies.removed(place))
    elif rule.status in (302, 303, 307) and rule.terms.end == inf and now - rule.terms.start > _LONG:
        if rule.terms.start == -inf:
            return
        since = datetime.fromtimestamp(rule.terms.start, UTC).date()
        message = f"temporary since {since}, with no end"
        yield at(CHECK, place, message, remedies.status(place, 308), severity="note")


CHECK = Check(
    name="overstayed",
    severity="warning",
    finds="A temporary rule is over, or has been temporary for more than a year without an end.",
    why=(
        "What is over only hides what is behind it. What has stood for a year is permanent: clients"
        " ask twice each time, and search engines keep the old URL."
    ),
    instead="Take it out, or make it a 308 that says how long it may be cached.",
    references=("RFC 9110 §15.4.8", "RFC 9110 §15.4.9"),
    over_rule=over_rule,
)
