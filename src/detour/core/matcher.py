"""What a request gets: the one decision. The server, `detour match` and `detour test` all ask it.

The first rule, in file order, whose pattern and conditions match, answers; `core.decision` puts
the answer into fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from math import inf

import msgspec

from detour.core.decision import Decision, answer, depends_on, preflight_answer, unanswered
from detour.core.index import Index
from detour.core.message import Request
from detour.core.rule import Condition, FieldCondition, Rule
from detour.core.settings import ListenerSettings, ServerSettings
from detour.core.url import URL, normalize

# Where a client stands in a share: (the rule's name, who asks) -> [0, 1). An argument, so that a
# test or an `expect` can choose.
Chance = Callable[[str, str], float]


def sticky_chance(salt: str, key: str) -> float:
    """The same client, the same answer, on every worker; another rule's share is independent."""
    digest = blake2b(f"{salt}\0{key}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


class Skipped(msgspec.Struct, frozen=True):
    """A rule that might have answered, and why it did not."""

    rule: Rule
    reason: str  # a key of SKIP_REASONS
    detail: str = ""


SKIP_REASONS = {
    "scheme": "the pattern matches, but for another scheme",
    "method": "the rule is for other methods",
    "when": "a condition in `when` does not hold",
    "unless": "a condition in `unless` holds",
    "window": "the rule is not in force at that time",
    "share": "the client is not in the rule's share",
    "location-hosts": "the Location would go to a host that `location_hosts` does not list",
    "self": "the Location is the target URI itself",
    "near-miss": "the pattern almost matches",
}


class _Match(msgspec.Struct):
    """The answering rule, if any, and everything looked at on the way to it."""

    seen: list[Rule]
    skipped: list[Skipped]
    number: int = -1  # of the answering rule
    rule: Rule | None = None
    location: str | None = None


class RuleSet:
    """Rules in file order and the settings beside them: immutable, swapped whole on a reload."""

    def __init__(
        self,
        rules: Iterable[Rule],
        server: ServerSettings = ServerSettings(),  # noqa: B008 (a frozen value)
        listeners: tuple[ListenerSettings, ...] = (),
    ) -> None:
        self.rules = tuple(rules)
        self.server = server
        self.listeners = listeners
        self._index = Index(self.rules)

    def __reduce__(self) -> tuple[type[RuleSet], tuple[object, ...]]:
        return RuleSet, (self.rules, self.server, self.listeners)

    @cached_property
    def series(self) -> tuple[str, ...]:
        """The names hits are counted under, in file order, each once."""
        return tuple(dict.fromkeys(rule.series for rule in self.rules))

    @cached_property
    def looks_at(self) -> frozenset[str]:
        """Every request field, in lower case, that some rule looks at."""
        return frozenset(name for rule in self.rules for name in depends_on(rule)) - {"client"}

    @cached_property
    def _edges(self) -> tuple[float, ...]:
        edges = {edge for rule in self.rules for edge in (rule.start, rule.end)}
        return tuple(sorted(edges - {inf, -inf}))

    def next_edge(self, now: float) -> float | None:
        """The next instant, in seconds since the epoch, at which a window starts or ends."""
        return next((edge for edge in self._edges if edge > now), None)

    def decide(self, request: Request, now: float, chance: Chance = sticky_chance) -> Decision:
        """What `request` gets at `now` (seconds since the epoch)."""
        return self._decide(request, now, chance)[0]

    def explain(
        self, request: Request, now: float, chance: Chance = sticky_chance
    ) -> tuple[Decision, tuple[Skipped, ...]]:
        """The decision, and why earlier rules that match, or nearly match, did not answer."""
        decision, match = self._decide(request, now, chance)
        return decision, (*match.skipped, *self.near_misses(request, match.number))

    def near_misses(self, request: Request, before: int = -1) -> Iterator[Skipped]:
        """Rules that would match a slightly other request, ahead of rule number `before` (-1: all)."""
        told = {number for number, _, _ in self._index.candidates(request)}
        for reason, detail, variant in _variants(request):
            for number, rule, _ in self._index.candidates(variant):
                if number not in told and (before < 0 or number < before):
                    told.add(number)
                    yield Skipped(rule, reason, detail)

    def _decide(self, request: Request, now: float, chance: Chance) -> tuple[Decision, _Match]:
        asked = preflight_method(request)
        if asked is not None:
            request = msgspec.structs.replace(request, method=asked)
        match = self._search(request, now, chance, asked is not None)
        if asked is not None and match.rule is not None and match.rule.template is not None:
            return preflight_answer(match.rule, request, match.seen, now), match
        if match.rule is not None:
            return answer(match.rule, match.location, request, match.seen, now), match
        allow = self._allowed(match, request, now, chance, asked is not None)
        return unanswered(allow, match.seen, now), match

    def _search(self, request: Request, now: float, chance: Chance, preflight: bool) -> _Match:
        match = _Match([], [])
        for number, rule, captures in self._index.candidates(request):
            match.seen.append(rule)
            location = None
            reason = _obstacle(rule, request, now, chance, preflight)
            if reason is None and rule.template is not None:
                location, reason = _location(rule, request, captures)
            if reason is None:
                match.number, match.rule, match.location = number, rule, location
                return match
            match.skipped.append(Skipped(rule, reason, SKIP_REASONS[reason]))
        return match

    def _allowed(
        self, match: _Match, request: Request, now: float, chance: Chance, preflight: bool
    ) -> tuple[str, ...]:
        """The methods that would be redirected, everything else equal (RFC 9110 §15.5.6)."""
        blocked = [skipped.rule for skipped in match.skipped if skipped.reason == "method"]
        asked = {method for rule in blocked for method in rule.methods or ()}
        return tuple(
            method for method in sorted(asked) if self._redirects(method, request, now, chance, preflight)
        )

    def _redirects(self, method: str, request: Request, now: float, chance: Chance, preflight: bool) -> bool:
        other = msgspec.structs.replace(request, method=method)
        found = self._search(other, now, chance, preflight).rule
        return found is not None and found.template is not None


def _variants(request: Request) -> Iterator[tuple[str, str, Request]]:
    """Requests like this one that people confuse with it: (reason, what the rule wants, request)."""
    other = "https" if request.scheme == "http" else "http"
    path = request.path
    slashed = path[:-1] if path.endswith("/") and path != "/" else f"{path}/"
    changes = (
        ("scheme", f"it matches {other}, not {request.scheme}", {"scheme": other}),
        ("near-miss", f"it matches {slashed}, not {path}", {"path": slashed}),
        ("near-miss", f"it matches {path.lower()}; case counts", {"path": path.lower()}),
        ("near-miss", f"it matches the default port, not {request.port}", {"port": ""}),
        ("near-miss", "it matches without the query", {"query": ""}),
    )
    for reason, detail, change in changes:
        yield reason, detail, msgspec.structs.replace(request, **change)


def preflight_method(request: Request) -> str | None:
    """The method a CORS preflight asks for (Fetch, CORS-preflight request); None for other requests."""
    if request.method != "OPTIONS" or request.first("origin") is None:
        return None
    return request.first("access-control-request-method")


def _obstacle(rule: Rule, request: Request, now: float, chance: Chance, preflight: bool) -> str | None:
    if not rule.alive(now):
        return "window"
    if rule.when and not all(_holds(c, request, preflight, True) for c in rule.when):
        return "when"
    if rule.unless and any(_holds(c, request, preflight, False) for c in rule.unless):
        return "unless"
    if rule.share is not None and not _shared(rule, request, chance):
        return "share"
    # last, so that what is skipped for "method" would have answered but for it: 405 rests on that
    return None if rule.allows(request.method) else "method"


def _holds(condition: Condition, request: Request, preflight: bool, satisfied: bool) -> bool:
    """A preflight carries neither the fields nor the cookies of the request it asks about."""
    if preflight and isinstance(condition, FieldCondition) and condition.of != "query":
        return satisfied
    return condition.holds(request)


def _shared(rule: Rule, request: Request, chance: Chance) -> bool:
    assert rule.share is not None
    key = next(request.cookies(rule.share.cookie), "") if rule.share.cookie else _network(request.client)
    return bool(key) and chance(rule.name, key) < rule.share.of


def _network(client: str) -> str:
    """A client is its address; in IPv6 its /64, which one household or host moves about in."""
    if not client:
        return ""
    address = ip_address(client)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> 64)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _location(rule: Rule, request: Request, captures: dict[str, str]) -> tuple[str | None, str | None]:
    """The Location, or the reason why there is none."""
    assert rule.template is not None
    kept = "" if rule.query == "drop" or rule.takes_query else request.received_query
    location = rule.template.location(request, captures, kept)
    if location is None:
        return None, "location-hosts"
    if is_self(location, request):
        return None, "self"
    return location, None


def is_self(location: str, request: Request) -> bool:
    """Whether following `location`, as a template yields it, would ask for the same target URI again.

    A template yields a scheme or an authority only where they differ from the request's.
    """
    if not location.startswith("/") or location.startswith("//"):
        return False
    path, _, query = location.partition("#")[0].partition("?")
    if "/." in path:
        path = URL.parse(path, f"http://h{request.path}").path
    return normalize(path) == request.path and normalize(query) == request.query
