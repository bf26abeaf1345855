"""What a request gets: the one decision. The server, `detour match` and `detour test` all ask it.

The first rule, in file order, whose pattern and conditions match, answers; `core.decision` puts
the answer into fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from itertools import islice
from math import inf

import msgspec

from detour.core.decision import Decision, answer, preflight_answer, unanswered
from detour.core.direct import Finder, finder
from detour.core.index import Index, IndexWriter, Sections
from detour.core.keys import file
from detour.core.message import Request
from detour.core.record import Simple
from detour.core.rule import Condition, Example, FieldCondition, Rule, Terms
from detour.core.settings import ListenerSettings, ServerSettings, pack, unpack
from detour.core.url import URL

# Where a client stands in a share: (the rule's name, who asks) -> [0, 1). An argument, so that a
# test or an `expect` can choose.
Chance = Callable[[str, str], float]

MOST_NEAR_MISSES = 20  # that `explain` looks for


def sticky_chance(salt: str, key: str) -> float:
    """The same client, the same answer, on every worker; another rule's share is independent.

    A client of whom nothing is known (key "") is in no share.
    """
    if not key:
        return 1.0
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


class Settings(msgspec.Struct, frozen=True):
    """What a rule file says about the server, beside its rules."""

    server: ServerSettings = msgspec.field(default_factory=ServerSettings)
    listeners: tuple[ListenerSettings, ...] = ()


class RuleSet:
    """Rules in file order and the settings beside them: immutable, swapped whole on a reload.

    All of it lies in `sections` of octets, which can be stored, mapped, and opened again.
    """

    def __init__(self, sections: Sections) -> None:
        settings = unpack(sections["settings"], Settings)
        self.sections = sections
        self.server = settings.server
        self.listeners = settings.listeners
        self._index = Index(sections)
        self.rules = self._index.rules

    @classmethod
    def of(cls, rules: Iterable[Rule], settings: Settings = Settings()) -> RuleSet:  # noqa: B008 (frozen)
        """The set of some rules in memory."""
        writer = IndexWriter()
        for rule in rules:
            writer.add(rule, file(rule.pattern, rule.ignore_case))
        return cls.written(writer, settings)

    @classmethod
    def written(cls, writer: IndexWriter, settings: Settings, examples: Iterable[Example] = ()) -> RuleSet:
        """The set of the rules that `writer` took, and kept, and the examples written beside them."""
        octets = (
            *writer.sections(),
            ("settings", pack(settings)),
            ("examples", pack(tuple(examples))),
        )
        return cls({name: memoryview(section).toreadonly() for name, section in octets})

    def __reduce__(self) -> tuple[Callable[[dict[str, bytes]], RuleSet], tuple[dict[str, bytes]]]:
        return _reopen, ({name: bytes(section) for name, section in self.sections.items()},)

    @property
    def series(self) -> tuple[str, ...]:
        """The names hits are counted under, in file order, each once."""
        return self.rules.shared.series

    @cached_property
    def imports(self) -> frozenset[str]:
        """The series that are imports: the names of their rules end with the line."""
        return frozenset(self.rules.shared.imports)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples written beside the rules, in file order; decoded when they are asked for."""
        return msgspec.msgpack.decode(self.sections["examples"], type=tuple[Example, ...])

    @cached_property
    def looks_at(self) -> frozenset[str]:
        """Every request field, in lower case, that some rule looks at."""
        return frozenset(name for terms in self.rules.shared.terms for name in terms.depends) - {"client"}

    @cached_property
    def _edges(self) -> tuple[float, ...]:
        edges = {edge for terms in self.rules.shared.terms for edge in (terms.start, terms.end)}
        return tuple(sorted(edges - {inf, -inf}))

    def next_edge(self, now: float) -> float | None:
        """The next instant, in seconds since the epoch, at which a window starts or ends."""
        return next((edge for edge in self._edges if edge > now), None)

    def decide(self, request: Request, now: float, chance: Chance = sticky_chance) -> Decision:
        """What `request` gets at `now` (seconds since the epoch)."""
        return self._decide(request, now, chance)[0]

    def candidates(self, request: Request) -> Iterator[tuple[int, Rule, dict[str, str]]]:
        """Each rule whose pattern matches, in file order: its number, itself, what it captured."""
        return self._index.candidates(request)

    def finder(self, scheme: str) -> Finder:
        """The short way over `scheme`, for most requests: what it says, `decide` would say at any time."""
        return finder(self._index, scheme)

    def form(self, record: Simple) -> tuple[int, Terms]:
        """The status and the terms of a rule that the short way found."""
        form = self.rules.shared.forms[record.form]
        return form.status, self.rules.shared.terms[form.terms]

    def explain(
        self, request: Request, now: float, chance: Chance = sticky_chance
    ) -> tuple[Decision, tuple[Skipped, ...]]:
        """The decision, and why earlier rules that match, or nearly match, did not answer."""
        decision, match = self._decide(request, now, chance)
        near = islice(self.near_misses(request, match.number), MOST_NEAR_MISSES)
        return decision, (*match.skipped, *near)

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
        asked = {method for rule in blocked for method in rule.terms.methods or ()}
        return tuple(
            method for method in sorted(asked) if self._redirects(method, request, now, chance, preflight)
        )

    def _redirects(self, method: str, request: Request, now: float, chance: Chance, preflight: bool) -> bool:
        other = msgspec.structs.replace(request, method=method)
        found = self._search(other, now, chance, preflight).rule
        return found is not None and found.template is not None


def _reopen(octets: dict[str, bytes]) -> RuleSet:
    return RuleSet({name: memoryview(section) for name, section in octets.items()})


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
    if not rule.terms.alive(now):
        return "window"
    if rule.terms.when and not all(_holds(c, request, preflight, True) for c in rule.terms.when):
        return "when"
    if rule.terms.unless and any(_holds(c, request, preflight, False) for c in rule.terms.unless):
        return "unless"
    if rule.terms.share is not None and not _shared(rule, request, chance, preflight):
        return "share"
    # last, so that what is skipped for "method" would have answered but for it: 405 rests on that
    return None if rule.terms.allows(request.method) else "method"


def _holds(condition: Condition, request: Request, preflight: bool, satisfied: bool) -> bool:
    """A preflight carries neither the fields nor the cookies of the request it asks about."""
    if preflight and isinstance(condition, FieldCondition) and condition.of != "query":
        return satisfied
    return condition.holds(request)


def _shared(rule: Rule, request: Request, chance: Chance, preflight: bool) -> bool:
    """Whether the client is in the rule's share; the lines of an import share theirs."""
    share = rule.terms.share
    assert share is not None
    if preflight and share.cookie:
        return True  # a preflight carries no cookies: let it be asked
    key = next(request.cookies(share.cookie), "") if share.cookie else _network(request.client)
    return chance(rule.series, key) < share.of


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
    kept = "" if rule.terms.query == "drop" or rule.takes_query else request.received_query
    location = rule.template.location(request, captures, kept)
    if location is None:
        return None, "location-hosts"
    if is_self(location, request):
        return None, "self"
    return location, None


# Octets that no parser changes in a path-absolute reference; with "/." or "//" anything may happen.
_PLAIN = re.compile(r"/[A-Za-z0-9._~!$&()*+,;=:@/?-]*")


def is_self(location: str, request: Request) -> bool:
    """Whether following `location`, as a template yields it, would ask for the same target URI again."""
    if _PLAIN.fullmatch(location) and "/." not in location and "//" not in location:
        path, _, query = location.partition("?")
        return path == request.path and query == request.query
    if not location.startswith("/") and request.hostname not in location:
        return False
    if not location.startswith(("/", f"{request.scheme}:")) or not request.hostname:
        return not request.hostname and location.startswith("/") and _same_without_host(location, request)
    there = Request.of(request.method, URL.parse(location, request.target_uri))
    return there.target_uri == request.target_uri


def _same_without_host(location: str, request: Request) -> bool:
    """As `is_self` for an HTTP/1.0 request that names no host: any will do."""
    if location.startswith("//"):
        return False
    named = msgspec.structs.replace(request, hostname="h", port="")
    return is_self(location, named)
