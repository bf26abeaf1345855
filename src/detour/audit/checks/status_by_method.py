"""status-by-method: the program answers GET with one status and other methods with another."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place

_KEPT = {301: 308, 302: 307}  # traefik/traefik: redirect middleware, `statusCode`


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if place.layer.dialect != "traefik" or rule.template is None or rule.status not in _KEPT:
        return
    if rule.terms.methods is not None and "GET" in rule.terms.methods:
        other = _KEPT[rule.status]
        message = f"GET is answered with {rule.status}, every other method with {other}: nobody wrote {other}"
        yield at(CHECK, place, message)


CHECK = Check(
    name="status-by-method",
    severity="note",
    finds="The program chooses the status by method: 302 or 301 for GET, 307 or 308 for all others.",
    why=(
        "A 307 in a log or a trace that no file holds is looked for in vain; what was tried with GET in a "
        "browser tells nothing about POST."
    ),
    instead="Nothing to mend: test with the method that matters.",
    references=("traefik/traefik#1819", "traefik/traefik#4116", "traefik/traefik#7829"),
    over_rule=over_rule,
)
