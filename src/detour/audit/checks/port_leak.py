"""port-leak: Location names a port that only the inside knows."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import edits, remedies
from detour.audit.completed import completed, names_port
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.url import URL


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        before, after = redirect.request.url, redirect.location_url
        if before.hostname == after.hostname and not before.port and after.port:
            message = f"asked without a port, the server redirects to {after.scheme} on port {after.port}"
            yield found(CHECK, chain, redirect.hop, message)


def over_rule(place: Place) -> Iterator[Finding]:
    yield from _completed(place)
    template, to = place.rule.template, place.location_url
    if template is None or not template.authority or to is None or not to.port:
        return
    asked = URL.parse(place.urls[0])
    if asked.hostname == to.hostname and not asked.port:
        message = f"asked without a port, it redirects to {to.scheme} on port {to.port}"
        remedy = remedies.replaced(place, f"{to.hostname}:{to.port}", to.hostname, "Leave the port out")
        implicit = place.rule.span in place.layer.implicit  # what is written can be meant
        yield at(CHECK, place, message, remedy, severity="warning" if implicit else "note")


def _completed(place: Place) -> Iterator[Finding]:
    """A relative Location that nginx completes with its own port, which is not that of the layer in front."""
    to = completed(place) if place.survey.layers.index(place.layer) > 0 and names_port(place) else None
    if to is not None and to.port:
        message = f"nginx makes {to} of the Location: {place.survey.layers[0].name} is asked on another port"
        remedy = remedies.Remedy("Leave the port out", edits.before(place, "port_in_redirect off;"))
        yield at(CHECK, place, message, remedy, confidence="suggests")


CHECK = Check(
    name="port-leak",
    severity="warning",
    finds="A URL without a port is redirected to an explicit port of the same host.",
    why=(
        "The port is often the one that a server behind a proxy listens on: :8080 is closed from the "
        "outside, and even where it is open, another port is another origin, where clients drop "
        "Authorization."
    ),
    instead=(
        "Send a relative Location, or build it from the public authority: `absolute_redirect off;` or "
        "`port_in_redirect off;` in nginx, the forwarded host and port in the application."
    ),
    references=("RFC 9110 §10.2.2", "RFC 6454 §4", "nginx: absolute_redirect, port_in_redirect"),
    over_chain=over_chain,
    over_rule=over_rule,
)
