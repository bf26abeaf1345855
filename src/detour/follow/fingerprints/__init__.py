"""Who may have emitted a response: every row of the tables, asked at once."""

from __future__ import annotations

from detour.core.chain import Hop
from detour.follow.fingerprint import Fingerprint, Guess, guesses
from detour.follow.fingerprints.applications import APPLICATIONS
from detour.follow.fingerprints.cited import CITED
from detour.follow.fingerprints.edges import EDGES

__all__ = ["FINGERPRINTS", "emitters"]

FINGERPRINTS: tuple[Fingerprint, ...] = (*APPLICATIONS, *EDGES, *CITED)


def emitters(hop: Hop) -> tuple[Guess, ...]:
    """Who may have emitted this hop's response, the likeliest first; none for an answer without marks."""
    return guesses(hop, FINGERPRINTS)
