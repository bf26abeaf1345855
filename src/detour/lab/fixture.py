"""A pytest fixture for the test-suite of a client: the lab's origins and its judge.

    pytest_plugins = ["detour.lab.fixture"]             # in conftest.py

    def test_an_upload_survives_a_redirect(redirect_lab):
        def upload(asked):
            with asked.file.open("rb") as content:
                return requests.put(asked.url, data=content).status_code

        judgement = redirect_lab.ask("same/307/PUT/file", upload)
        assert judgement.request == "kept", judgement.why

docs/lab-pytest.md tells the rest. Nothing of Detour is loaded into a test-suite that does not ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from detour.errors import LabError
from detour.lab.case import Case, Fields, Outcome, filled
from detour.lab.cases import BY_ID, CASES
from detour.lab.contents import octets
from detour.lab.judge import judge
from detour.lab.recording import Recording
from detour.lab.session import SETTLING
from detour.lab.stage import Stage, open_stage
from detour.lab.verdict import Judgement


def case_ids(*globs: str) -> list[str]:
    """The ids that any of `globs` matches, for `pytest.mark.parametrize`; raises `LabError` for none."""
    found = [case.id for case in CASES if any(fnmatchcase(case.id, glob) for glob in globs)]
    if not found:
        raise LabError(f"{' '.join(globs)}: there is no such case; `detour lab serve` shows them all")
    return found


class Asked:
    """One run of a case: what the client under test is to send."""

    def __init__(self, recording: Recording, file: Path, authority: Path) -> None:
        self._recording = recording
        self.case: Case = recording.case
        self.method: str = recording.case.asked.method
        self.url: str = recording.url
        self.file = file  # its content
        self.authority = authority  # PEM: signs the certificates of the lab's https
        self.media_type: str = recording.case.asked.content.media_type

    @property
    def fields(self) -> Fields:
        """The fields to send, credentials among them; Content-Type is not."""
        asked = self.case.asked.fields
        return tuple(
            (name, filled(value, self._recording.origins, self._recording.token)) for name, value in asked
        )

    @property
    def content(self) -> bytes:
        """The content in memory."""
        return octets(self.case.asked.content)

    def answered(self, status: int) -> Judgement:
        """The verdict on a client that was handed an answer with that status."""
        return self._judged(Outcome("answered", status))

    def failed(self, error: BaseException | str) -> Judgement:
        """The verdict on a client that said so with an error."""
        told = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        return self._judged(Outcome("error", error=told))

    def _judged(self, outcome: Outcome) -> Judgement:
        self._recording.settle(SETTLING)
        return judge(self.case, self._recording.record(outcome))


class RedirectLab:
    """The lab, open as long as the tests run."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.authority: Path = stage.authority.certificate

    def begin(self, case: str) -> Asked:
        """A new run of a case; raises `LabError` for an id that is none."""
        known = BY_ID.get(case)
        if known is None:
            raise LabError(f"{case!r} is no case; `detour lab serve` shows them all")
        file = self._stage.files.content(known.asked.content)
        return Asked(self._stage.recordings.begin(known), file, self.authority)

    def ask(self, case: str, send: Callable[[Asked], int]) -> Judgement:
        """Judge what comes of `send`: it returns the status it is handed, or raises what its client does."""
        asked = self.begin(case)
        try:
            status = send(asked)
        except Exception as error:  # to refuse with an error is honest, and a verdict
            return asked.failed(error)
        return asked.answered(status)


@pytest.fixture(scope="session")
def redirect_lab() -> Iterator[RedirectLab]:
    """The lab's origins and its judge."""
    with open_stage(()) as stage:
        yield RedirectLab(stage)
