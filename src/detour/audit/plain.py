"""Chains in which there is nothing to find: told by a look at each hop, where the checks take many.

Most chains of a long list are a few redirects of a GET within one origin. A property test holds this against
every check, so that nothing is called plain that a check has something to say about.
"""

from __future__ import annotations

from functools import lru_cache

from detour.audit.checks import long_chain, open_location
from detour.core.chain import Chain, Fields, Hop
from detour.core.status import REDIRECT_STATUSES

_TELLING = frozenset({"authorization", "content-type"})  # fields that checks look at within one origin
_MOST_HOPS = long_chain.MOST + 1


def is_plain(chain: Chain) -> bool:
    """Whether no check finds more than a note here; `False` says nothing."""
    hops = chain.hops
    if chain.end.name != "arrived" or len(hops) > _MOST_HOPS:
        return False
    return all(map(_is_plain_redirect, hops[:-1])) and _is_plain_answer(hops[-1])


def _is_plain_redirect(hop: Hop) -> bool:
    """Asked for without content, and led to another URL of the same origin."""
    request, response, after = hop.request, hop.response, hop.location_url
    if response is None or after is None or response.status not in REDIRECT_STATUSES:
        return False
    before = request.url
    return (
        request.content == "none"
        and request.method in ("GET", "HEAD")
        and before.hostname == after.hostname != open_location.CANARY
        and before.scheme == after.scheme
        and before.port == after.port
        and (before.path != after.path or before.query != after.query)
        and not response.interim
        and not _says_much(request.fields)
        and _leads_on(response.fields)
    )


def _is_plain_answer(hop: Hop) -> bool:
    request, response = hop.request, hop.response
    arrived = response is not None and response.status not in REDIRECT_STATUSES
    return arrived and request.content == "none" and not _says_much(request.fields)


@lru_cache(maxsize=64)  # the requests of a list carry the same fields
def _says_much(fields: Fields) -> bool:
    return any(name.lower() in _TELLING for name, _ in fields)


def _leads_on(fields: Fields) -> bool:
    """A Location, and no cookie: one that is set can open a circle."""
    names = [name.lower() for name, _ in fields]
    return "location" in names and "set-cookie" not in names
