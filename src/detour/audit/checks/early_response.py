"""early-response: the redirect came while the content was still being sent."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.checks.browser_internal import made_up
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, is_redirect
from detour.core.chain import Chain, Hop


def over_chain(chain: Chain) -> Iterator[Finding]:
    octets = max((_known_octets(hop) for hop in chain.hops), default=0)
    for place, hop in enumerate(chain.hops):
        response = hop.response
        if response is None or not is_redirect(response) or not _uploads(hop) or response.sent >= octets:
            continue
        if made_up(response):
            continue  # the browser's own: nothing was to be sent
        message = f"{response.status} came after {response.sent} of {octets} octets of content had been sent"
        yield found(CHECK, chain, place, message)


def _uploads(hop: Hop) -> bool:
    # Whoever sent Expect waited, and a redirect instead of 100 is the answer it hoped for (RFC 9110 §10.1.1).
    return hop.request.content != "none" and not hop.request.values("expect")


def _known_octets(hop: Hop) -> int:
    """How long the content is at least: what its request announced, or what had left when an answer came."""
    if hop.request.content == "none":
        return 0
    told = hop.request.values("content-length")
    announced = (
        int(told[0]) if told and told[0].isascii() and told[0].isdecimal() and len(told[0]) < 20 else 0
    )
    return max(announced, hop.response.sent if hop.response else 0)


CHECK = Check(
    name="early-response",
    severity="warning",
    finds="A redirect was sent before the request's content had been read.",
    why=(
        "If the server then closes, the kernel resets the connection and the client may lose the redirect"
        " that it has not read yet: an upload fails with ECONNRESET or a broken pipe, now and then and "
        "only over real networks."
    ),
    instead=(
        "Answer early only with `Connection: close`, stop writing, and read on until the client closes (a"
        " lingering close: `lingering_close always;` in nginx); or read short contents before the answer."
    ),
    references=("RFC 9112 §9.6", "hyperium/hyper#2384", "dotnet/runtime#89549", "freshframework/fresh#2998"),
    over_chain=over_chain,
)
