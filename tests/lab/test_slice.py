"""The short run, over every client that is there: in time, and without a fault that was not known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from detour.lab.baseline import held
from detour.lab.cases import GROUPS, SLICE
from tests.examples.running import REPOSITORY, plain_environment, program
from tests.lab.slice import KNOWN, document

SECONDS = 180  # what a short run may take on two processors


@pytest.mark.timeout(400)
def test_the_short_run_is_done_in_time_and_finds_no_new_fault(tmp_path: Path) -> None:
    result = tmp_path / "slice.json"
    words = ("lab", "--slice", "--json", "-o", str(result), "--baseline", str(KNOWN))
    done = subprocess.run(
        [program("detour"), *words],
        env={**plain_environment(), "DETOUR_LAB_PEERS": str(REPOSITORY / "tests" / "peers")},
        capture_output=True,
        text=True,
        timeout=390,
    )
    run = json.loads(result.read_text())
    new = held(result.read_bytes(), "the run") - held(KNOWN.read_bytes(), KNOWN.name)
    assert not new, sorted(new)
    assert (done.returncode, done.stderr) == (0, "")
    asked = [one for one in run["clients"] if not one.get("absent")]
    assert len(asked) >= 30
    assert len({one["language"] for one in asked}) >= 8
    assert run["seconds"] < SECONDS


def test_the_short_run_has_cases_of_every_group_and_is_short() -> None:
    assert {case.group for case in SLICE} == GROUPS.keys()
    assert len(SLICE) <= 80


def test_known_faults_are_written_as_a_baseline_reads_them() -> None:
    known = held(KNOWN.read_bytes(), KNOWN.name)
    assert known
    assert held(document(known), "again") == known
