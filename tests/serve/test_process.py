"""Children: how they begin and end."""

from __future__ import annotations

import os
import signal
import time

from detour.serve.process import Signals, fork, kill, reap
from tests.serve.running_server import eventually


def test_a_child_never_returns_into_its_parents_frames() -> None:
    before = os.getpid()
    process = fork(lambda: 7)
    assert os.getpid() == before
    assert eventually(lambda: reap(process), "its end") == 7


def test_a_signal_right_after_the_fork_is_the_childs_and_not_lost() -> None:
    with Signals() as signals:
        for _ in range(50):
            process = fork(_sleep, (signals,), mortal=True)
            os.kill(process, signal.SIGTERM)
            assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGTERM
        assert set(signals.wait(0)) <= {signal.SIGCHLD}


def _sleep() -> int:
    time.sleep(60)
    return 0


def test_no_signal_stays_blocked_by_a_fork() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    process = fork(lambda: len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    assert eventually(lambda: reap(process) == len(before), "the same mask in the child")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_process_that_somebody_else_reaped_counts_as_ended() -> None:
    process = fork(lambda: 0)
    os.waitpid(process, 0)
    assert reap(process) == 0
    kill(process)
