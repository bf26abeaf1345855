"""redirect-loop: a redirect leads back to a request that was sent before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, location_of
from detour.audit.lines import at
from detour.audit.survey import Answer, Place
from detour.core.chain import Chain, Hop
from detour.core.message import Request
from detour.core.url import URL


def over_chain(chain: Chain) -> Iterator[Finding]:
    if chain.end.name == "arrived":
        return  # a cookie on the way can open a circle: that is challenge-loop
    first, last = _circle(chain)
    if last - first < 2:
        return  # none, or self-redirect
    round_trip = " → ".join(f"{hop.request.method} {hop.request.url}" for hop in chain.hops[first:last])
    yield found(CHECK, chain, first, f"the chain goes round: {round_trip} → and again")


def _circle(chain: Chain) -> tuple[int, int]:
    """The first and, not included, last hop of the first circle; (0, 0) if there is none."""
    seen: dict[tuple[str, str], int] = {}
    for place, hop in enumerate(chain.hops):
        here = (hop.request.method, _key(hop.request.url))
        if here in seen:
            return seen[here], place
        seen[here] = place
    back = location_of(chain.hops[-1]) if chain.hops and chain.end.name == "loop" else None
    # The request that closes the circle was not sent; its method stays, whatever the first one's was.
    method = chain.hops[-1].request.method if chain.hops else ""
    return (seen[method, _key(back)], len(chain.hops)) if back and (method, _key(back)) in seen else (0, 0)


def _key(url: URL) -> str:
    return f"{url.origin}{url.request_target}"


def over_rule(place: Place) -> Iterator[Finding]:
    """A circle is told once, at the rule of it that stands first."""
    chain = place.journey
    if chain is None or chain.end.name not in ("loop", "too-many-hops"):
        return
    first, last = _circle(chain)
    if first != 0 or last < 2 or not _stands_first(place, chain.hops[:last]):
        return
    ways = " → ".join(f"{hop.request.method} {hop.request.url}" for hop in chain.hops[:last])
    yield at(
        CHECK, place, f"goes round{_kind(chain.hops[:last])}: {ways} → and again", remedies.removed(place)
    )


def _kind(hops: Sequence[Hop]) -> str:
    """What alone changes on the way round: the usual quarrels of two layers."""
    urls = [hop.request.url for hop in hops]
    parts: dict[str, set[tuple[str | None, ...]]] = {
        "the slash": {(one.scheme, one.authority, one.path.rstrip("/"), one.query) for one in urls},
        "the scheme": {(one.hostname, one.path, one.query) for one in urls},
        "the host": {(one.scheme, one.path, one.query) for one in urls},
    }
    return next((f" over {name}" for name, found in parts.items() if len(found) == 1), "")


def _stands_first(place: Place, hops: Sequence[Hop]) -> bool:
    mine = (place.survey.layers.index(place.layer), place.number)
    for hop in hops[1:]:
        answer = place.survey.ask(Request.of(hop.request.method, hop.request.url, hop.request.fields))
        if answer is None:
            continue
        layer = place.survey.layers.index(answer.layer)
        if (layer, answer.rule.span.line) < (mine[0], place.rule.span.line) and _tells(place, answer):
            return False
    return True


def _tells(place: Place, answer: Answer) -> bool:
    """Whether the rule that answered tells of a circle itself: its own witness may lead elsewhere."""
    rules = answer.layer.ruleset.rules
    number = next(number for number, rule in enumerate(rules) if rule == answer.rule)
    journey = Place(place.survey, answer.layer, number).journey
    if journey is None or journey.end.name not in ("loop", "too-many-hops"):
        return False
    first, last = _circle(journey)
    return first == 0 and last >= 2


CHECK = Check(
    name="redirect-loop",
    severity="error",
    finds="Two or more redirects lead in a circle.",
    why=(
        "The request never arrives; every client goes round until its limit, and sends its content each "
        "time. Two layers disagree: on the scheme (TLS ends in front of one that forces https), on the "
        "slash, or on the host."
    ),
    instead=(
        "Let one layer decide on scheme, slash and host, and tell the others the truth about the outside "
        "(X-Forwarded-Proto from a trusted proxy); `detour trace` names who emitted each redirect."
    ),
    references=("RFC 9110 §15.4", "kubernetes/ingress-nginx#1957", "traefik/traefik#3693", "golang/go#70832"),
    over_chain=over_chain,
    over_rule=over_rule,
)
