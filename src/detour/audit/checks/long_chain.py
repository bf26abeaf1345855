"""long-chain: more redirects than a request needs."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.url import URL

MOST = 3  # scheme, host and path, each changed by a redirect of its own


def over_chain(chain: Chain) -> Iterator[Finding]:
    if chain.end.name == "loop" or _repeats(chain):
        return  # circles have checks of their own
    number = sum(1 for _ in redirects(chain))
    if number > MOST:
        yield found(
            CHECK, chain, 0, f"{number} redirects from {chain.hops[0].request.url}: {MOST} are plenty"
        )


def _repeats(chain: Chain) -> bool:
    asked = [(hop.request.method, str(hop.request.url)) for hop in chain.hops]
    return len(set(asked)) < len(asked)


def over_rule(place: Place) -> Iterator[Finding]:
    chain = place.journey
    if chain is None or len(chain.hops) <= MOST + 1 or chain.end.name != "arrived":
        return
    number, last = len(chain.hops) - 1, chain.hops[-1].request.url
    message = f"{number} redirects from {chain.hops[0].request.url} to {last}: {MOST} are plenty"
    location = place.location or ""
    words = f"Lead to {last} at once"
    yield at(CHECK, place, message, _at_once(place, location, str(last), words))


def _at_once(place: Place, location: str, last: str, words: str) -> remedies.Remedy:
    """A Location that is written out, replaced by where the chain ends."""
    same = f"{URL.parse(place.urls[0]).origin}/"
    to = last.removeprefix(same[:-1]) if last.startswith(same) else last
    return remedies.replaced(place, location, to, words)


CHECK = Check(
    name="long-chain",
    severity="warning",
    finds=f"A chain has more than {MOST} redirects.",
    why=(
        "Each hop costs a round trip, often a handshake, and sends the content again; each is one more "
        "place to lose the method, and some clients stop at five."
    ),
    instead="Let the first redirect lead to the final URL: change scheme, host and path in one Location.",
    references=("RFC 9110 §15.4", "Fetch §4.4"),
    over_chain=over_chain,
    over_rule=over_rule,
)
