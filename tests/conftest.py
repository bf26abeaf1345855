"""What every test shares: nothing skips where everything must be there, and programs heed an interrupt."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("detour", deadline=None, print_blob=True)
settings.load_profile("detour")

# What a shell runs in the background ignores SIGINT, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With DETOUR_NO_SKIP=1 (CI), a test that skips because a program or data is absent fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("DETOUR_NO_SKIP") == "1" and skipped and session.exitstatus == 0:
        reporter.write_line(f"DETOUR_NO_SKIP: {len(skipped)} skipped, and nothing may skip here")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
