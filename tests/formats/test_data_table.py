"""Every rule file and configuration of others is read, as what it is, or refused for a named reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.formats.dialects import NAMES, detected
from tests.formats import data_table
from tests.formats.data_table import DATA, REFUSED, SOURCES, Row, measure, rows, source, written

BAR = 0.03  # of the lines that redirect, those that are not understood
WORKED_ON = {"nginx"}  # a reason that has become needless there is no failure


@pytest.fixture(scope="module")
def read() -> list[Row]:
    """Every file, read once. What a reader raises fails here."""
    if not DATA.exists():
        pytest.skip(f"$DETOUR_DATA ({DATA}) is absent")
    return list(rows())


def test_every_file_has_a_row_in_the_table_of_sources(read: list[Row]) -> None:
    assert [row.file for row in read if row.fact == "no row of SOURCES"] == []
    assert sum(row.dialect != "" for row in read) > 200


def test_every_file_is_taken_for_what_it_is(read: list[Row]) -> None:
    wrong = []
    for row in read:
        known = source(row.file)
        assert known is not None
        if row.dialect != known.dialect or (row.by == "told" and not known.told):
            wrong.append((row.file, row.dialect, row.by))
    assert wrong == []


def test_what_is_no_configuration_is_taken_for_none() -> None:
    if not DATA.exists():
        pytest.skip(f"$DETOUR_DATA ({DATA}) is absent")
    taken = {}
    for name in data_table.files():
        known = source(name)
        if known is not None and not known.dialect:
            found = detected(Path(name).name, (DATA / name).read_text("utf-8", "replace"))
            if found is not None:
                taken[name] = found.name
    assert taken == {}


def test_a_file_is_refused_for_a_reason_that_is_listed(read: list[Row]) -> None:
    refused = {row.file: row.fact for row in read if row.dialect in NAMES and not row.by}
    assert refused.keys() == REFUSED.keys()
    assert all(REFUSED[name] in fact for name, fact in refused.items())


def test_all_but_three_in_a_hundred_redirects_are_understood(read: list[Row]) -> None:
    beyond = {row.file: row.share for row in read if not row.why and row.share >= BAR}
    assert beyond == {}
    assert sum(row.not_understood for row in read) < BAR * sum(row.found for row in read)


def test_no_reason_is_listed_that_is_not_needed(read: list[Row]) -> None:
    needless = []
    for one in SOURCES:
        its = [row for row in read if source(row.file) == one]
        needed = any(row.share >= BAR or row.file in REFUSED for row in its)
        if one.dialect and one.why and one.dialect not in WORKED_ON and not needed:
            needless.append(one.glob)
    assert needless == []


def test_a_large_file_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    written(path, 20_000)
    got = measure(path, "csv")
    assert got.rules == 20_000
    assert got.processor < 5  # 0.3 on a machine that does nothing else
    assert got.peak - got.before < 100
