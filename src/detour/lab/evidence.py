"""What a page tells of a cell when it is asked: each request as it arrived, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detour.lab.case import Outcome
from detour.lab.remarks import remarks
from detour.lab.result import Cell, Often
from detour.lab.trial import Seen
from detour.lab.verdict import Difference, Note, Sent


class Request(msgspec.Struct, frozen=True):
    """One request: as it arrived, and as it was judged. `form`: "" if it was set aside."""

    origin: str
    head: str
    length: int
    sha256: str
    begins: str
    complete: bool
    form: str
    difference: Difference | None


class Told(msgspec.Struct, frozen=True):
    """One cell, for whoever asks."""

    why: str
    credentials_why: str
    said: str
    trials: int
    varying: tuple[Often, ...]
    notes: tuple[Note, ...]
    remarks: tuple[str, ...]
    requests: tuple[Request, ...]


def told(client: str, cell: Cell) -> Told:
    """Everything that is known of the run shown."""
    shown, judgement = cell.shown, cell.shown.judgement
    return Told(
        judgement.why,
        judgement.credentials_why,
        said(shown.outcome),
        cell.trials,
        cell.varying,
        judgement.notes,
        remarks(client, cell),
        _requests(shown.seen, judgement.evidence),
    )


def said(outcome: Outcome) -> str:
    """What the client said of itself, in a line."""
    if outcome.kind == "answered":
        where = f", at {outcome.url}" if outcome.url else ""
        return f"status {outcome.status}{where}"
    return f"{outcome.kind}: {outcome.error}" if outcome.error else outcome.kind


def _requests(seen: Sequence[Seen], sent: Sequence[Sent]) -> tuple[Request, ...]:
    """All that arrived. Of a request that was sent again the last one was judged: so from the end."""
    judged = list(sent)
    found: list[Request] = []
    for one in reversed(seen):
        known = judged.pop() if judged and _is(one, judged[-1]) else None
        parts = (one.origin, one.head, one.length, one.sha256, one.begins, one.complete)
        found.append(Request(*parts, known.form if known else "", known.difference if known else None))
    return tuple(reversed(found))


def _is(seen: Seen, sent: Sent) -> bool:
    return seen.station == sent.station and seen.head.partition(" ")[0] == sent.method
