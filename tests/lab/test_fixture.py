"""The fixture for other projects: its documentation's own test-suite, run as written; and what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from detour.errors import LabError
from detour.lab.fixture import Asked, RedirectLab, case_ids
from tests.examples.running import plain_environment

DOCUMENT = Path(__file__).parents[2] / "docs" / "lab-pytest.md"


def test_the_test_suite_of_the_documentation_says_what_it_should(tmp_path: Path) -> None:
    for text in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        name = text.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"],
        cwd=tmp_path,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=100,
    )
    (why,) = re.findall(r"```text\n(.*?)\n```", DOCUMENT.read_text(), re.DOTALL)
    uploads = len(case_ids("same/30[78]/PUT/file", "origin/307/PUT/file/*"))
    tokens = len(case_ids("credentials/307/GET/authorization/*"))
    assert why in done.stdout, done.stdout + done.stderr
    assert f"1 failed, {uploads + tokens} passed" in done.stdout


def get(asked: Asked) -> int:
    status: int = requests.request(asked.method, asked.url, timeout=5).status_code
    return status


def test_a_client_that_keeps_everything_is_told_so(redirect_lab: RedirectLab) -> None:
    assert redirect_lab.ask("same/307/GET/none", get).request == "kept"


def test_an_error_is_honest(redirect_lab: RedirectLab) -> None:
    def refuse(asked: Asked) -> int:
        raise ConnectionError("no redirects here")

    judgement = redirect_lab.ask("same/307/GET/none", refuse)
    assert judgement.request == "unsupported"  # nothing was sent at all


def test_a_run_can_be_judged_by_hand(redirect_lab: RedirectLab) -> None:
    asked = redirect_lab.begin("same/307/GET/none")
    answer = requests.get(asked.url, timeout=5, allow_redirects=False)
    assert asked.answered(answer.status_code).request == "refused"
    assert asked.failed(ValueError("redirected")).request == "refused"
    assert asked.answered(200).request == "lost"


def test_what_is_to_be_sent_is_there_in_memory_and_as_a_file(redirect_lab: RedirectLab) -> None:
    asked = redirect_lab.begin("same/307/PUT/file")
    assert asked.file.read_bytes() == asked.content
    assert len(asked.content) == 100_000
    assert asked.media_type == "application/octet-stream"


def test_fields_are_as_the_case_has_them(redirect_lab: RedirectLab) -> None:
    names = [name for name, _ in redirect_lab.begin("credentials/307/GET/authorization/same").fields]
    assert names == ["Authorization"]


def test_a_case_that_is_none_is_refused(redirect_lab: RedirectLab) -> None:
    with pytest.raises(LabError, match="'same/307/GET' is no case"):
        redirect_lab.begin("same/307/GET")
    with pytest.raises(LabError, match="there is no such case"):
        case_ids("same/307/GET")
