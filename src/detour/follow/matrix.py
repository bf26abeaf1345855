"""One URL asked with every method: method × status × Location, and where they differ.

Servers answer methods differently: Traefik says 302 to GET and 307 to everything else (redirect.go of its
`redirectscheme` middleware), Rails 301 and 307. A chain of one hop a method is enough to see it.
"""

from __future__ import annotations

import msgspec

from detour.core.chain import Chain, Hop, Outgoing
from detour.core.policy import Policy
from detour.core.status import REDIRECT_STATUSES
from detour.follow.consent import Consent
from detour.follow.trace import Octets, one_hop
from detour.net.exchange import Exchange

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})  # where content means something (RFC 9110 §9.3)


def matrix(
    request: Outgoing, content: Octets, methods: tuple[str, ...], policy: Policy, consent: Consent
) -> Exchange[tuple[Chain, ...]]:
    """A chain of one hop for each method; an unsafe one that nobody asked for ends in `needs-consent`."""
    rows = []
    for method in methods:
        rows.append((yield from one_hop(_asked(request, method), content, policy, consent)))
    return tuple(rows)


class Difference(msgspec.Struct, frozen=True):
    """Methods that get another answer than GET: `what` names it."""

    methods: tuple[str, ...]
    what: str


def differences(rows: tuple[Chain, ...]) -> tuple[Difference, ...]:
    """Which methods get another answer than the first that was answered, in a person's words."""
    answered = [row.hops[0] for row in rows if row.hops[0].response is not None]
    if not answered:
        return ()
    first, *others = answered
    by_what: dict[str, list[str]] = {}
    for hop in others:
        what = _difference(first, hop)
        if what:
            by_what.setdefault(what, []).append(hop.request.method)
    return tuple(Difference(tuple(methods), what) for what, methods in by_what.items())


def _difference(first: Hop, hop: Hop) -> str:
    if _redirects(first) != _redirects(hop):
        fact = "is redirected" if _redirects(hop) else "is not redirected"
        return f"{fact} ({_status(hop)}) and {first.request.method} {'is' if _redirects(first) else 'is not'}"
    if not _redirects(hop):
        return ""
    if _status(first) != _status(hop):
        return f"gets {_status(hop)} where {first.request.method} gets {_status(first)}"
    if first.location_url != hop.location_url:
        return f"is led elsewhere: {hop.location_url}"
    return ""


def _asked(request: Outgoing, method: str) -> Outgoing:
    content = request.content if method in _WITH_CONTENT else "none"
    return msgspec.structs.replace(request, method=method, content=content)


def _redirects(hop: Hop) -> bool:
    return hop.response is not None and hop.response.status in REDIRECT_STATUSES


def _status(hop: Hop) -> int:
    return hop.response.status if hop.response else 0
