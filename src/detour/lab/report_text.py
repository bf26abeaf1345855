"""A run for a terminal: one line a client, a letter for each question, the headings upright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from detour.audit.printable import one_line
from detour.lab.matrix import NOT_ASKED, Mark, Matrix, Row, legend, matrix
from detour.lab.question import Question
from detour.lab.result import Cell, ClientResult, Results
from detour.lab.verdict import VERDICTS

WIDTH = 110
_HIGH = 6  # letters of a heading
_COUNTS = 11  # columns of: faults, varying
_RED, _YELLOW, _DIM = 31, 33, 2  # ECMA-48 SGR


def text(results: Results, colour: bool = False) -> str:
    """The matrix; of one client its faults instead."""
    found = matrix(results)
    alone = len(results.clients) == 1 and len(found.rows) == 1
    lines = _alone(results.clients[0]) if alone else (*_table(found, colour), "", *_legend(found))
    return "\n".join((*lines, *_below(found, results))) + "\n"


def listed(results: Results) -> str:
    """A line for each fault and each cell that varies."""
    lines = [line for client in results.clients for line in _faults(client, f"{one_line(client.name)} ")]
    return "".join(f"{line}\n" for line in lines)


def _table(found: Matrix, colour: bool) -> Iterator[str]:
    questions = found.questions
    wide = 2 * len(questions) + len({question.group for question in questions}) + _COUNTS
    names = max((len(_name(row)) for row in found.rows), default=0)
    name = max(6, min(names, WIDTH - wide))
    if not found.rows:
        return
    yield from (f"{'':{name}}{line}".rstrip() for line in _heads(questions))
    for row in found.rows:
        yield f"{_cut(_name(row), name):{name}}{_marks(row, questions, colour)}"


def _heads(questions: tuple[Question, ...]) -> Iterator[str]:
    """The groups, and under each the names of its questions, upright and ending on one line."""
    groups = [list(group) for _, group in groupby(questions, lambda one: one.group)]
    above = "".join(" " + f"{group[0].group[: 2 * len(group) - 1]:{2 * len(group)}}" for group in groups)
    yield f"{above} {'':{_COUNTS}}"
    high = min(_HIGH, max((len(one.short or one.name) for one in questions), default=0))
    for at in range(high):
        last = at == high - 1
        letters = (
            "".join(f"{_upright(one.short or one.name, high)[at]} " for one in group) for group in groups
        )
        yield "".join(f" {line}" for line in letters) + ("faults vary" if last else "")


def _upright(name: str, high: int) -> str:
    return name[:high].rjust(high)


def _marks(row: Row, questions: tuple[Question, ...], colour: bool) -> str:
    groups = groupby(questions, lambda one: one.group)
    marks = ("".join(_mark(row.marks.get(one.key), colour) for one in group) for _, group in groups)
    faults = _coloured(f"{row.faults:6}", _RED if row.faults else 0, colour)
    return "".join(f" {line}" for line in marks) + f"{faults}{row.varying or '':5}"


def _mark(found: Mark | None, colour: bool) -> str:
    if found is None:
        return _coloured(f"{NOT_ASKED} ", _DIM, colour)
    shade = _RED if found.bold else _YELLOW if found.verdict in ("refused", "forwarded") else 0
    return _coloured(found.letter, shade, colour) + ("~" if found.varying else " ")


def _legend(found: Matrix) -> Iterator[str]:
    told = [*legend(found, " = "), f"{NOT_ASKED} = not asked", "~ = varies"]
    yield from _wrapped(told, "A letter is the worst of its cases, capitals are faults: ")


def _below(found: Matrix, results: Results) -> Iterator[str]:
    if found.absent:
        yield from _wrapped([f"{name} ({_cut(why, 60)})" for name, why in found.absent.items()], "Absent: ")
    if found.gave_up:
        told = [f"{name} ({_cut(why, 80)})" for name, why in found.gave_up.items()]
        yield from _wrapped(told, "Gave up: ")
    cells = sum(row.cells for row in found.rows)
    faults = sum(row.faults for row in found.rows)
    varying = sum(row.varying for row in found.rows)
    yield (
        f"{_many(len(found.rows), 'client')}, {_many(found.cases, 'case')}, {_many(cells, 'cell')}: "
        f"{faults} with a fault, {varying} varying; {results.seconds:.1f} s. "
        "Each: --format list, html."
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _wrapped(words: list[str], begin: str) -> Iterator[str]:
    """`words` after `begin`, as many on a line as fit."""
    line = begin
    for number, word in enumerate(words):
        after = word + ("," if number < len(words) - 1 else ".")
        if len(line) + len(after) > WIDTH and line.strip():
            yield line.rstrip()
            line = "  "
        line += f"{one_line(after)} "
    yield line.rstrip()


def _alone(client: ClientResult) -> Iterator[str]:
    """What one client did, told at length."""
    counts = Counter(cell.request for cell in client.cells)
    counts.update(cell.credentials for cell in client.cells if cell.credentials != "none sent")
    told = ", ".join(f"{times} {verdict}" for verdict, times in counts.most_common())
    yield f"{one_line(f'{client.name} {client.version}')}: {told}"
    yield from (f"  {line}" for line in _faults(client, ""))


def _faults(client: ClientResult, begin: str) -> Iterator[str]:
    return (f"{begin}{fault(cell)}" for cell in client.cells if cell.bold or cell.varying)


def fault(cell: Cell) -> str:
    """A cell in a line: verdicts, why, and how often it came out how."""
    judgement = cell.shown.judgement
    whys = (judgement.why if VERDICTS[cell.request].bold or not VERDICTS[cell.credentials].bold else "",)
    why = "; ".join(filter(None, (*whys, judgement.credentials_why if cell.credentials == "leaked" else "")))
    varying = f" (varying: {often(cell)})" if cell.varying else ""
    return one_line(f"{cell.case}: {cell.request}, {cell.credentials}: {why}{varying}")


def often(cell: Cell) -> str:
    """How often it came out how; "" if always the same."""
    return ", ".join(f"{one.request}/{one.credentials} {one.times}×" for one in cell.varying)


def _name(row: Row) -> str:
    return one_line(f"{row.name} {row.version}".strip())


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _coloured(letters: str, shade: int, colour: bool) -> str:
    return f"\x1b[{shade}m{letters}\x1b[0m" if colour and shade else letters
