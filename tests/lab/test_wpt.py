"""The redirect facts of web-platform-tests in three browsers: as expected, and as the lab's own cells."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from detour.lab.cases import BY_ID
from tests.lab.wpt import ASKED, BROWSERS, COUNTS, FACTS, LEFT_OUT, Compared, case_of, cell_of, compare

pytestmark = pytest.mark.skipif(not FACTS, reason="no wpt-redirect-cases in $DETOUR_DATA")

# What a browser does otherwise than a fact expects, and why.
DIFFERENT: Mapping[str, Mapping[str, str]] = {
    "chromium": {"wpt-location-0153": "an empty Location is none to Chromium: the page is handed the 302"},
    "firefox": {},
    "webkit": {},
}
# On which facts the lab's own cell has another verdict, and why.
OTHER_CELLS: Mapping[str, Mapping[str, str]] = {browser: {} for browser in BROWSERS}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("browser", BROWSERS)
def test_the_facts_hold_in_a_browser_and_in_the_lab_alike(browser: str) -> None:
    found = compare(browser)
    if not isinstance(found, Compared):
        pytest.skip(f"{browser}: {found}")
    assert found.different.keys() == DIFFERENT[browser].keys(), found.different
    assert found.other_cells.keys() == OTHER_CELLS[browser].keys(), found.other_cells
    assert found.asked == len(ASKED)


def test_every_fact_is_asked_or_left_out_for_a_written_reason() -> None:
    assert sum(COUNTS.values()) == len(FACTS)
    assert COUNTS.keys() - {"asked"} == LEFT_OUT.keys()


def test_facts_are_cases_of_their_own_beside_cells_of_the_lab() -> None:
    assert len({case_of(fact).id for fact in ASKED}) == len(ASKED)
    assert {cell_of(fact) for fact in ASKED} - {""} <= BY_ID.keys()
