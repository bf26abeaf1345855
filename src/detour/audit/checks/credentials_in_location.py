"""credentials-in-location: a user and a password in a Location."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place


def over_rule(place: Place) -> Iterator[Finding]:
    if place.rule.template is None or not place.rule.template.chooses_host:
        return  # a reader refuses what is written out
    to = place.location_url
    if to is not None and (to.username or to.password):
        yield at(CHECK, place, "the Location carries a user or a password")


CHECK = Check(
    name="credentials-in-location",
    severity="error",
    finds="A Location carries user information.",
    why=(
        "Everybody who asks can read it; some clients send it as Basic authentication, browsers "
        "drop or refuse it."
    ),
    instead="Leave out everything up to the @.",
    references=("RFC 9110 §4.2.4", "aio-libs/aiohttp: Location with user information"),
    over_rule=over_rule,
)
