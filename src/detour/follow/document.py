"""A chain as JSON: the document of `detour trace --json` (design, section 8; contract, *Command line*)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from detour.audit.finding import Finding
from detour.core.chain import (
    Chain,
    ContentKept,
    CredentialsKept,
    Hop,
    content_kept,
    credentials_kept,
    method_kept,
)
from detour.follow.early import early_answer
from detour.follow.fingerprint import Guess
from detour.follow.trace import Judged


class Carried(msgspec.Struct, frozen=True):
    """What became of a request on the way to the next one."""

    method_kept: bool
    content: ContentKept
    credentials: CredentialsKept


def carried(chain: Chain, place: int) -> Carried | None:
    """What the redirect at `place` made of its request; None when no request follows from it."""
    hop = chain.hops[place]
    if place + 1 < len(chain.hops):
        before, after = hop.request, chain.hops[place + 1].request
        return Carried(
            method_kept(before, after), content_kept(before, after), credentials_kept(before, after)
        )
    if chain.end.name == "not-replayable":
        return Carried(True, "not-replayable", "none")
    return None


def document(judged: Judged) -> dict[str, Any]:
    """The chain, its end and its findings; each hop's own findings stand in it, too."""
    chain = judged.chain
    return {
        "policy": chain.policy,
        "hops": [_hop(judged, place) for place in range(len(chain.hops))],
        "end": chain.end.name,
        "end_detail": chain.end.detail,
        "findings": [finding_document(finding) for finding in judged.findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding without what is unknown of it; `hop` counts from 0."""
    fields: dict[str, Any] = msgspec.to_builtins(finding)
    return {name: value for name, value in fields.items() if value not in ("", None, -1)}


def _hop(judged: Judged, place: int) -> dict[str, Any]:
    hop = judged.chain.hops[place]
    kept = carried(judged.chain, place)
    return {
        "method": hop.request.method,
        "url": str(hop.request.url),
        **_answer(hop),
        **_expect(hop),
        "emitter": emitter_document(judged.guesses[place]),
        "method_kept": kept.method_kept if kept else None,
        "content": kept.content if kept else None,
        "credentials": kept.credentials if kept else None,
        "findings": [finding_document(one) for one in judged.findings if one.hop == place],
    }


# What a hop says of its answer; null where none came.
_OF_AN_ANSWER = (
    "status",
    "reason",
    "location",
    "location_url",
    "http_version",
    "remote",
    "headers",
    "interim",
    "content_length",
    "sent",
    "cut",
    "timings",
    "certificate",
)


def _answer(hop: Hop) -> dict[str, Any]:
    response = hop.response
    if response is None:
        return dict.fromkeys(_OF_AN_ANSWER)
    return {
        "status": response.status,
        "reason": response.reason,
        "location": next(iter(response.locations), None),
        "location_url": str(hop.location_url) if hop.location_url else None,
        "http_version": response.http_version,
        "remote": response.remote,
        "headers": [list(field) for field in response.fields],
        "interim": list(response.interim),
        "content_length": response.content_length,
        "sent": response.sent,
        "cut": response.cut,
        "timings": msgspec.to_builtins(response.timings),
        "certificate": msgspec.to_builtins(response.certificate),
    }


def _expect(hop: Hop) -> dict[str, Any]:
    if hop.response is None or not hop.request.values("expect"):
        return {}
    return {"expect": msgspec.to_builtins(early_answer(hop.response))}


def emitter_document(guesses: tuple[Guess, ...]) -> dict[str, Any] | None:
    """The best guess; `also`: further programs that it may be or that stand behind it."""
    if not guesses:
        return None
    best, *others = guesses
    also = list(dict.fromkeys(one.emitter for one in others if one.emitter != best.emitter))
    sure: Literal["is", "suggests"] = best.confidence
    return {
        "name": best.emitter,
        "cause": best.cause,
        "confidence": sure,
        "why": best.why,
        "remedy": best.remedy,
        "also": also,
    }
