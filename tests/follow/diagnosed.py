"""The diagnosis of a chain as `detour trace` makes it: who emitted each hop is asked first."""

from __future__ import annotations

from detour.audit.finding import Finding
from detour.core.chain import Chain
from detour.follow.diagnosis import diagnose
from detour.follow.fingerprints import emitters


def diagnosed(chain: Chain) -> list[Finding]:
    """Every cause and loop found in the chain."""
    return diagnose(chain, tuple(emitters(hop) for hop in chain.hops))
