"""What an upgrade changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from detour.lab.diff import Difference, difference, lines
from detour.lab.result import ClientResult, Results
from tests.examples.running import program
from tests.lab.simulated import Honest
from tests.lab.simulated_run import LIBRARY, Fickle, Forgetful, played, results

CASES = tuple(case for case in LIBRARY if case.group == "same" and case.asked.method in ("POST", "PUT"))


def run_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=100)


def at(version: str, client: ClientResult) -> Results:
    return results(msgspec.structs.replace(client, name="one", version=version), cases=CASES)


@pytest.fixture(scope="module")
def old() -> Results:
    return at("1.0", played("one", Forgetful, CASES))


@pytest.fixture(scope="module")
def new() -> Results:
    return at("1.1", played("one", Honest, CASES))


def test_the_same_run_differs_in_nothing(old: Results) -> None:
    assert difference(old, old).clients == ()


def test_cells_of_a_race_are_counted_and_not_compared() -> None:
    race = tuple(case for case in LIBRARY if case.race)[:1]
    old = results(played("one", Honest, race), cases=race)
    cell = old.clients[0].cells[0]
    assert cell.unsettled
    assert not cell.varying
    lost = msgspec.structs.replace(cell, request="lost")
    newer = msgspec.structs.replace(old.clients[0], version="1.1", cells=(lost,))
    (change,) = difference(old, msgspec.structs.replace(old, clients=(newer,))).clients
    assert (change.cells, change.compared, change.raced) == ((), 1, 1)


def test_an_upgrade_that_mends_is_better_and_back_is_worse(old: Results, new: Results) -> None:
    (change,) = difference(old, new).clients
    assert (change.old_version, change.new_version, change.status) == ("1.0", "1.1", "asked")
    assert {cell.way for cell in change.cells} == {"better"}
    assert {cell.case.rpartition("/")[2] for cell in change.cells} == {"stream"}
    stream = next(cell for cell in change.cells if cell.case == "same/307/POST/stream")
    assert (stream.old, stream.new) == ("lost, none sent", "kept, none sent")
    (back,) = difference(new, old).clients
    assert {cell.way for cell in back.cells} == {"worse"}
    assert len(back.cells) == len(change.cells)


def test_a_new_version_that_changes_nothing_is_told(new: Results) -> None:
    newer = at("1.2", new.clients[0])
    told = next(lines(difference(new, newer)))
    assert told == f"one: 1.1 → 1.2: no cell changed, of {len(CASES)} cells"


def test_to_refuse_what_was_kept_is_worse(new: Results) -> None:
    refused = msgspec.structs.replace(new.clients[0].cells[0], request="refused")
    rest = new.clients[0].cells[1:]
    after = at("1.1", msgspec.structs.replace(new.clients[0], cells=(refused, *rest)))
    (change,) = difference(new, after).clients
    assert [(cell.case, cell.way) for cell in change.cells] == [(refused.case, "worse")]


def test_what_varied_before_and_after_is_no_change(new: Results) -> None:
    before, after = (at("1.0", played("one", Fickle, CASES, times=times)) for times in (5, 4))
    assert difference(before, after).clients == ()
    (settled,) = difference(before, new).clients
    assert {cell.way for cell in settled.cells} == {"better"}
    assert all("(varying)" in cell.old for cell in settled.cells)


def test_clients_that_came_went_or_were_absent(old: Results) -> None:
    gone = msgspec.structs.replace(old, clients=())
    absent = at("", msgspec.structs.replace(old.clients[0], absent="not installed", cells=()))
    assert [one.status for one in difference(gone, old).clients] == ["new"]
    assert [one.status for one in difference(old, gone).clients] == ["gone"]
    assert [one.status for one in difference(absent, old).clients] == ["new"]
    assert [one.status for one in difference(old, absent).clients] == ["gone"]
    assert difference(absent, absent).clients == ()
    assert difference(absent, gone).clients == ()


def test_the_command_tells_in_text_and_in_json_and_ends_with_1(
    old: Results, new: Results, tmp_path: Path
) -> None:
    files = []
    for name, run in (("old", old), ("new", new)):
        file = tmp_path / f"{name}.json"
        file.write_bytes(msgspec.json.encode(run))
        files.append(str(file))
    told = run_command(program("detour"), "lab", "diff", *files)
    assert told.returncode == 1
    assert told.stdout.splitlines()[0].startswith("one: 1.0 → 1.1: 6 better, of")
    assert "  better  same/307/POST/stream: lost, none sent → kept, none sent" in told.stdout
    document = run_command(program("detour"), "lab", "diff", "--json", *files).stdout
    assert msgspec.convert(json.loads(document), Difference) == difference(old, new)
    assert run_command(program("detour"), "lab", "diff", files[0], files[0]).returncode == 0
