"""One client's program, started, watched, and started again until its cases are done.

A case whose outcome is not told in time is *hung*, and its program is killed; a program that ends before its
cases do has *crashed* on the one under way. The rest goes on with a new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import msgspec

from detour.lab.case import Outcome
from detour.lab.client import Client
from detour.lab.program import Places, Program
from detour.lab.session import Session

GRACE = 3.0  # seconds after a case's own timeout until it counts as hung
MOST_BAD = 25  # cases in a row that hang or crash, until the rest is not asked
_PAUSE = 10.0  # seconds a program may take from an outcome to the next case
_LOOK = 0.05  # seconds between two looks at a program
_STARTS = 2  # that come to nothing, until nothing more is expected


class Staged(msgspec.Struct, frozen=True):
    """What all clients of a run share. `stop` ends them early."""

    places: Places
    base: str  # of the protocol
    grace: float
    stop: threading.Event


class Watch:
    """One client's way through its session."""

    def __init__(self, client: Client, session: Session, places: Mapping[str, str], staged: Staged) -> None:
        self._client, self._session, self._places = client, session, places
        self._base, self._grace, self._stop = staged.base, staged.grace, staged.stop
        self.gave_up = ""  # why not every case was asked

    def run(self) -> None:
        """Until every case is asked, or nothing more is to be expected."""
        idle = 0
        while not self._session.done and not self._stop.is_set():
            before = len(self._session.trials)
            said = self._one_program()
            idle = idle + 1 if len(self._session.trials) == before else 0
            if idle == _STARTS:
                self._give_up(f"started {_STARTS} times without asking for a case: {said}")
            elif self._bad_in_a_row() >= MOST_BAD:
                self._give_up(f"{MOST_BAD} cases in a row hung or crashed: {said}")

    def _one_program(self) -> str:
        """One program from its start to its end; what it said last."""
        started = time.monotonic()
        program = Program(self._client, self._places, self._base)
        try:
            reason = self._look_on(program, started)
        finally:
            program.end()
        if not self._stop.is_set():
            hung = Outcome("hung", error="no outcome in time")
            self._session.close(hung if reason == "hung" else Outcome("crashed", error=program.said))
        return f"{reason}, {program.said}" if reason else program.said

    def _look_on(self, program: Program, started: float) -> str:
        """Until it ends, or has to be ended: then why."""
        while not program.ended(_LOOK):
            if self._stop.is_set():
                return "stopped"
            if self._session.done:
                return "" if program.ended(_PAUSE) else "did not end"
            if reason := self._stuck(started):
                return reason
        return ""

    def _stuck(self, started: float) -> str:
        session, now = self._session, time.monotonic()
        if session.overdue > self._grace:
            return "hung"
        if session.told < started:
            return "silent" if now - started > self._client.starts_in else ""
        return "silent" if not session.busy and now - session.told > _PAUSE else ""

    def _bad_in_a_row(self) -> int:
        count = 0
        for one in reversed(self._session.trials[-MOST_BAD:]):
            if one.outcome.kind not in ("hung", "crashed"):
                break
            count += 1
        return count

    def _give_up(self, why: str) -> None:
        self.gave_up = why
        self._session.give_up()
