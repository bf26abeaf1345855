"""What every test shares: no skipping where everything must be there."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("detour", deadline=None, print_blob=True)
settings.load_profile("detour")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With DETOUR_NO_SKIP=1 (CI), a test that skips because a program or data is absent fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("DETOUR_NO_SKIP") == "1" and skipped and session.exitstatus == 0:
        reporter.write_line(f"DETOUR_NO_SKIP: {len(skipped)} skipped, and nothing may skip here")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
