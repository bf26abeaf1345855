"""Why a redirect happens, and the line to change: the causes of unexpected redirects and of loops.

A table of rows each: `CAUSES` look at one redirect, `LOOPS` at the requests that come round again.
"""

from __future__ import annotations

from detour.follow.diagnosis.causes import CAUSES
from detour.follow.diagnosis.diagnose import diagnose
from detour.follow.diagnosis.loops import LOOPS

__all__ = ["CAUSES", "LOOPS", "diagnose"]
