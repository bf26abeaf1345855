"""What a run of the lab comes to: one document, from which every report is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec

from detour.lab.case import Case
from detour.lab.trial import Trial
from detour.lab.verdict import CREDENTIALS, REQUEST, VERDICTS

FORMAT = 1  # of the document; another number is another format


def rank(verdict: str) -> tuple[bool, int]:
    """Faults first, the worst of them first; after them what is less than the best comes before it."""
    axis = [one.name for one in (REQUEST if VERDICTS[verdict].axis == "request" else CREDENTIALS)]
    bold, place = VERDICTS[verdict].bold, axis.index(verdict)
    return not bold, place if bold or VERDICTS[verdict].axis == "credentials" else -place


class Often(msgspec.Struct, frozen=True):
    """A pair of verdicts, and how often it was seen."""

    request: str
    credentials: str
    times: int
    why: str = ""  # of the first run that had it


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One client's answer to one case: on each axis the worst verdict seen, and the first run that had it."""

    case: str
    request: str
    credentials: str
    trials: int
    shown: Trial
    varying: tuple[Often, ...] = ()  # more than one: the runs differed
    race: bool = False  # the case is one, or the client has one: another run may have another verdict

    @property
    def bold(self) -> bool:
        """Whether either verdict is a fault of the client."""
        return VERDICTS[self.request].bold or VERDICTS[self.credentials].bold

    @property
    def unsettled(self) -> bool:
        """Whether it varies, or may."""
        return bool(self.varying) or self.race

    @property
    def counted(self) -> bool:
        """Whether the case was run as asked."""
        return VERDICTS[self.request].counted


class ClientResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one client did. One that is absent has a reason and no cells."""

    name: str
    language: str
    follows: str
    version: str = ""
    absent: str = ""
    gave_up: str = ""  # why not every case was asked
    seconds: float = 0.0
    cells: tuple[Cell, ...] = ()
    not_asked: dict[str, str] = {}  # case: why
    races: dict[str, str] = {}  # a case that is a race within this client: why


class CaseShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A case, as far as a report shows it."""

    id: str
    title: str
    group: str
    clause: str
    method: str
    content: str  # its kind
    statuses: tuple[int, ...]  # of the script
    allowed: tuple[str, ...]  # verdicts on the request
    race: str = ""  # why its verdict may be another in another run


class Results(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document."""

    detour: str  # its version
    date: str  # of the end of the run, ISO 8601 with offset
    system: str
    cases: tuple[CaseShown, ...]
    clients: tuple[ClientResult, ...]
    seconds: float = 0.0
    format: int = FORMAT


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(Results)


def case_shown(case: Case) -> CaseShown:
    """`case`, as reports show it."""
    return CaseShown(
        case.id,
        case.title,
        case.group,
        case.clause,
        case.asked.method,
        case.asked.content.kind,
        tuple(answer.status for answer in case.script),
        case.expected.allowed,
        case.race,
    )


def cells(cases: Sequence[Case], trials: Iterable[Trial], races: Container[str] = ()) -> tuple[Cell, ...]:
    """One cell for every case that was run, in the order of the cases; `races` are ids of cases."""
    by_case: dict[str, list[Trial]] = {case.id: [] for case in cases}
    for one in trials:
        by_case.setdefault(one.case, []).append(one)
    return tuple(_cell(case, found, case in races) for case, found in by_case.items() if found)


def _cell(case: str, trials: Sequence[Trial], race: bool) -> Cell:
    shown = min(trials, key=lambda one: [rank(verdict) for verdict in one.verdicts])
    request, credentials = (min(found, key=rank) for found in zip(*_all(trials), strict=True))
    counted = Counter(_all(trials)).most_common()
    varying = (
        tuple(Often(*pair, times, _why(trials, pair)) for pair, times in counted) if len(counted) > 1 else ()
    )
    return Cell(case, request, credentials, len(trials), shown, varying, race)


def _why(trials: Sequence[Trial], pair: tuple[str, str]) -> str:
    """Why the first run that came out like `pair` did."""
    judgement = next(one.judgement for one in trials if one.verdicts == pair)
    return "; ".join(filter(None, (judgement.why, judgement.credentials_why)))


def _all(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    return [one.verdicts for one in trials]
