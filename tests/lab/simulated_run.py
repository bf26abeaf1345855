"""Whole results of simulated clients: what reports are made of, without a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import msgspec

from detour.lab.case import Answer, Case
from detour.lab.cases import CASES
from detour.lab.judge import judge
from detour.lab.result import ClientResult, Results, case_shown, cells
from detour.lab.trial import Trial, trial
from tests.lab.simulated import Honest, Request

# What is asked here: without the largest content, which takes seconds to compare and shows nothing else.
LIBRARY = tuple(
    case
    for case in CASES
    if "library" in case.runs_in and case.asked.api == "http" and case.asked.content.length < 1 << 20
)


class Forgetful(Honest):
    """Sends a stream a second time, empty."""

    def changed(self, request: Request, number: int) -> Request:
        kept = self.case.asked.content.kind != "stream"
        return request if kept else replace(request, content=b"")


class Trusting(Honest):
    """Takes every field along, wherever it goes."""

    def redirected(self, request: Request, status: int, url: str) -> Request:
        method = self.method(request.method, status)
        content = request.content if method == request.method else b""
        return Request(method, url, request.fields, content)


class Fickle(Honest):
    """Follows a PUT every other time it is asked."""

    times = 0

    def follows(self, answer: Answer) -> bool:
        if self.case.asked.method == "PUT" and answer.locations:
            Fickle.times += 1
            return Fickle.times % 2 == 0 and super().follows(answer)
        return super().follows(answer)


def played(
    name: str, client: Callable[[Case], Honest], cases: Sequence[Case], times: int = 2
) -> ClientResult:
    """One client's result."""

    def once(case: Case) -> Trial:
        record = client(case).record()
        return trial(name, case, record, judge(case, record), 0.001)

    trials = [once(case) for case in cases for _ in range(times)]
    races = {case.id for case in cases if case.race}
    return ClientResult(name, "Python", "by hand", "1.0", seconds=0.1, cells=cells(cases, trials, races))


def results(*clients: ClientResult, cases: Sequence[Case] = LIBRARY) -> Results:
    """A document."""
    shown = tuple(map(case_shown, cases))
    return Results("0.1.0", "2026-11-22T10:00:00+00:00", "Linux, Python 3.11", shown, clients, seconds=1.0)


@cache
def four_and_one_absent() -> Results:
    """The document that most tests of reports are about."""
    return results(
        played("honest", Honest, LIBRARY),
        played("forgetful", Forgetful, LIBRARY),
        played("trusting", Trusting, LIBRARY),
        played("fickle", Fickle, LIBRARY, times=5),
        msgspec.structs.replace(played("gone", Honest, ()), absent="gone is not installed"),
    )
