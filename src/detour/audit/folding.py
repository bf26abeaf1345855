"""Findings for a person, each fact once: what a cause explains is named beside it and not told again.

A program (JSON, SARIF, JUnit) gets every finding; so does whoever allows one by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from detour.audit.finding import SEVERITIES, Finding

_ROUND = frozenset({"redirect-loop", "self-redirect", "long-chain"})

# A cause or a loop of the diagnosis, and the checks that see the same from the outside.
EXPLAINS: dict[str, frozenset[str]] = {
    "starlette-slash": frozenset({"slash-only"}),
    "go-slash": frozenset({"slash-only"}),
    "untrusted-forwarded-scheme": frozenset({"scheme-downgrade"}),
    "nginx-passed-redirect": frozenset({"internal-host-leak", "port-leak"}),
    "browser-made": frozenset({"browser-internal"}),
    "edge-challenge": frozenset({"challenge-loop"}),
    "cookie-challenge": _ROUND | {"challenge-loop"},
    "empty-location": _ROUND,
    "flexible-tls": _ROUND,
    "offloaded-tls": _ROUND,
    "scheme-ping-pong": _ROUND | {"scheme-downgrade"},
    "slash-ping-pong": _ROUND | {"slash-only"},
    "host-ping-pong": _ROUND,
}


class Told(msgspec.Struct, frozen=True):
    """A finding, and the names of further checks that found the same."""

    finding: Finding
    also: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """What a person can allow: `slash-only`, or `starlette-slash, slash-only`."""
        return ", ".join((self.finding.check, *self.also))


def per_outcome(finding: Finding) -> tuple[tuple[str, str], ...]:
    """Its requests of each method, those of one outcome together, and what comes of them."""
    methods: dict[tuple[str, str], list[str]] = {}
    for seen in finding.per_method:
        method, _, url = seen.request.partition(" ")
        methods.setdefault((url, seen.becomes), []).append(method)
    return tuple((f"{', '.join(names)} {url}", becomes) for (url, becomes), names in methods.items())


def folded(findings: Sequence[Finding]) -> tuple[Told, ...]:
    """The findings in their order, without those that another one explains."""
    explained = dict(_explained(findings))
    also: dict[int, list[str]] = {}
    for place, by in explained.items():
        also.setdefault(by, []).append(findings[place].check)
    return tuple(
        Told(one, tuple(dict.fromkeys(also.get(place, ()))))
        for place, one in enumerate(findings)
        if place not in explained
    )


def _explained(findings: Sequence[Finding]) -> Iterator[tuple[int, int]]:
    """Places of findings that are explained, each with the place of what explains it."""
    causes = [place for place, one in enumerate(findings) if one.check in EXPLAINS]
    for place, one in enumerate(findings):
        by = next((cause for cause in causes if _explains(findings[cause], one)), None)
        if by is not None:
            yield place, by


def _explains(cause: Finding, one: Finding) -> bool:
    """What is not certain stands in for a note only; a loop is explained wherever it was seen."""
    if one.check not in EXPLAINS[cause.check] or SEVERITIES.index(one.severity) > SEVERITIES.index(
        cause.severity
    ):
        return False
    same_hop = cause.hop == one.hop or one.check in _ROUND
    return same_hop and (cause.confidence == "is" or one.severity == "note")
