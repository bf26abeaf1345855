"""The short run, over most clients that are there: without a fault that was not known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from detour.lab.baseline import held
from detour.lab.cases import GROUPS, SLICE
from detour.lab.clients import CLIENTS
from tests.examples.running import REPOSITORY, plain_environment, program
from tests.lab.slice import KNOWN, document

# Asked by whole runs alone: they start anew for each request, hang often, or are the sibling of another.
LEFT_OUT = {
    *("httpie", "detour trace", "wget2", "libcurl --follow", "apache-httpclient-4-lax", "fasthttp"),
    *("faraday", "httparty", "rest-client", "http.rb", "httpclient", "excon", "typhoeus", "open-uri"),
    *(
        "LWP::UserAgent-all",
        "WWW::Mechanize",
        "Mojo::UserAgent",
        "Furl",
        "php-streams",
        "symfony/http-client",
    ),
    *("chromium-xhr", "firefox-xhr", "webkit-xhr", "firefox-form", "webkit-form", "primp", "scrapy"),
}
MOST_AGAIN = 12  # cells that are asked again, by themselves


def short_run(result: Path, *more: str) -> dict[str, Any]:
    """A short run, or those cells of it that `more` names."""
    words = ("lab", *more, "--json", "-o", str(result), "--baseline", str(KNOWN))
    done = subprocess.run(
        [program("detour"), *words],
        env={**plain_environment(), "DETOUR_LAB_PEERS": str(REPOSITORY / "tests" / "peers")},
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    run: dict[str, Any] = json.loads(result.read_text())
    return run


def new_faults(result: Path) -> set[tuple[str, str, str]]:
    return {*held(result.read_bytes(), "the run")} - {*held(KNOWN.read_bytes(), KNOWN.name)}


@pytest.mark.timeout(600)
def test_the_short_run_finds_no_new_fault(tmp_path: Path) -> None:
    """A new fault counts when it comes again with the machine to itself: time runs out on a busy one."""
    names = [word for client in CLIENTS if client.name not in LEFT_OUT for word in ("--client", client.name)]
    run = short_run(tmp_path / "slice.json", "--slice", *names)
    found = sorted(new_faults(tmp_path / "slice.json"))
    assert len(found) <= MOST_AGAIN, found
    for number, (client, case, _) in enumerate(found):
        alone = tmp_path / f"again-{number}.json"
        short_run(alone, "--client", client, "--case", case)
        assert not new_faults(alone), (client, case)
    asked = [one for one in run["clients"] if not one.get("absent")]
    assert len(asked) >= 30
    assert len({one["language"] for one in asked}) >= 8


def test_the_short_run_has_cases_of_every_group_and_is_short() -> None:
    assert {case.group for case in SLICE} == GROUPS.keys()
    assert len(SLICE) <= 80


def test_known_faults_are_written_as_a_baseline_reads_them() -> None:
    known = held(KNOWN.read_bytes(), KNOWN.name)
    assert known
    assert held(document(known), "again") == known
