"""permanent-without-cache: a permanent redirect that states no lifetime."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if rule.status not in (301, 308) or rule.template is None or rule.terms.cache is not None:
        return
    if place.number and any(_without(place, number) for number in (place.number - 1,)):
        return  # told once for each run of such lines
    cached = (name.lower() == "cache-control" for name, _ in rule.terms.headers)
    if not any(cached):
        message = f"{rule.status} without a cache lifetime: browsers may keep it for ever"
        yield at(CHECK, place, message, _remedy(place))


def _without(place: Place, number: int) -> bool:
    rule = place.layer.ruleset.rules[number]
    return rule.status in (301, 308) and rule.template is not None and rule.terms.cache is None


def _remedy(place: Place) -> remedies.Remedy:
    temporary = {301: 302, 308: 307}[place.rule.status]
    return remedies.status(place, temporary, f"Answer {temporary} until it is certain")


CHECK = Check(
    name="permanent-without-cache",
    severity="note",
    finds="A 301 or 308 states no cache lifetime.",
    why=(
        "Heuristic freshness lets browsers keep it until their cache is cleared: a mistake in it "
        "cannot be taken back."
    ),
    instead="Send Cache-Control with it (`max-age=3600` at first), or answer 307 until it is certain.",
    references=("RFC 9111 §4.2.2", "RFC 9110 §15.4.2"),
    over_rule=over_rule,
)
