"""duplicate-rule: the same pattern under the same conditions twice."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.shadow import hidden_by
from detour.audit.survey import Place


def over_rule(place: Place) -> Iterator[Finding]:
    found = hidden_by(place)
    if found is None or not found.same or place.rule.template is None:
        return  # a pass that ends the rules of a host is no mistake
    rule, first = place.rule, found.rule
    alike = rule.template == first.template and rule.status == first.status
    what = "and says the same" if alike else "and leads elsewhere, which nobody sees"
    yield at(
        CHECK, place, f"`{rule.pattern}` stands at {first.span} already, {what}", remedies.removed(place)
    )


CHECK = Check(
    name="duplicate-rule",
    severity="warning",
    finds="Two rules have the same pattern and the same conditions.",
    why=(
        "Only the first answers. Whoever changes the second sees no effect; where the two differ, "
        "one of them is a mistake."
    ),
    instead="Keep one of the two lines.",
    references=("RFC 9110 §15.4",),
    over_rule=over_rule,
)
