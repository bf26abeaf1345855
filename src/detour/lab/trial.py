"""One judged run of a case: a line of the journal, and what cells are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from detour.lab.case import Arrival, Case, Content, Outcome, Record
from detour.lab.contents import octets
from detour.lab.verdict import Judgement

_SHOWN = 64  # octets of content that evidence shows


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request that arrived, as evidence: its head whole, its content by measure."""

    station: int
    origin: str
    head: str  # raw octets, as Latin-1
    length: int  # of the content that was kept
    sha256: str = ""
    begins: str = ""  # the first octets, as Latin-1
    complete: bool = True


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of one case by one client, judged."""

    client: str
    case: str
    judgement: Judgement
    outcome: Outcome
    seen: tuple[Seen, ...]
    seconds: float  # from the case handed out to the outcome told

    @property
    def verdicts(self) -> tuple[str, str]:
        """On the request and on the credentials."""
        return self.judgement.request, self.judgement.credentials


def trial(client: str, case: Case, record: Record, judgement: Judgement, seconds: float) -> Trial:
    """What stays of a record when its octets go."""
    digests = _digests(case.asked.content, record.arrivals)
    seen = tuple(_seen(*both) for both in zip(record.arrivals, digests, strict=True))
    return Trial(client, case.id, judgement, record.outcome, seen, round(seconds, 4))


def _digests(asked: Content, arrivals: Sequence[Arrival]) -> Iterator[str]:
    """SHA-256 of each content; what arrives again, as it mostly does, is compared and not hashed again."""
    known = [(b"", ""), (octets(asked), _digest(asked))]
    for arrival in arrivals:
        digest = next((told for content, told in known if content == arrival.content), None)
        if digest is None:
            digest = hashlib.sha256(arrival.content).hexdigest()
            known.append((arrival.content, digest))
        yield digest


@cache
def _digest(content: Content) -> str:
    return hashlib.sha256(octets(content)).hexdigest()


def _seen(arrival: Arrival, digest: str) -> Seen:
    content = arrival.content
    return Seen(
        arrival.station,
        arrival.origin,
        arrival.head.decode("latin-1"),
        len(content),
        digest,
        content[:_SHOWN].decode("latin-1"),
        arrival.complete,
    )
