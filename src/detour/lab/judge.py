"""A record of a case to a verdict on each axis: pure, total, with evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detour.lab.carried import carriage
from detour.lab.case import Answer, Arrival, Case, Outcome, Record, Route, filled
from detour.lab.form import (
    CONTENT_FIELDS,
    FORMS,
    FRAMING_FIELDS,
    Original,
    boundary_of,
    difference,
    form,
    is_bare,
    not_as_asked,
    original,
)
from detour.lab.verdict import REQUEST, Judgement, Note, Sent

Finding = tuple[str, str]  # a verdict, and why

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})  # RFC 9110 §9.2.1, RFC 10008
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY"})  # RFC 9110 §9.2.2, RFC 10008
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_TRIPLET = re.compile(r"%[0-9A-Fa-f]{2}")


class _Run:
    """One record, read against its case."""

    def __init__(self, case: Case, record: Record) -> None:
        self.case, self.record = case, record
        self.preflights, own = _parted(case, record.arrivals)
        self.arrivals, self.retried = _without_retries(case, own)
        self.first = self.arrivals[0] if self.arrivals else None
        self.original = original(case, self.first) if self.first else Original(case.asked.method, b"", ())
        self.forms = [form(arrival, self.original) for arrival in self.arrivals]
        self.route, self.matched = self._matched()

    def place(self, arrival: Arrival) -> str:
        """The URL that was asked for."""
        return _normal(self.record.origins.get(arrival.origin, "") + arrival.target)

    def _stops(self, route: Route) -> list[str]:
        return [_normal(filled(stop.place, self.record.origins, self.record.token)) for stop in route]

    def _matched(self) -> tuple[Route, int]:
        """The route that explains the most requests after the first, and how many."""
        gone = [self.place(arrival) for arrival in self.arrivals[1:]]
        best: tuple[Route, int] = ((), 0)
        for route in self.case.expected.routes:
            matched = _common(gone, self._stops(route))
            if matched > best[1] or not best[0]:
                best = route, matched
        return best

    @property
    def again(self) -> int:
        """How often a safe request was sent once more for an answer that cannot be read: two Locations."""
        last, answer = self.last, self.answered
        if last is None or answer is None or len(answer.locations) < 2 or last.method not in _SAFE:
            return 0
        rest = self.arrivals[1 + self.matched :]
        return _common([self.place(arrival) for arrival in rest], [self.place(last)] * len(rest))

    @property
    def last(self) -> Arrival | None:
        """The last request that went where it may."""
        return self.arrivals[self.matched] if self.arrivals else None

    @property
    def answered(self) -> Answer | None:
        """What the last such request was answered."""
        if self.last is None:
            return None
        visits = sum(arrival.station == self.last.station for arrival in self.arrivals[: self.matched + 1])
        cookies = "; ".join(self.last.values("Cookie"))
        return self.case.answer(max(0, self.last.station), visits, cookies)

    @property
    def arrived(self) -> bool:
        """Whether a request reached the end of the script, whole."""
        last, answer = self.last, self.answered
        return bool(self.matched and last and last.complete and answer and not 300 <= answer.status < 400)


def judge(case: Case, record: Record) -> Judgement:
    """Exactly one verdict on the request and one on the credentials, whatever the record holds."""
    run = _Run(case, record)
    request, why = _first_that_applies([*_faults(run), _end(run)])
    carried = carriage(case, (*run.retried, *run.arrivals))
    notes = tuple(dict.fromkeys((*_notes(run), *carried.notes)))
    return Judgement(request, carried.verdict, why, carried.why, notes, tuple(_evidence(run)))


def _first_that_applies(findings: Sequence[Finding]) -> Finding:
    order = [verdict.name for verdict in REQUEST]
    return min(findings, key=lambda finding: order.index(finding[0]))


def _faults(run: _Run) -> Iterator[Finding]:
    """Everything that is wrong, in no order."""
    outcome = run.record.outcome
    if outcome.kind in ("crashed", "hung"):
        yield outcome.kind, outcome.error or "as whoever ran the client saw"
    if outcome.kind == "error" and outcome.seconds >= run.case.timeout:
        yield "hung", f"an error only when the client's own limit of time was over: {outcome.error[:200]}"
    if outcome.kind == "unsupported":
        yield "unsupported", outcome.error or "the client says so"
    elif run.first is None and outcome.kind == "error" and run.case.expected.routes:
        yield "unsupported", f"nothing was sent: {outcome.error}"
    elif run.first and (why := not_as_asked(run.case, run.first)):
        yield "unsupported", why
    yield from _astray(run)
    yield from _misformed(run)


def _astray(run: _Run) -> Iterator[Finding]:
    """Requests that no route explains."""
    routes, outcome = run.case.expected.routes, run.record.outcome
    if run.preflights:
        yield "overfollowed", "a preflight followed a redirect"
    if run.first and not routes:
        yield "overfollowed", "the request was sent, though its preflight was not granted"
    if outcome.kind == "answered" and outcome.status < 300 and _other_scheme(outcome.url):
        yield "overfollowed", f"the client ended at {outcome.url[:80]}"
    extra = run.arrivals[1 + run.matched + run.again :] if routes else []
    if extra:
        yield _extra(run, extra[0])


def _other_scheme(url: str) -> bool:
    scheme = _SCHEME.match(url)
    return bool(scheme and scheme[1].lower() not in ("http", "https", "ws", "wss"))


def _extra(run: _Run, extra: Arrival) -> Finding:
    before = run.arrivals[run.matched]
    if not run.case.expected.follow:
        return "overfollowed", f"{run.place(extra)} was asked for, and nothing may follow this answer"
    if not run.case.expected.arrives and run.matched == len(run.route):
        return "overfollowed", f"{run.matched} redirects were followed, and another"
    if run.case.asked.times > 1 and extra.station == before.station == 1:
        return "overfollowed", "a redirect was remembered that must be asked for again"
    if run.place(extra) == run.place(before):
        return "altered", f"request {run.matched + 1} was sent twice"
    return "overfollowed", f"{run.place(extra)[:200]} was asked for, and that is not where the Location leads"


def _misformed(run: _Run) -> Iterator[Finding]:
    """What is wrong with the requests that went where they may."""
    rewritten = False  # to GET without content, by a redirect before
    for number, stop in enumerate(run.route[: run.matched], start=1):
        arrival, found = run.arrivals[number], run.forms[number]
        bare = is_bare(arrival)
        if rewritten and not bare:
            yield (
                "misrewritten",
                f"request {number + 1}: what had become a bare GET came back as {arrival.method}",
            )
        elif bare and found != "kept" and "rewritten" in stop.forms:
            rewritten = True
        elif not rewritten:
            yield from _misformed_one(found, stop.forms, f"request {number + 1}, {arrival.method}")


def _misformed_one(found: str, allowed: tuple[str, ...], which: str) -> Iterator[Finding]:
    wrong = FORMS[found].verdict
    if found == "rewritten":
        yield "misrewritten", f"{which}: the method must not change here"
    elif "kept" not in allowed and wrong != "misrewritten":
        yield "misrewritten", f"{which}: the method must become GET here"
    elif wrong:
        yield wrong, f"{which}: {FORMS[found].words}"


def _end(run: _Run) -> Finding:
    """What it is worth if nothing is wrong with what arrived."""
    outcome = run.record.outcome
    if run.arrived:
        return _arrival(run)
    answer = run.answered
    success = outcome.kind == "answered" and 200 <= outcome.status < 300
    if success and not (answer and answer.status == outcome.status and run.last and run.last.complete):
        return "lost", f"the client reported {outcome.status}, and no place that answered so was reached"
    if outcome.kind == "error":
        return "refused", f"error: {outcome.error[:200]}"
    return "refused", f"the answer was handed back: {outcome.status or 'no status'}"


def _arrival(run: _Run) -> Finding:
    last = run.matched == len(run.arrivals) - 1
    if last and run.case.asked.times > 1 and run.matched < len(run.route):
        return "unsupported", "the request was not sent a second time"
    found = run.forms[run.matched]
    if found == "kept":
        return "kept", "method, content and content fields arrived whole"
    return "rewritten", "GET without content arrived, as the standard allows"


def _evidence(run: _Run) -> Iterator[Sent]:
    for number, (arrival, found) in enumerate(zip(run.arrivals, run.forms, strict=True)):
        differs = None if found in ("kept", "rewritten") or not number else difference(run.original, arrival)
        place, length = run.place(arrival)[:500], len(arrival.content)
        yield Sent(arrival.station, place, arrival.method, length, found if number else "first", differs)


def _notes(run: _Run) -> Iterator[Note]:
    outcome, answer = run.record.outcome, run.answered
    if run.retried:
        yield Note("retried", f"{len(run.retried)} times")
    if run.again:
        yield Note("asked-again", f"{run.last.method if run.last else ''}, {run.again} times")
    if run.arrived and answer:
        yield from _reported(outcome, answer)
    elif run.matched and run.last and run.last.complete:
        yield Note("stopped-early", f"after {run.matched} redirects")
    if run.first:
        yield from _first_notes(run, run.first)
    for number, arrival in enumerate(run.arrivals[1:], start=1):
        yield from _later_notes(run, number, arrival)


def _reported(outcome: Outcome, answer: Answer) -> Iterator[Note]:
    if outcome.kind == "error":
        yield Note("error-after-arrival", outcome.error[:200])
    elif outcome.kind == "answered" and outcome.status != answer.status:
        yield Note("other-status", f"{outcome.status}, not {answer.status}")


def _first_notes(run: _Run, first: Arrival) -> Iterator[Note]:
    content = run.case.asked.content
    if content.media_type and not first.values("Content-Type"):
        yield Note("no-content-type")
    coding = " ".join(first.values("Transfer-Encoding")).lower()
    if content.kind == "chunked" and "chunked" not in coding:
        yield Note("not-chunked")
    if content.kind == "expect" and not first.values("Expect"):
        yield Note("no-expectation")


def _later_notes(run: _Run, number: int, arrival: Arrival) -> Iterator[Note]:
    before = run.arrivals[number - 1]
    if run.forms[number] == "broken-off":
        yield Note("broken-off", f"request {number + 1}, after {len(arrival.content)} octets")
    if run.original.content and is_bare(arrival):
        left = [name for name in (*CONTENT_FIELDS, *FRAMING_FIELDS) if arrival.values(name)]
        yield from [Note("content-fields-left", ", ".join(left))] if left else []
    if boundary_of(arrival) != boundary_of(run.arrivals[0]) and boundary_of(arrival):
        yield Note("new-boundary")
    given = any(name.lower() == "authorization" for name, _ in run.case.asked.fields)
    if arrival.values("Authorization") and not given:
        yield Note("own-credentials", arrival.values("Authorization")[0][:100])
    if before.origin in ("s", "t") and arrival.origin not in ("s", "t") and arrival.values("Referer"):
        yield Note("referer-downgrade", arrival.values("Referer")[0][:100])
    if run.case.asked.times > 1 and arrival.station == before.station == 1:
        yield Note("remembered")


def _parted(case: Case, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Preflights that followed a redirect of their own, and the requests; other preflights are set aside."""
    preflights = [arrival for arrival in arrivals if _is_preflight(case, arrival)]
    strayed = [arrival for arrival in preflights if case.preflight and arrival.station]
    return strayed, [arrival for arrival in arrivals if arrival not in preflights]


def _is_preflight(case: Case, arrival: Arrival) -> bool:
    asks = arrival.values("Access-Control-Request-Method") and arrival.values("Origin")
    return arrival.method == "OPTIONS" != case.asked.method and bool(asks)


def _without_retries(case: Case, arrivals: list[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Requests without those that were sent again because the connection was lost, and those."""
    kept: list[Arrival] = []
    retried: list[Arrival] = []
    for number, arrival in enumerate(arrivals):
        after = arrivals[number + 1] if number + 1 < len(arrivals) else None
        again = after and (after.origin, after.target, after.method) == (
            arrival.origin,
            arrival.target,
            arrival.method,
        )
        lost = not arrival.complete or (_closed(case, arrival) and arrival.method in _IDEMPOTENT)
        (retried if again and lost else kept).append(arrival)
    return kept, retried


def _closed(case: Case, arrival: Arrival) -> bool:
    return case.answer(max(0, arrival.station)).manner == "early-close"


def _normal(url: str) -> str:
    """Percent-triplets in capitals: RFC 3986 §6.2.2.1."""
    return _TRIPLET.sub(lambda found: found[0].upper(), url)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
