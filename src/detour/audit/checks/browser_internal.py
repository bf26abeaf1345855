"""browser-internal: a redirect that no server sent."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found
from detour.core.chain import Chain, Response


def over_chain(chain: Chain) -> Iterator[Finding]:
    for place, hop in enumerate(chain.hops):
        reason = made_up(hop.response) if hop.response is not None else ""
        if reason:
            yield found(CHECK, chain, place, f"this 307 was made by the browser itself ({reason})")


def made_up(response: Response) -> str:
    """Why the browser made this response; "" for one of a server."""
    if response.status != 307:
        return ""
    told = response.first("non-authoritative-reason")
    if told is not None:
        return told or "no reason given"
    # A real server could write the phrase, but it would add a Date or a Server field.
    real = response.values("date") or response.values("server")
    return response.reason if response.reason.lower() == "internal redirect" and not real else ""


CHECK = Check(
    name="browser-internal",
    severity="note",
    finds="A 307 Internal Redirect of the browser: HSTS or an upgrade to https, without a request.",
    why=(
        "Developer tools show it like an answer of the server, and people search their load balancer for "
        "it. Nothing was sent: other clients still make the request over http and need a real redirect."
    ),
    instead=(
        "Nothing to mend here: look at what the server answers to a client without HSTS, such as `detour "
        "trace`."
    ),
    references=("RFC 6797 §8.3", "Fetch §4.1"),
    over_chain=over_chain,
)
