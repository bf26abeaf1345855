"""Cases that others published, for the tests: each holds, differs or is left out, for a written reason."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("DETOUR_DATA", Path(__file__).parents[3] / "shared" / "data"))

Case = dict[str, Any]


def lines(name: str) -> list[Case]:
    """The cases of a file of JSON lines; none where it is absent."""
    file = DATA / name
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


class Published:
    """A set of cases, sorted: `held`, `different` (with a reason each), `left_out` (how many, by reason)."""

    def __init__(
        self,
        cases: list[Case],
        exclusion: Callable[[Case], str | None],
        differences: Mapping[object, str],
        key: Callable[[Case], object] = lambda case: case["id"],
    ) -> None:
        self.cases, self.differences, self.key = cases, differences, key
        asked = [case for case in cases if exclusion(case) is None]
        self.held = [case for case in asked if key(case) not in differences]
        self.different = [case for case in asked if key(case) in differences]
        self.left_out = Counter(reason for case in cases if (reason := exclusion(case)) is not None)

    @property
    def counts(self) -> dict[str, int]:
        """How many are held, differ, or are left out for which reason; every case once."""
        counts = {"held": len(self.held), "different": len(self.different), **self.left_out}
        assert sum(counts.values()) == len(self.cases)
        return counts

    def no_differences(self, check: Callable[[Case], None]) -> set[object]:
        """The keys of `differences` that are none: Detour does what the case says, or no case has it."""
        same = set(self.differences)
        for case in self.different:
            try:
                check(case)
            except AssertionError:
                same.discard(self.key(case))
        return same
