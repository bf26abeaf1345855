"""One chain, hop by hop: what a policy makes of each answer, sent by whoever runs the exchange."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from detour.audit.checks import check_chain
from detour.audit.finding import SEVERITIES, Finding
from detour.core.chain import Chain, End, Hop, Outgoing, Response
from detour.core.follower import Follower
from detour.core.policy import Policy
from detour.core.status import REDIRECT_STATUSES
from detour.follow.consent import Consent
from detour.follow.diagnosis import diagnose
from detour.follow.fingerprint import Guess
from detour.follow.fingerprints import emitters
from detour.net.ends import Failed
from detour.net.exchange import Exchange, Sending

Octets = bytes | BinaryIO | None


def trace(request: Outgoing, content: Octets, policy: Policy, consent: Consent) -> Exchange[Chain]:
    """Send `request`, then what `policy` makes of each answer, to the chain's end; nothing unsafe unasked.

    The last hop has no response when nobody answered, or when not even the first request may be sent.
    """
    follower, hops, before = Follower(request, policy), list[Hop](), ""
    while True:
        request = follower.request
        refused = consent.refusal(request)
        if refused:
            return Chain(policy.name, tuple(hops) or (Hop(request),), refused)
        answer = yield Sending(request, None if request.content == "none" else content, before)
        if not isinstance(answer, Response):
            hop, end = _unanswered(follower, answer or End("protocol", "no answer"))
            return Chain(policy.name, (*hops, hop), end)
        came = follower.receive(answer.status, answer.locations, bool(answer.values("set-cookie")))
        if isinstance(came, End):
            return Chain(policy.name, (*hops, _answered(follower, answer)), came)
        hops.append(Hop(request, answer, came.request.url))
        follower, before = _named_anew(came.follower), answer.remote


def _named_anew(follower: Follower) -> Follower:
    """A Host that was written is for the first authority; another one is called by its own name."""
    here, first = follower.request.url, follower.first.url
    if (here.hostname, here.port) == (first.hostname, first.port):
        return follower
    others = tuple(field for field in follower.request.fields if field[0].lower() != "host")
    return msgspec.structs.replace(follower, request=msgspec.structs.replace(follower.request, fields=others))


def one_hop(request: Outgoing, content: Octets, policy: Policy, consent: Consent) -> Exchange[Chain]:
    """Send `request` and follow nothing; a redirect ends in `not-followed`."""
    follower = Follower(request, policy)
    refused = consent.refusal(request)
    if refused:
        return Chain(policy.name, (Hop(request),), refused)
    answer = yield Sending(request, None if request.content == "none" else content)
    if not isinstance(answer, Response):
        hop, end = _unanswered(follower, answer or End("protocol", "no answer"))
        return Chain(policy.name, (hop,), end)
    hop, redirects = _answered(follower, answer), answer.status in REDIRECT_STATUSES
    return Chain(
        policy.name,
        (hop,),
        End("not-followed", "only this answer was asked for") if redirects else End("arrived"),
    )


def _answered(follower: Follower, response: Response) -> Hop:
    """A Location leads somewhere only in a redirect; that of a 201 names what was made."""
    redirects = response.status in follower.policy.statuses
    return Hop(follower.request, response, follower.location_url(response.locations) if redirects else None)


def _unanswered(follower: Follower, end: End) -> tuple[Hop, End]:
    """A hop without an answer; what libcurl would not show stands in for it where it could be read."""
    seen = end.evidence if isinstance(end, Failed) else None
    if seen is None or not seen.status:
        return Hop(follower.request), End(end.name, end.detail)
    if len(set(seen.locations)) > 1:  # libcurl says no more than that the head is malformed
        return Hop(follower.request, seen), End("many-locations", f"{len(seen.locations)} Location fields")
    return Hop(follower.request, seen), End(end.name, end.detail)


class Judged(msgspec.Struct, frozen=True):
    """A chain with what can be said about it: who emitted each hop, and what is wrong."""

    chain: Chain
    guesses: tuple[tuple[Guess, ...], ...]  # one for each hop, best first
    findings: tuple[Finding, ...]  # worst first, then by hop


def judge(chain: Chain) -> Judged:
    """Who emitted each hop (fingerprints), and the findings of every check and of the diagnosis."""
    guesses = tuple(emitters(hop) for hop in chain.hops)
    found = [*diagnose(chain, guesses), *check_chain(chain)]
    return Judged(chain, guesses, tuple(sorted(dict.fromkeys(found), key=_rank)))


def _rank(finding: Finding) -> tuple[int, int]:
    return -SEVERITIES.index(finding.severity), finding.hop
