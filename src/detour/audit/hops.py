"""What several checks ask about the hops of a chain, so that each asks it in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.audit.finding import Check, Finding, Severity
from detour.core.chain import Chain, Hop, Outgoing, Response
from detour.core.location import resolve
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL


class Redirect(msgspec.Struct, frozen=True):
    """A hop that was told to go elsewhere, whether or not anybody went."""

    hop: int  # its place in the chain, from 0
    request: Outgoing
    response: Response
    location_url: URL
    after: Outgoing | None  # the request that followed, if one did


def redirects(chain: Chain) -> Iterator[Redirect]:
    """Each hop with a redirect status and a Location that is an http(s) URL."""
    afters = (*(hop.request for hop in chain.hops[1:]), None)
    for place, (hop, after) in enumerate(zip(chain.hops, afters, strict=False)):
        location_url = location_of(hop)
        if hop.response is not None and location_url is not None and is_redirect(hop.response):
            yield Redirect(place, hop.request, hop.response, location_url, after)


def is_redirect(response: Response) -> bool:
    """Whether the status is one of the five redirect statuses."""
    return response.status in REDIRECT_STATUSES


def location_of(hop: Hop) -> URL | None:
    """What the policy made of Location; where it made nothing, what the first one resolves to."""
    if hop.location_url is not None or hop.response is None or not hop.response.locations:
        return hop.location_url
    # Fields are decoded octet by octet.
    return resolve(hop.response.locations[0].encode("latin-1", "replace"), hop.request.url)


def crosses_origin(before: URL, after: URL) -> bool:
    """Whether the origin changes; http to https of one host on default ports is no stranger."""
    if before.origin == after.origin:
        return False
    upgrade = (before.scheme, after.scheme) == ("http", "https")
    return not (upgrade and before.hostname == after.hostname and not before.port and not after.port)


def same_resource(before: URL, after: URL) -> bool:
    """Whether both are the same URL, fragments aside."""
    return (before.origin, before.request_target) == (after.origin, after.request_target)


def next_method(redirect: Redirect) -> str:
    """The method that followed; where nothing did, the one that Fetch would send (§4.4 step 12)."""
    if redirect.after is not None:
        return redirect.after.method
    method, status = redirect.request.method, redirect.response.status
    to_get = (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD"))
    return "GET" if to_get else method


def found(
    check: Check,
    chain: Chain,
    hop: int,
    message: str,
    remedy: str = "",
    severity: Severity | None = None,
    confidence: Literal["is", "suggests"] = "is",
) -> Finding:
    """A finding at one hop of a chain; the witness is the request of that hop."""
    request = chain.hops[hop].request
    url = str(request.url)
    return check.finding(
        message,
        remedy,
        severity=severity,
        url=url,
        hop=hop,
        witness=f"{request.method} {url}",
        confidence=confidence,
    )
