"""What all connections of one worker share, and the answer to one request.

A `Service` holds the rules, the counters, the clocks and the open connections; an `Endpoint` answers for
it on one listener. Neither touches a socket: connections (protocol) bring heads and send answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from ipaddress import ip_network
from math import inf
from typing import Any, Protocol

import msgspec

from detour.core.matcher import RuleSet
from detour.core.message import METHODS, Request
from detour.core.record import Simple
from detour.core.rule import Network
from detour.core.settings import ListenerSettings
from detour.core.url import URL
from detour.errors import RequestError, URLError
from detour.serve.forwarded import FIELD_NAMES, Asker, believe, claimed_schemes, is_trusted
from detour.serve.head import Head, read_authority, resolve
from detour.serve.memo import Entry, Memo
from detour.serve.stats import Counters, answer_slot
from detour.serve.wire import Answer, Mould, date_line, decided, mould, said

# What a preflight carries, and what the redirect itself answers to (Fetch, CORS protocol).
_CORS_FIELDS = frozenset({"origin", "access-control-request-method", "access-control-request-headers"})
_HARMLESS_LIMIT = 1024
_HOSTS_LIMIT = 1024
_MOULDS_LIMIT = 4096
_TARGET_LIMIT = 512  # octets of a request target that is worth remembering


Common = tuple[Mould, int, int, int]  # status and the two counters
_DIRECT_METHODS = {name.encode(): name for name in METHODS - {"OPTIONS"}}  # OPTIONS may be a preflight


class Guest(Protocol):
    """What a service does with its connections."""

    def sweep(self, now: float) -> None:
        """Enforce the time limits; `now` is monotonic."""

    def abort(self) -> None:
        """Cut the connection."""


class Service:
    """One worker's rules, counters, clocks and connections.

    `clock` gives seconds since the epoch, `monotonic` seconds for time limits. `log` takes lines of the
    access log (None: none is kept), `warn` one line for the operator.
    """

    def __init__(
        self,
        ruleset: RuleSet,
        counters: Counters,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        log: Callable[[bytes], None] | None = None,
        *,
        warn: Callable[[str], None],
    ) -> None:
        self.clock = clock
        self.monotonic = monotonic
        self.log = log
        self.connections: set[Guest] = set()
        self.draining = False
        # Called with each request that no rule answers, after its answer went out and at most once a second.
        self.on_miss: Callable[[Request], None] | None = None
        self.soon: Callable[..., Any] = _soon
        self.endpoints: list[Endpoint] = []
        # Field lines, as received, that leave the connection open, and the octets of content they announce.
        self.harmless: dict[bytes, int] = {}
        self.date = b""
        self.second = self.second_end = 0.0  # `date` is right from the one to the other
        self._warn = warn
        self._said: dict[str, float] = {}
        self.replace(ruleset, counters)

    def replace(self, ruleset: RuleSet, counters: Counters) -> None:
        """Answer from `ruleset` and count in `counters` from the next request on."""
        self.ruleset = ruleset
        self.counters = counters
        self.looks_at = ruleset.looks_at | _CORS_FIELDS
        self.forget()

    @property
    def prepared(self) -> int:
        """How many answers an endpoint may keep prepared."""
        return 0 if self.draining else self.ruleset.server.memo

    def forget(self) -> None:
        """Drop every prepared answer."""
        for endpoint in self.endpoints:
            endpoint.forget()

    def now(self) -> float:
        """Seconds since the epoch; `date` is right for them."""
        now = self.clock()
        if not self.second <= now < self.second_end:
            self.tick(now)
        return now

    def tick(self, now: float) -> None:
        """Make `date` that of `now`. A clock that was set back makes every prepared answer doubtful."""
        if now < self.second:
            self.forget()
        self.second = now // 1
        self.second_end = self.second + 1
        self.date = date_line(now)

    def sweep(self) -> None:
        """Enforce the time limits of every connection; to be called four times a second."""
        now = self.monotonic()
        for connection in tuple(self.connections):
            connection.sweep(now)

    def drain(self) -> None:
        """From now on every answer closes its connection; idle ones are closed at once."""
        self.draining = True
        self.forget()
        self.sweep()

    def close_all(self) -> None:
        """Cut every connection that is left."""
        for connection in tuple(self.connections):
            connection.abort()

    def learn_harmless(self, line: bytes, content: int) -> None:
        if len(self.harmless) >= _HARMLESS_LIMIT:
            self.harmless.clear()
        self.harmless[line] = content

    def complain(self, kind: str, text: str) -> None:
        """Tell the operator, at most once a second for each kind of complaint."""
        if self._once_a_second(kind):
            self._warn(text)

    def missed(self, request: Request) -> None:
        """No rule answered `request`: let somebody explain it, outside the answer."""
        if self.on_miss is not None and self._once_a_second("miss"):
            self.soon(self.on_miss, request)

    def _once_a_second(self, kind: str) -> bool:
        now = self.monotonic()
        if now < self._said.get(kind, now):
            return False
        self._said[kind] = now + 1
        return True


def _soon(callback: Callable[..., object], *arguments: object) -> None:
    asyncio.get_running_loop().call_soon(callback, *arguments)


class Endpoint:
    """The service on one listener."""

    def __init__(self, service: Service, settings: ListenerSettings) -> None:
        self.service = service
        self.settings = settings
        self.scheme = URL.parse(settings.listen).scheme
        self.trusted: tuple[Network, ...] = tuple(ip_network(network) for network in settings.trusted)
        self._health = (settings.health or "").encode()  # what `_own_answer` may have something to say to
        self._hosts: dict[bytes, bytes] = {}  # the authorities of Host lines, as received
        self.open = 0  # connections
        self.forget()
        service.endpoints.append(self)

    def forget(self) -> None:
        """Drop everything that was prepared from the rules or for the state of the service."""
        self.memo = Memo(self.service.prepared)
        self._find = self.service.ruleset.finder(self.scheme)
        self._moulds: dict[tuple[int, int, bytes], Common] = {}

    def trusts(self, peer: str) -> bool:
        """Whether the fields of `peer` say who asks."""
        return self.settings.source is not None and is_trusted(peer, self.trusted)

    def asker(self, head: Head, own: Asker) -> Asker:
        """Who asks, over what: what a trusted peer says instead of the connection's `own` truth."""
        if self.settings.source is None:
            return own
        told = believe(self.settings.source, head.fields, own, self.trusted, self.settings.trust_host)
        if told.host is not None and told.host != own.host and not _valid_host(told.host):
            return msgspec.structs.replace(told, host=own.host)
        return told

    def entry(self, head: Head, asker: Asker, trusted: bool, connection: str, now: float) -> Entry:
        """The answer to `head`, prepared; `connection` is its Connection field.

        Raises `RequestError` for a target that is none, or not for this place.
        """
        answer = self._own_answer(head, connection)
        if answer is not None:
            return self._prepare(head.method, answer, "")
        fields = tuple(pair for pair in head.fields if pair[0] in self.service.looks_at)
        request = resolve(head, asker, fields)
        ruleset = self.service.ruleset
        decision = ruleset.decide(request, now)
        answer = decided(decision, head.method, redirect_by=ruleset.server.redirect_by, connection=connection)
        if decision.rule is None and decision.status == 404:
            self.service.missed(request)
        twin = _twin(answer.location, request)
        if twin and twin in self.evidence(head, trusted):
            answer = self.loop_answer(answer, head, connection)
        return self._prepare(head.method, answer, twin)

    def direct(self, line: bytes, host: bytes) -> bytes | None:
        """`redirect` for a request line and a Host line, as received and accepted by the parser."""
        method, _, rest = line.partition(b" ")
        authority = self.authority_of(host)
        if authority is None or not rest.endswith(b" HTTP/1.1"):
            return None
        return self.redirect(method, authority, rest[:-9], (line, host))

    def redirect(
        self, method: bytes, authority: bytes, target: bytes, key: tuple[bytes, bytes]
    ) -> bytes | None:
        """The octets of the answer, in as few steps as it takes; it is counted, and kept under `key` if
        that is worth it.

        None where anything else could matter: then `entry` decides.
        """
        found = self._find(authority, target)
        if found is None or (self._health and target.startswith(self._health)):
            return None
        record, location = found
        common = self._moulds.get((record.form, record.series, method)) or self._learn_mould(record, method)
        if common is None:
            return None
        moulded, status, slot, hit = common
        service = self.service
        view = service.counters.view
        view[slot] += 1
        if hit:
            view[hit] += 1
        response = moulded(location, record.line, service.date)
        if self.memo.limit and self.memo.asked_before(key) and len(target) <= _TARGET_LIMIT:
            before, _, after = response.partition(service.date)
            answer = Answer(status, before, after)
            self.memo.keep(key, Entry(inf, before, after, slot, hit, "", answer))
        return response

    def _learn_mould(self, record: Simple, method: bytes) -> Common | None:
        """What all answers to `method` by rules with this form and series have in common, remembered; None
        for a method that needs a decision."""
        name = _DIRECT_METHODS.get(method)
        if name is None or self.service.draining:
            return None
        ruleset = self.service.ruleset
        status, terms = ruleset.form(record)
        series = ruleset.series[record.series]
        numbered = series in ruleset.imports  # whose rules have their lines for names
        by = f"detour {series}{':' if numbered else ''}" if ruleset.server.redirect_by else ""
        found = (
            mould(status, terms.cache, name, by, numbered=numbered),
            status,
            answer_slot(name, status),
            self.service.counters.hit_slot(series) or 0,
        )
        if len(self._moulds) >= _MOULDS_LIMIT:
            self._moulds.clear()
        self._moulds[record.form, record.series, method] = found
        return found

    def authority_of(self, line: bytes) -> bytes | None:
        """The authority that a Host line names; None for one that is not valid, or another line."""
        return self._hosts.get(line) or self._learn_host(line)

    def _learn_host(self, line: bytes) -> bytes | None:
        if line[:6].lower() != b"\nhost:":
            return None
        try:
            value = line.partition(b":")[2].decode("ascii").strip(" \t")
            hostname, port = read_authority(self.scheme, value)
        except (RequestError, UnicodeDecodeError):
            return None
        if len(self._hosts) >= _HOSTS_LIMIT:
            self._hosts.clear()
        authority = self._hosts[line] = (f"{hostname}:{port}" if port else hostname).encode()
        return authority

    def evidence(self, head: Head, trusted: bool) -> frozenset[str]:
        """The schemes that forwarded fields name which nobody believes (design 4.7)."""
        if not any(name in FIELD_NAMES for name, _ in head.fields):
            return frozenset()
        return claimed_schemes(head.fields, self.settings.source if trusted else None)

    def loop_answer(self, answer: Answer, head: Head, connection: str) -> Answer:
        """The redirect would come back over the proxy that already speaks its scheme: no redirect."""
        self.service.complain(
            "loop",
            f"rule {answer.rule}: redirecting to {answer.location} would loop: a proxy in front says that it "
            "was asked over that scheme already, but is not trusted; "
            'set [[listener]] source = "x-forwarded", trusted = ["ADDRESS/32"] (the proxy\'s network)',
        )
        fact = "This redirect would lead back here: the proxy in front of this server is not trusted."
        return said(500, fact, head.method, connection=connection)

    def broken(self, head: Head, error: Exception, connection: str) -> Entry:
        """The answer when deciding failed: a fault of ours, told to the operator, not to the client."""
        fault = repr(error)
        self.service.complain("internal", f"internal error at {head.method} {head.target[:200]!r}: {fault}")
        answer = said(500, "The server failed to decide.", head.method, connection=connection)
        return self._prepare(head.method, answer, "")

    def _own_answer(self, head: Head, connection: str) -> Answer | None:
        """What is answered before any rule."""
        if head.target == "*" and head.method == "OPTIONS":  # RFC 9110 §9.3.7
            return said(204, "", head.method, connection=connection)
        if self.settings.health is not None and head.target.partition("?")[0] == self.settings.health:
            if self.service.draining:
                return said(503, "draining", head.method, connection=connection)
            return said(200, "ok", head.method, connection=connection)
        return None

    def _prepare(self, method: str, answer: Answer, twin: str) -> Entry:
        hit = self.service.counters.hit_slot(answer.series) if answer.series else None
        slot = answer_slot(method, answer.status)
        return Entry(answer.until, answer.before, answer.after, slot, hit or 0, twin, answer)


def worth_keeping(head: Head, entry: Entry, now: float) -> bool:
    """Whether an equal request line and Host will get the same bytes again.

    Only what a rule answers: a flood of unknown targets must not push out the known ones. OPTIONS may
    be a preflight, which is a matter of other fields.
    """
    answer = entry.answer
    fits = head.minor == 1 and head.method != "OPTIONS" and len(head.target) <= _TARGET_LIMIT
    return fits and bool(answer.rule) and now < answer.until


def _valid_host(host: str) -> bool:
    try:
        read_authority("http", host)
    except RequestError:
        return False
    return True


def _twin(location: str, request: Request) -> str:
    """The scheme of `location` if that is all it changes of the target URI, else ""."""
    other = "https" if request.scheme == "http" else "http"
    if not location.startswith(f"{other}://{request.authority}"):  # before the slow look
        return ""
    try:
        there = Request.of(request.method, URL.parse(location))
    except URLError:
        return ""
    same = (there.authority, there.path, there.query) == (request.authority, request.path, request.query)
    return there.scheme if same else ""
