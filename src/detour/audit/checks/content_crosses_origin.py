"""content-crosses-origin: what was meant for one origin is sent to another."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import Redirect, crosses_origin, found, next_method, redirects
from detour.core.chain import Chain


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        before, after = redirect.request.url, redirect.location_url
        if not crosses_origin(before, after) or redirect.request.content == "none":
            continue
        if redirect.after is not None and redirect.after.content != "none":
            yield found(CHECK, chain, redirect.hop, f"content for {before.origin} was sent to {after.origin}")
        elif _would_be_sent(chain, redirect):
            message = f"content for {before.origin} would be sent to {after.origin} by clients that follow"
            yield found(CHECK, chain, redirect.hop, message)


def _would_be_sent(chain: Chain, redirect: Redirect) -> bool:
    """307 and 308 keep the content; so do 301 and 302 of all but POST (Fetch §4.4 step 12)."""
    keeps = redirect.response.status != 303 and next_method(redirect) == redirect.request.method
    return redirect.after is None and keeps and chain.end.name != "not-replayable"


CHECK = Check(
    name="content-crosses-origin",
    severity="warning",
    finds="A redirect that keeps the content leads to another origin, which then receives it.",
    why=(
        "307 and 308 make clients send the content again to wherever Location points. No client asks "
        "first, and none looks for passwords or tokens in it: whoever owns the other origin can read "
        "them."
    ),
    instead=(
        "Redirect within the origin and forward on the server's side, or answer 303 where the content has"
        " been dealt with; if the other origin is meant, allow this finding."
    ),
    references=("RFC 9110 §15.4.8", "RFC 9110 §15.4.9", "RFC 9700 §4.12", "Fetch §4.4"),
    over_chain=over_chain,
)
