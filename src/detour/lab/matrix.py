"""Results as clients × questions, small enough for a screen, a page and a package: PURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from detour.lab.question import QUESTIONS, Question
from detour.lab.result import Cell, ClientResult, Results, rank
from detour.lab.verdict import VERDICTS

# One letter a verdict. Capitals are faults; what is asked of both axes never stands in one column.
LETTERS: dict[str, str] = {
    "kept": "+",
    "rewritten": "g",
    "refused": "-",
    "misrewritten": "M",
    "lost": "L",
    "altered": "A",
    "overfollowed": "O",
    "hung": "H",
    "crashed": "C",
    "unsupported": ".",
    "leaked": "X",
    "forwarded": "f",
    "dropped": "d",
    "kept within": "w",
    "none sent": ".",
}
NOT_ASKED = "."


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What a client makes of a question: the worst verdict, and how many cases came out otherwise."""

    verdict: str
    cases: int
    otherwise: int = 0
    varying: int = 0

    @property
    def letter(self) -> str:
        """For a column that is one wide."""
        return LETTERS[self.verdict]

    @property
    def bold(self) -> bool:
        """Whether the verdict is a fault."""
        return VERDICTS[self.verdict].bold


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One client that was asked."""

    name: str
    version: str
    language: str
    marks: dict[str, Mark]  # by the key of the question; none: not asked, or nothing it could send
    cells: int
    faults: int = 0
    varying: int = 0
    worst: str = ""  # verdict, of its faults


class Matrix(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a report shows at its top."""

    detour: str
    date: str
    system: str
    cases: int
    rows: tuple[Row, ...]
    absent: dict[str, str] = {}  # name: why
    gave_up: dict[str, str] = {}

    @property
    def questions(self) -> tuple[Question, ...]:
        """Those that anybody was asked."""
        asked = {key for row in self.rows for key in row.marks}
        return tuple(question for question in QUESTIONS if question.key in asked)

    @property
    def day(self) -> str:
        """The date without the time."""
        return self.date[:10]

    def by_verdict(self, key: str) -> dict[str, list[str]]:
        """Names of clients by what they make of a question, the best verdict first."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if key in row.marks:
                found.setdefault(row.marks[key].verdict, []).append(row.name)
        return dict(sorted(found.items(), key=lambda one: rank(one[0]), reverse=True))


def matrix(results: Results) -> Matrix:
    """`results`, summed up."""
    return Matrix(
        results.detour,
        results.date,
        results.system,
        len(results.cases),
        tuple(_row(client) for client in results.clients if client.cells),
        {client.name: client.absent for client in results.clients if client.absent},
        {client.name: client.gave_up for client in results.clients if client.gave_up},
    )


def _row(client: ClientResult) -> Row:
    counted = [cell for cell in client.cells if cell.counted]
    marks = ((question.key, mark(question, counted)) for question in QUESTIONS)
    faults = [verdict for cell in counted for verdict in faults_of(cell)]
    return Row(
        client.name,
        client.version,
        client.language,
        {key: found for key, found in marks if found},
        len(counted),
        sum(cell.bold for cell in counted),
        sum(bool(cell.varying) for cell in counted),
        min(faults, key=_severity, default=""),
    )


def mark(question: Question, cells: Iterable[Cell]) -> Mark | None:
    """The worst verdict of the question's cells; None where there is none."""
    asked = [cell for cell in cells if question.is_about(cell.case)]
    verdicts = [verdict_on(question.axis, cell) for cell in asked]
    if not verdicts:
        return None
    worst = _worst(verdicts)
    return Mark(
        *(worst, len(verdicts), sum(one != worst for one in verdicts)),
        sum(cell.unsettled for cell in asked),
    )


def _worst(verdicts: Sequence[str]) -> str:
    """Of kept and rewritten neither is worse: the more frequent."""
    worst = min(verdicts, key=rank)
    return max(("kept", "rewritten"), key=verdicts.count) if worst in ("kept", "rewritten") else worst


def verdict_on(axis: str, cell: Cell) -> str:
    """The cell's verdict on that axis."""
    return cell.credentials if axis == "credentials" else cell.request


def faults_of(cell: Cell) -> Iterator[str]:
    """Its bold verdicts."""
    return (verdict for verdict in (cell.request, cell.credentials) if VERDICTS[verdict].bold)


def _severity(verdict: str) -> int:
    """The order of the tables, the request's first."""
    return list(VERDICTS).index(verdict)


def legend(matrix: Matrix, glue: str = " ") -> Sequence[str]:
    """What the letters mean, as far as they occur, good ones first."""
    used = {one.verdict for row in matrix.rows for one in row.marks.values()}
    quiet = [name for name in LETTERS if name in used and not VERDICTS[name].bold]
    loud = [name for name in LETTERS if name in used and VERDICTS[name].bold]
    return tuple(f"{LETTERS[name]}{glue}{name}" for name in (*quiet, *loud))
