"""shadowed-rule: an earlier rule answers everything that this one would."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at, said
from detour.audit.shadow import hidden_by
from detour.audit.survey import Place


def over_rule(place: Place) -> Iterator[Finding]:
    found = hidden_by(place)
    if found is None or found.same or place.rule.template is None:
        return
    how = "answers" if found.rule.template is not None else "ends the search for"
    message = f"never reached: {said(found.rule)} {how} all that `{place.rule.pattern}` matches"
    remedy = remedies.ahead(place, found.rule)
    yield at(CHECK, place, message, remedy, confidence="is" if found.exact else "suggests")


CHECK = Check(
    name="shadowed-rule",
    severity="warning",
    finds="An earlier rule answers every request that this rule matches.",
    why="The first match answers, so this rule never does; what it was written for goes somewhere else.",
    instead="Move the special rule ahead of the general one, or take it out.",
    references=("Netlify: rules are processed in order", "Cloudflare Pages: first match"),
    over_rule=over_rule,
)
