"""Claims held against live servers: each is an exchange that ends in a result."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

import msgspec

from detour.audit.checks import check_chain
from detour.audit.finding import Finding, Severity, at_least
from detour.audit.plain import is_plain
from detour.audit.report import Result
from detour.core.chain import Chain
from detour.follow.claim import Claim, Unusable, shortfalls
from detour.follow.trace import judge, one_hop, trace
from detour.net.exchange import Exchange, Pause
from detour.net.pool import Pool

# Ends that may be the network's, not the server's: asked again they may be others.
NETWORK_FAULTS = frozenset({"resolve", "connect", "timeout", "protocol"})
_NOTHING_LEFT = frozenset({"resolve", "connect"})  # ends before an octet of the request was sent
_FIRST_PAUSE = 0.5  # seconds before the second attempt; doubled for each further one
_LONGEST_PAUSE = 30.0


class Manner(msgspec.Struct, frozen=True):
    """How claims are judged: further attempts after a network fault, the least severity that fails."""

    retries: int = 2
    fail_on: Severity | None = "error"  # None: none does


class Settled(msgspec.Struct, frozen=True):
    """One claim that is decided. `chain` is None where nothing was asked now."""

    number: int  # its place in the input, from 0
    claim: Claim | Unusable
    result: Result
    chain: Chain | None = None


class Known(Protocol):
    """Results of an earlier run that was interrupted."""

    def find(self, number: int, claim: Claim | Unusable) -> Result | None:
        """The result of this claim at this place, if it is settled."""


class Nothing:
    """No earlier run."""

    def find(self, number: int, claim: Claim | Unusable) -> Result | None:
        """None."""
        return None


def check(
    entries: Iterable[Claim | Unusable], pool: Pool, manner: Manner, known: Known | None = None
) -> Iterator[Settled]:
    """Each claim settled, in the order they finish; entries are taken as there is room for them."""
    earlier = known or Nothing()
    return pool.run(settle(number, one, manner, earlier) for number, one in enumerate(entries))


def settle(number: int, claim: Claim | Unusable, manner: Manner, known: Known) -> Exchange[Settled]:
    """One claim: known already, not to be asked, or asked now."""
    result = known.find(number, claim)
    if result is not None:
        return Settled(number, claim, result)
    if isinstance(claim, Unusable):
        return Settled(number, claim, _of_unusable(claim))
    chain = yield from attempts(claim, manner.retries)
    return Settled(number, claim, result_of(claim, chain, manner.fail_on), chain)


def attempts(claim: Claim, retries: int) -> Exchange[Chain]:
    """The chain of a claim, asked again after a network fault where that cannot do a thing twice."""
    ask = trace if claim.follows else one_hop
    for attempt in range(retries + 1):
        chain = yield from ask(claim.request, claim.content, claim.policy, claim.consent)
        if attempt == retries or not may_ask_again(claim, chain):
            return chain
        yield from _wait(min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))
    raise AssertionError("the last attempt returns")


def may_ask_again(claim: Claim, chain: Chain) -> bool:
    """Whether a chain ended in a network fault, and asking again repeats nothing unsafe (RFC 9110 §9.2.2)."""
    if chain.end.name not in NETWORK_FAULTS or chain.hops[-1].response is not None:
        return False
    return claim.request.safe or (len(chain.hops) == 1 and chain.end.name in _NOTHING_LEFT)


def _wait(seconds: float) -> Generator[Pause, object, None]:
    yield Pause(seconds)


def result_of(claim: Claim, chain: Chain, fail_on: Severity | None) -> Result:
    """What became of a claim."""
    seconds = sum(hop.response.timings.total for hop in chain.hops if hop.response)
    if chain.end.name == "needs-consent" and chain.hops[0].response is None:
        return Result(claim.name, "skipped", (), claim.span, 0.0, f"not asked: {chain.end.detail}")
    missing = shortfalls(chain, claim.expected)
    findings = _findings(claim, chain, bool(missing), "note" if fail_on == "note" else "warning")
    if missing or (fail_on is not None and at_least(fail_on, findings)):
        return Result(claim.name, "failed", findings, claim.span, seconds, "\n".join(missing), way(chain))
    return Result(claim.name, "passed", findings, claim.span, seconds)


def _findings(claim: Claim, chain: Chain, failed: bool, least: Severity) -> tuple[Finding, ...]:
    """What is wrong with a chain, and where something is, who is the cause.

    A note on a chain that is as claimed is noise in a list, and who emitted each hop costs more than to ask.
    """
    if len(chain.hops) == 1 and chain.end.name == "arrived":
        return ()  # no redirect: nothing to judge
    if not failed and least != "note" and is_plain(chain):
        return ()
    if failed or at_least(least, check_chain(chain)):
        return tuple(one for one in judge(chain).findings if one.check not in claim.allow)
    return ()


def way(chain: Chain) -> str:
    """A chain in one line: `POST http://a/ → 307 http://b/ → 200`."""
    request = chain.hops[0].request
    steps = [f"{request.method} {request.url}"]
    for hop in chain.hops:
        status = "no answer" if hop.response is None else str(hop.response.status)
        steps.append(f"{status} {hop.location_url}" if hop.location_url else status)
    return " → ".join(steps)


def _of_unusable(entry: Unusable) -> Result:
    return Result(entry.name, "skipped" if entry.skipped else "failed", (), entry.span, 0.0, entry.reason)
