"""port-leak: Location names a port that only the inside knows."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.core.chain import Chain


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        before, after = redirect.request.url, redirect.location_url
        if before.hostname == after.hostname and not before.port and after.port:
            message = f"asked without a port, the server redirects to {after.scheme} on port {after.port}"
            yield found(CHECK, chain, redirect.hop, message)


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
)
