"""Children: how they begin and end."""

from __future__ import annotations

import os

from detour.serve.process import fork, kill, reap
from tests.serve.running_server import eventually


def test_a_child_never_returns_into_its_parents_frames() -> None:
    before = os.getpid()
    process = fork(lambda: 7)
    assert os.getpid() == before
    assert eventually(lambda: reap(process), "its end") == 7


def test_a_process_that_somebody_else_reaped_counts_as_ended() -> None:
    process = fork(lambda: 0)
    os.waitpid(process, 0)
    assert reap(process) == 0
    kill(process)
