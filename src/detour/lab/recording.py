"""One run of one case while it goes on: what has arrived so far, and what is answered.

Origins write from many threads; whoever judges takes a `Record`, which no longer changes.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from detour.lab.case import Answer, Arrival, Case, Origin, Outcome, Record, filled
from detour.lab.wire import Content, Head

_MOST_RECORDINGS = 4096  # `lab serve` may be asked for cases without end

# A preflight that no case speaks about is granted, whatever it asks for (Fetch §3.3.3).
GRANTED = Answer(204)


class Arriving:
    """A request whose content may still be on its way."""

    def __init__(self, station: int, origin: Origin, head: Head) -> None:
        self.station, self.origin, self.head = station, origin, head
        self.content = Content()

    def arrival(self) -> Arrival:
        """As far as it has come."""
        head = self.head
        return Arrival(
            self.station,
            self.origin,
            head.method,
            head.target,
            head.fields,
            self.content.octets(),
            self.content.complete,
            head.octets,
        )


class Recording:
    """One run of one case, known by its token."""

    def __init__(self, case: Case, token: str, origins: dict[Origin, str], client: str = "") -> None:
        self.case, self.token, self.origins, self.client = case, token, origins, client
        self.begun = time.monotonic()
        self.last_status = 0  # of what was answered last
        self._arriving: list[Arriving] = []
        self._change = threading.Condition()

    @property
    def url(self) -> str:
        """Where the client is sent."""
        asked = self.case.asked
        return filled(self.origins[asked.origin] + asked.target, self.origins, self.token)

    def arrive(self, station: int, origin: Origin, head: Head) -> tuple[Arriving, Answer]:
        """Note a request, and say what it is answered."""
        arriving = Arriving(station, origin, head)
        with self._change:
            if is_preflight(head):
                return arriving, self._preflight(arriving)
            self._arriving.append(arriving)
            visit = sum(one.station == station and not is_preflight(one.head) for one in self._arriving)
            answer = self.case.answer(station, visit, "; ".join(head.values("cookie")))
            self.last_status = answer.status
            return arriving, answer

    def visit(self, station: int, origin: Origin, target: str, line: bytes) -> None:
        """Note that somebody came by another protocol than HTTP, once: `line` names the place."""
        command = line.decode("latin-1").partition(" ")[0]
        arriving = Arriving(station, origin, Head(line, command, target, "", ()))
        arriving.content.complete = arriving.content.ended = True
        with self._change:
            if all(one.origin != origin for one in self._arriving):
                self._arriving.append(arriving)

    def _preflight(self, arriving: Arriving) -> Answer:
        """One that is granted is no arrival; where it is the question itself, it is."""
        if self.case.preflight is None:
            return GRANTED
        self._arriving.append(arriving)
        return self.case.preflight

    def ended(self) -> None:
        """Some content has ended: whoever waits for it looks again."""
        with self._change:
            self._change.notify_all()

    def settle(self, seconds: float) -> None:
        """Wait until no content is on its way, or that long."""
        with self._change:
            self._change.wait_for(lambda: all(one.content.ended for one in self._arriving), seconds)

    @property
    def arrived(self) -> int:
        """How much has arrived: grows with every request and every octet."""
        with self._change:
            return sum(1 + one.content.length + one.content.ended for one in self._arriving)

    def record(self, outcome: Outcome) -> Record:
        """All that is judged, as it stands now."""
        with self._change:
            arrivals = tuple(one.arrival() for one in self._arriving)
        return Record(arrivals, outcome, self.origins, self.token)


def is_preflight(head: Head) -> bool:
    """Whether this asks for leave only (Fetch §3.3.2)."""
    asks = head.values("origin") and head.values("access-control-request-method")
    return head.method == "OPTIONS" and bool(asks)


class Recordings:
    """All runs that an arrival may belong to, by token; the oldest go when there are too many."""

    def __init__(self, origins: Callable[[], dict[Origin, str]]) -> None:
        self._origins = origins
        self._by_token: OrderedDict[str, Recording] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, case: Case, client: str = "") -> Recording:
        """A new run, with a token of its own."""
        recording = Recording(case, f"t{secrets.token_hex(8)[:15]}", self._origins(), client)
        with self._lock:
            self._by_token[recording.token] = recording
            while len(self._by_token) > _MOST_RECORDINGS:
                self._by_token.popitem(last=False)
        return recording

    def find(self, token: str) -> Recording | None:
        """The run of that token."""
        return self._by_token.get(token)

    def forget(self, recording: Recording) -> None:
        """Nothing that arrives from now on counts."""
        with self._lock:
            self._by_token.pop(recording.token, None)
