"""unreachable-location: nobody answers at the Location."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found
from detour.core.chain import ENDS, Chain

_UNREACHED = ("resolve", "connect", "tls", "timeout")


def over_chain(chain: Chain) -> Iterator[Finding]:
    if chain.end.name not in _UNREACHED or len(chain.hops) < 2 or chain.hops[-1].response is not None:
        return
    there = chain.hops[-1].request.url
    why = chain.end.detail or ENDS[chain.end.name]
    yield found(
        CHECK, chain, len(chain.hops) - 2, f"Location leads to {there.origin}, where nothing answers: {why}"
    )


CHECK = Check(
    name="unreachable-location",
    severity="error",
    finds=(
        "The host of the Location has no address, does not accept connections, or shows no trusted "
        "certificate."
    ),
    why=(
        "The redirect hides an outage: the first server looks healthy, and the request is lost at the "
        "next. Names that resolve only inside of a cluster are the usual cause."
    ),
    instead=(
        "Point the Location to a host that callers can reach, and check it before the redirect is served."
    ),
    references=("RFC 9110 §10.2.2", "big-data-europe/docker-hadoop#144", "spring-projects/spring-vault#184"),
    over_chain=over_chain,
)
