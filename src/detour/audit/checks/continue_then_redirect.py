"""continue-then-redirect: the server asked for the content, and then sent the client elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, is_redirect
from detour.core.chain import Chain


def over_chain(chain: Chain) -> Iterator[Finding]:
    for place, hop in enumerate(chain.hops):
        if hop.response is not None and is_redirect(hop.response) and 100 in hop.response.interim:
            message = f"100 Continue, and then {hop.response.status}: the content was asked for in vain"
            yield found(CHECK, chain, place, message)


CHECK = Check(
    name="continue-then-redirect",
    severity="warning",
    finds="100 Continue was followed by a redirect.",
    why=(
        "The client sends all of its content to a server that has no use for it and then again to the "
        "Location. Expect: 100-continue is there to prevent exactly this, and a client that cannot rewind"
        " fails."
    ),
    instead="Decide on the head of the request alone, and send the redirect instead of 100 Continue.",
    references=("RFC 9110 §10.1.1", "RFC 9110 §15.2.1", "big-data-europe/docker-hadoop#144"),
    over_chain=over_chain,
)
