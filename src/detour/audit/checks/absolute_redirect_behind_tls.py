"""absolute-redirect-behind-tls: http is written into a Location of the host's own."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL


def over_rule(place: Place) -> Iterator[Finding]:
    template = place.rule.template
    if template is None or template.scheme != "http" or place.scheme == "http" or not place.urls:
        return
    if not place.urls[0].startswith("https:"):
        return
    to, asked = place.location_url, URL.parse(place.urls[0])
    if to is not None and to.hostname == asked.hostname and to.path != asked.path:
        message = f"{asked} is redirected to {to}: http is written out, and TLS may end in front of it"
        yield at(CHECK, place, message, remedies.https(place))


CHECK = Check(
    name="absolute-redirect-behind-tls",
    severity="error",
    finds="A Location that stays on the host is absolute and says http.",
    why=(
        "Behind a proxy that ends TLS the visitor is led out of it; the edge sends them back, or "
        "the browser blocks it."
    ),
    instead="Write a relative Location, or https; in nginx, `absolute_redirect off`.",
    references=("nginx: absolute_redirect", "BerriAI/litellm#34845"),
    over_rule=over_rule,
)
