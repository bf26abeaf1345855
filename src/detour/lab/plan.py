"""Which case a client is asked next: each one twice, there and back; one that differed, five times.

The second pass goes backwards, so that no case has the same neighbour twice: a verdict that rests on the
connection, cookie or cache that the case before has left shows as one that varies.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from detour.lab.case import Case

TWICE = 2
MOST = 5

Verdicts = tuple[str, str]  # on the request, on the credentials


class Plan:
    """The order of one client's cases; `settled` are the verdicts of a run that is gone on with."""

    def __init__(
        self, cases: Sequence[Case], settled: Iterable[tuple[str, Verdicts]] = (), twice: int = TWICE
    ) -> None:
        self._cases, self._twice = tuple(cases), twice
        self._seen: dict[str, list[Verdicts]] = defaultdict(list)
        self._pass: deque[Case] = deque()
        self._backwards = False
        known = {case.id for case in cases}
        for case, verdicts in settled:
            if case in known:
                self._seen[case].append(verdicts)

    def next(self) -> Case | None:
        """The next case; None when every one is settled."""
        if not self._pass:
            wanting = [case for case in self._cases if self._wanting(case)]
            self._pass = deque(reversed(wanting) if self._backwards else wanting)
            self._backwards = not self._backwards
        return self._pass.popleft() if self._pass else None

    def settle(self, case: Case, verdicts: Verdicts) -> None:
        """Note what came of a case that was handed out."""
        self._seen[case.id].append(verdicts)

    def trials(self, case: Case) -> int:
        """How often it has been asked."""
        return len(self._seen[case.id])

    @property
    def left(self) -> int:
        """How many runs there are still to come, as far as can be told."""
        return sum(max(self._wanted(case) - self.trials(case), 0) for case in self._cases)

    def _wanting(self, case: Case) -> bool:
        return self.trials(case) < self._wanted(case)

    def _wanted(self, case: Case) -> int:
        seen = self._seen[case.id]
        return MOST if len(set(seen)) > 1 else self._twice
