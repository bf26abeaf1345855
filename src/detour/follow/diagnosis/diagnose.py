"""The rows of both tables held against a chain. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detour.audit.finding import Finding
from detour.core.chain import Chain
from detour.follow.diagnosis.causes import CAUSES_OF
from detour.follow.diagnosis.loops import LOOPS
from detour.follow.diagnosis.sight import Cause, Loop, Sight, filled, round_trip, shown, sights
from detour.follow.fingerprint import Guess


def diagnose(chain: Chain, guesses: Sequence[tuple[Guess, ...]] = ()) -> list[Finding]:
    """Why this chain redirects as it does: its loop first, then the causes, each once for a target URI."""
    seen = sights(chain, guesses)
    loops = list(_loops(chain, seen))
    findings = [*loops, *_causes(seen, {loop.check for loop in loops})]
    return list({(finding.check, finding.url): finding for finding in reversed(findings)}.values())[::-1]


def _causes(seen: Sequence[Sight], loops: set[str]) -> Iterator[Finding]:
    for sight in seen:
        for cause in CAUSES_OF[sight.response.status]:
            if cause.better not in loops and cause.seen(sight):
                message, remedy = filled(cause.message, sight), filled(cause.remedy(sight), sight)
                yield _finding(cause, sight, message, remedy, cause.sure(sight))


def _loops(chain: Chain, seen: Sequence[Sight]) -> Iterator[Finding]:
    """The first row that explains the round; an empty Location needs none, unless the chain arrived."""
    came_back = round_trip(chain, seen)
    empty = [(sight,) for sight in seen if not sight.location and chain.end.name != "arrived"]
    rounds = [came_back] if came_back else empty
    for steps in rounds:
        loop = next((loop for loop in LOOPS if loop.seen(steps)), None)
        if loop is not None:
            urls = [shown(str(url)) for url in (*(step.url for step in steps), steps[-1].to)]
            message = f"{filled(loop.message, steps[0])}: {' → '.join(urls)}"
            yield _finding(loop, steps[0], message, loop.remedy(steps), loop.sure(steps))


def _finding(row: Cause | Loop, sight: Sight, message: str, remedy: str, sure: bool) -> Finding:
    request = sight.hop.request
    return Finding(
        row.name,
        row.severity,
        message,
        remedy,
        url=str(request.url),
        hop=sight.place,
        witness=f"{request.method} {request.url}",
        confidence=row.confidence if sure else "suggests",
    )
