"""Clients × cases in one command: who is there is asked everything, a few programs at once."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

import msgspec

from detour.lab.case import Case
from detour.lab.client import Client
from detour.lab.journal import Journal
from detour.lab.plan import TWICE, Plan
from detour.lab.program import Found, Places, find, prepare
from detour.lab.result import ClientResult, Results, case_shown, cells
from detour.lab.session import Session
from detour.lab.stage import Stage, open_stage
from detour.lab.trial import Trial
from detour.lab.watch import GRACE, Staged, Watch

_LOOK = 0.2  # seconds between two looks for an interrupt


class Manner(msgspec.Struct, frozen=True):
    """How a run is done. `at_once`: programs at a time; more than processors, for many only wait."""

    at_once: int = 2 * (os.cpu_count() or 1) + 1
    twice: int = TWICE  # runs of a cell that does not differ
    grace: float = GRACE


class Told(msgspec.Struct, frozen=True):
    """Whom a run tells what: how many trials to expect, and each as it is judged."""

    expect: Callable[[int], None] = lambda _: None
    trial: Callable[[Trial], None] = lambda _: None


class Run:
    """Clients and cases, to be asked once."""

    def __init__(
        self,
        clients: Sequence[Client],
        cases: Sequence[Case],
        manner: Manner,
        told: Told,
        journal: Journal | None = None,
    ) -> None:
        self._clients, self._cases = tuple(clients), tuple(cases)
        self._manner, self._told, self._journal = manner, told, journal
        self._stop = threading.Event()
        self._fault: Exception | None = None

    def results(self, version: str) -> Results:
        """Ask everything; an interrupt ends all programs and is raised. `version` is Detour's."""
        began = time.monotonic()
        with open_stage(self._cases) as stage:
            asked = self._ask_all(stage)
        return Results(
            version,
            datetime.now(UTC).isoformat(timespec="seconds"),
            f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
            tuple(case_shown(case) for case in self._cases),
            tuple(asked),
            round(time.monotonic() - began, 3),
        )

    def _ask_all(self, stage: Stage) -> list[ClientResult]:
        places = Places(stage.folder / "run", stage.authority.certificate)
        with ThreadPoolExecutor(self._manner.at_once) as pool:
            try:
                found = list(pool.map(lambda one: find(one, places.of(one)), self._clients))
                askings = [
                    _Asking(client, one, self._session(client, one, stage), self._cases)
                    for client, one in zip(self._clients, found, strict=True)
                ]
                self._told.expect(sum(one.session.plan.left for one in askings if not one.found.absent))
                asked = self._all(pool, askings, Staged(places, stage.base, self._manner.grace, self._stop))
            except BaseException:
                self._stop.set()
                raise
        if self._fault is not None:
            raise self._fault
        return asked

    def _session(self, client: Client, found: Found, stage: Stage) -> Session:
        asked = [case for case in self._cases if not client.refuses(case)]
        known = self._journal.trials(client.name, found.version) if self._journal else []
        plan = Plan(asked, ((one.case, one.verdicts) for one in known), self._manner.twice)

        def keep(one: Trial) -> None:
            if self._stop.is_set():
                return
            try:
                if self._journal:
                    self._journal.add(one, found.version)
                self._told.trial(one)
            except Exception as error:  # in a thread of an origin: it is raised where the run is waited for
                self._fault = error
                self._stop.set()

        session = stage.sessions.open(client.name, plan, keep)
        session.trials.extend(known)
        return session

    def _all(
        self, pool: ThreadPoolExecutor, askings: Sequence[_Asking], staged: Staged
    ) -> list[ClientResult]:
        """Those that run beside others first, of them those that wait most; then, one by one, those that do
        not."""

        def submit(one: _Asking) -> Future[ClientResult]:
            return pool.submit(one.result, staged)

        longest_first = sorted(askings, key=lambda one: not one.client.waits)
        done = {one.client.name: submit(one) for one in longest_first if one.client.at_once}
        _wait_for(done.values())
        for one in askings:
            if not one.client.at_once:
                done[one.client.name] = submit(one)
                _wait_for([done[one.client.name]])
        return [done[one.client.name].result() for one in askings]


class _Asking:
    """One client, to be asked."""

    def __init__(self, client: Client, found: Found, session: Session, cases: Sequence[Case]) -> None:
        self.client, self.found, self.session, self._cases = client, found, session, cases

    def result(self, staged: Staged) -> ClientResult:
        """Ask it everything."""
        client = self.client
        own = staged.places.of(client)
        absent = self.found.absent or (prepare(client, own) if self.session.plan.left else "")
        if absent:
            return ClientResult(client.name, client.language, client.follows, absent=absent)
        began = time.monotonic()
        watch = Watch(client, self.session, own, staged)
        watch.run()
        races = {case.id: client.race(case) for case in self._cases if client.race(case)}
        return ClientResult(
            client.name,
            client.language,
            client.follows,
            self.found.version,
            gave_up=watch.gave_up,
            seconds=round(time.monotonic() - began, 3),
            cells=cells(self._cases, self.session.trials, races),
            not_asked=self._not_asked(watch.gave_up),
            races={case.id: races[case.id] for case in self._cases if case.id in races and not case.race},
        )

    def _not_asked(self, gave_up: str) -> dict[str, str]:
        reasons = ((case.id, self.client.refuses(case)) for case in self._cases)
        told = {case: reason for case, reason in reasons if reason}
        if gave_up:
            asked = {one.case for one in self.session.trials}
            told |= {case.id: gave_up for case in self._cases if case.id not in asked and case.id not in told}
        return told


def _wait_for(futures: Iterable[Future[ClientResult]]) -> None:
    """Until all are done; the first that failed is raised at once, and so is an interrupt."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, _LOOK, FIRST_COMPLETED)
        for one in done:
            one.result()
