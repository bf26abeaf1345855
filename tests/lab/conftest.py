"""The lab's own fixture, for the tests of it."""

from __future__ import annotations

from detour.lab.fixture import redirect_lab

__all__ = ["redirect_lab"]
