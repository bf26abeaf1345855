"""method-loss: a redirect that turns the method into another one, and drops the content with it."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, next_method, redirects
from detour.core.chain import Chain

# What says the same for as long, and keeps the method (RFC 9110 §15.4.8, §15.4.9).
_KEEPING = {301: 308, 302: 307}


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        status, before, after = redirect.response.status, redirect.request, next_method(redirect)
        if status not in _KEEPING or after == before.method or before.method in ("GET", "HEAD"):
            continue
        became = f"{before.method} {before.url} becomes {after} on {status}"
        lost = ", and its content is dropped" if before.content != "none" else ""
        remedy = (
            f"Answer {_KEEPING[status]} where {status} is, so that {before.method} arrives; "
            "or 303, if the request has been carried out already."
        )
        yield found(CHECK, chain, redirect.hop, became + lost, remedy)


CHECK = Check(
    name="method-loss",
    severity="warning",
    finds="A 301 or 302 turns another method into GET, and the content is lost.",
    why=(
        "The client reports success: the GET that took the request's place was answered. What was to be "
        "stored, paid or deleted was not, and nothing says so."
    ),
    instead="Answer 308 instead of 301 and 307 instead of 302; or 303, if the request has been carried out.",
    references=("RFC 9110 §15.4.2", "RFC 9110 §15.4.3", "Fetch §4.4 step 12"),
    over_chain=over_chain,
)
