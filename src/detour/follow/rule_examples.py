"""The `expect` examples of a rule file, as claims about a live server that is meant to follow these rules.

What a live server must answer is what the rule set decides for the URL that is asked. An example is asked at
the origin; where its rule answers for its own host only, that host is asked for, connected to the origin.
"""

from __future__ import annotations

import msgspec

from detour.core.chain import Fields, Outgoing
from detour.core.decision import Decision
from detour.core.example import failure
from detour.core.location import resolve
from detour.core.matcher import RuleSet
from detour.core.message import Request
from detour.core.rule import Example
from detour.core.url import URL
from detour.follow.claim import Claim, Expected, Unusable
from detour.follow.consent import Consent


class Live(msgspec.Struct, frozen=True):
    """The server that is asked, when, and with which fields besides those of the examples."""

    origin: URL
    now: float  # seconds since the epoch
    fields: Fields = ()
    send: bool = False


def example_claim(ruleset: RuleSet, example: Example, live: Live) -> Claim | Unusable:
    """The claim that an example is at a live server, or why it cannot be asked there."""
    name = f"{example.rule}: {example.method} {example.url}"
    fact = failure(ruleset, example, live.now)
    if fact is not None:
        return Unusable(name, f"the rules themselves say otherwise: {fact}", example.span)
    if example.client or example.at is not None:
        what = "a client's address" if example.client else "a time"
        return Unusable(name, f"needs {what}, which nobody can choose over the network", example.span, True)
    for url in _places(example.url, live.origin):
        decision = _decision(ruleset, example, url, live.now)
        if decision is not None:
            return _claim(name, example, url, decision, live)
    return Unusable(name, f"does not hold at {live.origin.origin}, or not now", example.span, True)


def connections(origin: URL, claims: list[Claim]) -> tuple[str, ...]:
    """What a transport must be told so that each host is connected to the origin: HOST:PORT:HOST:PORT."""
    there = f"{origin.hostname}:{origin.port_or_default}"
    hosts = {f"{claim.request.url.hostname}:{claim.request.url.port_or_default}" for claim in claims}
    return tuple(f"{host}:{there}" for host in sorted(hosts - {there}))


def _places(text: str, origin: URL) -> tuple[URL, URL]:
    """An example's URL at the origin, and with its own host (connected to the origin)."""
    url = msgspec.structs.replace(URL.parse(text), scheme=origin.scheme, fragment=None)
    at_origin = msgspec.structs.replace(url, hostname=origin.hostname, port=origin.port)
    return at_origin, url


def _decision(ruleset: RuleSet, example: Example, url: URL, now: float) -> Decision | None:
    """What the rules say there, if it is the example's own rule that says it to everybody."""
    decision = ruleset.decide(Request.of(example.method, url, example.headers), now)
    if example.answers and (decision.rule is None or decision.rule.series != example.rule):
        return None
    return None if "client" in decision.depends else decision


def _claim(name: str, example: Example, url: URL, decision: Decision, live: Live) -> Claim:
    written = {field.lower() for field, _ in example.headers}
    fields = (*(field for field in live.fields if field[0].lower() not in written), *example.headers)
    location = None if decision.location is None else resolve(decision.location, url)
    return Claim(
        name=name,
        request=Outgoing(example.method, url, fields),
        expected=Expected(status=(decision.status,), location=location),
        consent=Consent(send=live.send),
        span=example.span,
        first_only=True,
    )
