"""no-location: a redirect status that does not say where to."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, is_redirect
from detour.core.chain import Chain, Hop


def over_chain(chain: Chain) -> Iterator[Finding]:
    for place, hop in enumerate(chain.hops):
        response = hop.response
        if response is None or not is_redirect(response) or response.locations or _resumes(hop):
            continue
        yield found(CHECK, chain, place, f"{response.status} without Location: there is nowhere to go")


def _resumes(hop: Hop) -> bool:
    """Whether this is the 308 of resumable uploads, "Resume Incomplete": go on sending, to the same URL."""
    if hop.response is None or hop.response.status != 308:
        return False
    google = hop.response.values("x-guploader-uploadid")
    return bool(google or (hop.response.values("range") and hop.request.values("content-range")))


CHECK = Check(
    name="no-location",
    severity="error",
    finds="A 301, 302, 303, 307 or 308 has no Location field.",
    why=(
        "Clients differ: some hand the response back as if it were an answer, some raise an error, some "
        "show a blank page."
    ),
    instead="Send a Location, or a status that is no redirect (200, 204, 404, 410).",
    references=("RFC 9110 §15.4", "RFC 9110 §10.2.2", "golang/go#17773"),
    over_chain=over_chain,
)
