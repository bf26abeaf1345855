"""One client's way through its cases: handed out one by one, each judged when the next is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from detour.lab.case import Caller, Case, Outcome
from detour.lab.judge import judge
from detour.lab.plan import Plan
from detour.lab.recording import Recording, Recordings
from detour.lab.trial import Trial, trial
from detour.lab.verdict import Judgement

SETTLING = 0.3  # seconds that content may still be on its way when the client says it is done
_SILENT = Outcome("crashed", error="asked for the next case and said nothing of this one")

Keep = Callable[[Trial], None]


class Session:
    """One client. Its program, the watch over it and its requests are three threads: all goes by one lock."""

    def __init__(self, client: str, plan: Plan, recordings: Recordings, keep: Keep) -> None:
        self.client, self.plan = client, plan
        self.trials: list[Trial] = []
        self.done = False  # nothing is left to ask
        self.told = time.monotonic()  # when the client last said anything
        self._recordings, self._keep = recordings, keep
        self._now: Recording | None = None
        self._outcome: tuple[Outcome, float] | None = None  # and when it was told
        self._judged: tuple[int, Judgement] | None = None  # and how much had arrived by then
        self._lock = threading.RLock()

    def next(self) -> Recording | None:
        """The next case, when the one before is over; None when there is none."""
        with self._lock:
            self.told = time.monotonic()
            self.close(_SILENT)
            case = None if self.done else self.plan.next()
            if case is None:
                self.done = True
                return None
            self._now = self._recordings.begin(case, self.client)
            return self._now

    def outcome(self, recording: Recording, outcome: Outcome) -> Judgement | None:
        """What the client says of the case under way, and the verdict so far; None for another case."""
        recording.settle(SETTLING)
        with self._lock:
            self.told = time.monotonic()
            if recording is not self._now:
                return None
            self._outcome = self._outcome or (outcome, time.monotonic())
            return self._verdict(recording, self._outcome[0])

    @property
    def busy(self) -> bool:
        """Whether a case is under way whose outcome is still to be told."""
        with self._lock:
            return self._now is not None and self._outcome is None

    @property
    def overdue(self) -> float:
        """Seconds since the case under way had to be over; negative while it need not; 0 when none is."""
        with self._lock:
            if self._now is None or self._outcome is not None:
                return 0.0
            return time.monotonic() - self._now.begun - self._now.case.timeout

    def close(self, otherwise: Outcome) -> Case | None:
        """End the case under way; `otherwise` is its outcome if the client told none. Returns that case."""
        with self._lock:
            recording, told = self._now, self._outcome
            if recording is None:
                return None
            outcome, when = told or (otherwise, time.monotonic())
            if told is None:
                recording.settle(SETTLING)
            record = recording.record(outcome)
            judgement = self._verdict(recording, outcome)
            self._recordings.forget(recording)
            self._now = self._outcome = self._judged = None
            one = trial(self.client, recording.case, record, judgement, when - recording.begun)
            self.plan.settle(recording.case, one.verdicts)
            self.trials.append(one)
            self._keep(one)
            return recording.case if told is None else None

    def give_up(self) -> None:
        """Hand out no case any more."""
        with self._lock:
            self.done = True

    def _verdict(self, recording: Recording, outcome: Outcome) -> Judgement:
        """Judged again only if anything has arrived since."""
        arrived = recording.arrived
        if self._judged is None or self._judged[0] != arrived:
            self._judged = arrived, judge(recording.case, recording.record(outcome))
        return self._judged[1]


class Sessions:
    """Every client's session by its name; who asks without one is given one, of each case once."""

    def __init__(self, cases: Sequence[Case], recordings: Recordings) -> None:
        self.cases, self.recordings = tuple(cases), recordings
        self._by_client: dict[str, Session] = {}
        self._loose: list[tuple[str, str, Judgement]] = []  # client, case
        self._lock = threading.Lock()

    def open(self, client: str, plan: Plan, keep: Keep) -> Session:
        """A session for a client whose cases are planned."""
        session = Session(client, plan, self.recordings, keep)
        with self._lock:
            self._by_client[client] = session
        return session

    def of(self, client: str, caller: Caller = "library") -> Session:
        """The session of that client."""
        with self._lock:
            found = self._by_client.get(client)
        if found is None:
            asked = [case for case in self.cases if caller in case.runs_in]
            found = self.open(client, Plan(asked, twice=1), lambda _: None)
        return found

    def outcome(self, recording: Recording, outcome: Outcome) -> Judgement:
        """The verdict on a run, whether it belongs to a session or was handed out by itself."""
        outcome = msgspec.structs.replace(outcome, seconds=round(time.monotonic() - recording.begun, 3))
        session = self._by_client.get(recording.client)
        judgement = session.outcome(recording, outcome) if session else None
        if judgement is None:
            recording.settle(SETTLING)
            judgement = judge(recording.case, recording.record(outcome))
            self._loose.append((recording.client, recording.case.id, judgement))
            self.recordings.forget(recording)  # and the octets it holds
        return judgement

    def verdicts(self, client: str) -> list[tuple[str, Judgement]]:
        """Case and judgement of everything that client has done, in order."""
        session = self._by_client.get(client)
        own = [(one.case, one.judgement) for one in session.trials] if session else []
        return own + [(case, judged) for who, case, judged in list(self._loose) if who == client]

    def clients(self) -> list[str]:
        """Everybody who has asked or told anything."""
        return sorted({*self._by_client, *(client for client, *_ in list(self._loose))} - {""})
