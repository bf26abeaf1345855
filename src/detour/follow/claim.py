"""A claim: a request, and what is said to come of it. Contracts hold claims, and so do lists of URLs."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detour.core.chain import Chain, Outgoing
from detour.core.policy import FETCH, Policy
from detour.core.url import URL, normalize
from detour.errors import Span
from detour.follow.consent import NOTHING_UNSAFE, Consent

_FIRST_FAILURE = 400  # RFC 9110 §15: from here on, a status says that the request failed


class Expected(msgspec.Struct, frozen=True):
    """What is claimed; what is empty is not claimed. Nothing at all: the chain ends below 400."""

    status: tuple[int, ...] = ()  # of the first answer: one of these
    location: URL | None = None  # of the first answer, resolved
    chain: tuple[URL, ...] | None = None  # every URL that is redirected to, in order
    end: URL | None = None  # where the chain arrives
    end_status: tuple[int, ...] = ()  # of the last answer; default: below 400 where the end is claimed
    through: URL | None = None  # a URL that the chain comes to, or arrives at

    @property
    def beyond_first(self) -> bool:
        """Whether more than the first answer has to be seen."""
        further = self.chain is not None or self.end or self.end_status or self.through
        return bool(further) or not (self.status or self.location)


class Claim(msgspec.Struct, frozen=True):
    """A request with its content, what is expected of it, and what was asked for by writing it."""

    name: str
    request: Outgoing
    expected: Expected = Expected()
    content: bytes | None = None
    consent: Consent = NOTHING_UNSAFE
    policy: Policy = FETCH
    span: Span | None = None
    allow: frozenset[str] = frozenset()  # names of checks whose findings are accepted
    first_only: bool = False  # ask once, follow nothing

    @property
    def follows(self) -> bool:
        """Whether redirects are followed: a safe request's are, an unsafe one's where a claim needs it."""
        return not self.first_only and (self.request.safe or self.expected.beyond_first)


class Unusable(msgspec.Struct, frozen=True):
    """Something in a list that cannot be asked: what it is, why, and what to write instead."""

    name: str
    reason: str
    span: Span | None = None
    skipped: bool = False  # not a fault: it cannot be asked here


def shortfalls(chain: Chain, expected: Expected) -> tuple[str, ...]:
    """What is not as claimed, one line each; empty when the claim holds."""
    if chain.hops[0].response is None:
        return (f"{chain.end.name}: {chain.end.detail}",)
    return (*_of_first(chain, expected), *_of_chain(chain, expected), *_of_end(chain, expected))


def _of_first(chain: Chain, expected: Expected) -> Iterator[str]:
    hop = chain.hops[0]
    status = hop.response.status if hop.response else 0
    if expected.status and status not in expected.status:
        yield f"status {status}, expected {_statuses(expected.status)}"
    if expected.location and not same(hop.location_url, expected.location):
        yield f"Location {hop.location_url or 'none'}, expected {expected.location}"


def _of_chain(chain: Chain, expected: Expected) -> Iterator[str]:
    came = [hop.location_url for hop in chain.hops if hop.location_url]
    if expected.chain is not None and not _all_same(came, expected.chain):
        yield f"chain {_listed(came)}, expected {_listed(expected.chain)}"
    through = expected.through
    if through and not any(same(url, through) for url in (*came, chain.hops[-1].request.url)):
        yield f"does not come to {through}: it goes to {_listed(came)}"


def _of_end(chain: Chain, expected: Expected) -> Iterator[str]:
    if not expected.beyond_first:
        return
    last, end = chain.hops[-1], chain.end
    if last.response is None or end.name != "arrived":
        yield f"ends with {end.name}" + (f": {end.detail}" if end.detail else "")
        return
    if expected.end and not same(last.request.url, expected.end):
        yield f"ends at {last.request.url}, expected {expected.end}"
    status = last.response.status
    if expected.end_status:
        if status not in expected.end_status:
            yield f"ends with status {status}, expected {_statuses(expected.end_status)}"
    elif status >= _FIRST_FAILURE and status not in (expected.status if len(chain.hops) == 1 else ()):
        yield f"ends with status {status}"


def same(came: URL | None, expected: URL) -> bool:
    """Whether two URLs are one (RFC 3986 §6.2.2); a fragment counts where one is expected."""
    if came is None:
        return False
    if expected.fragment is None and came.fragment is not None:
        came = msgspec.structs.replace(came, fragment=None)
    return came == expected or normalize(str(came)) == normalize(str(expected))


def _all_same(came: list[URL], expected: tuple[URL, ...]) -> bool:
    return len(came) == len(expected) and all(map(same, came, expected))


def _listed(urls: tuple[URL, ...] | list[URL]) -> str:
    return " → ".join(map(str, urls)) or "nowhere"


def _statuses(statuses: tuple[int, ...]) -> str:
    return " or ".join(map(str, statuses))
