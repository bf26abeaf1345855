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

WIDTH = 80
_HIGH = 6  # letters of a heading
_COUNTS = 12  # columns of: faults, varying
_LEAST_NAME = 12
_RED, _YELLOW, _DIM, _UNDERLINED = 31, 33, 2, 4  # ECMA-48 SGR
_GROUPS = {"methods": "others", "content": "307", "secrets": "away"}  # where a short word must do

Fold = tuple[Row, tuple[str, ...]]  # a row, and all clients that are like it


def text(results: Results, colour: bool = False, lines: int = 0) -> str:
    """The matrix, in `lines` lines at most (0: any number); of one client its faults instead."""
    found = matrix(results)
    alone = len(results.clients) == 1 and len(found.rows) == 1
    if alone:
        return "\n".join((*_alone(results.clients[0]), *_below(found, results))) + "\n"
    after = ["", *_legend(found), *_below(found, results)]
    folded = _folded(found)
    room = (
        max(1, lines - len(after) - _HIGH - 3) if lines else len(folded)
    )  # the groups, what is left, a prompt
    shown, left = _most_faulty(folded, room)
    if left:
        after.insert(
            0, f"{_many(sum(len(names) for _, names in left), 'client')} with fewer faults: -o FILE."
        )
    return "\n".join((*_table(found, shown, colour), *after)) + "\n"


def listed(results: Results) -> str:
    """A line for each fault and each cell that varies."""
    lines = [line for client in results.clients for line in _faults(client, f"{one_line(client.name)} ")]
    return "".join(f"{line}\n" for line in lines)


def _folded(found: Matrix) -> list[Fold]:
    """Clients whose letters are all the same share a line, each where the first of them stands."""
    alike: dict[tuple[object, ...], list[Row]] = {}
    for row in found.rows:
        letters = tuple(row.marks[one.key].letter if one.key in row.marks else "" for one in found.questions)
        alike.setdefault((letters, row.faults, row.varying), []).append(row)
    return [(rows[0], tuple(_name(row) for row in rows)) for rows in alike.values()]


def _most_faulty(folded: list[Fold], room: int) -> tuple[list[Fold], list[Fold]]:
    """As many as there is room for, in the order they had, and the others."""
    kept = sorted(folded, key=lambda one: -one[0].faults)[:room]
    return [one for one in folded if one in kept], [one for one in folded if one not in kept]


def _table(found: Matrix, folded: list[Fold], colour: bool) -> Iterator[str]:
    questions = found.questions
    groups = [list(group) for _, group in groupby(questions, lambda one: one.group)]
    wide = sum(_wide(group) + 1 for group in groups) + _COUNTS
    name = max(_LEAST_NAME, WIDTH - wide)
    if not folded:
        return
    name = min(name, max(len(", ".join(names)) for _, names in folded))
    yield from (f"{'':{name}}{line}".rstrip() for line in _heads(groups))
    for row, names in folded:
        yield f"{_cut(', '.join(names), name):{name}}{_marks(row, groups, colour)}"


def _wide(group: list[Question]) -> int:
    return max(len(group), len(_short(group)))


def _short(group: list[Question]) -> str:
    return _GROUPS.get(group[0].group, group[0].group)


def _heads(groups: list[list[Question]]) -> Iterator[str]:
    """The groups, and under each the names of its questions, upright and ending on one line."""
    yield "".join(f" {_short(group):{_wide(group)}}" for group in groups)
    high = min(_HIGH, max((len(one.short or one.name) for group in groups for one in group), default=0))
    for at in range(high):
        letters = ("".join(_upright(one.short or one.name, high)[at] for one in group) for group in groups)
        line = "".join(f" {told:{_wide(group)}}" for told, group in zip(letters, groups, strict=True))
        yield line + (" faults vary" if at == high - 1 else "")


def _upright(name: str, high: int) -> str:
    return name[:high].rjust(high)


def _marks(row: Row, groups: list[list[Question]], colour: bool) -> str:
    marks = (
        "".join(_mark(row.marks.get(one.key), colour) for one in group) + " " * (_wide(group) - len(group))
        for group in groups
    )
    faults = _coloured(f"{row.faults:7}", _RED if row.faults else 0, colour)
    return "".join(f" {line}" for line in marks) + f"{faults}{row.varying or '':5}".rstrip()


def _mark(found: Mark | None, colour: bool) -> str:
    if found is None:
        return _coloured(NOT_ASKED, _DIM, colour)
    shade = _RED if found.bold else _YELLOW if found.verdict in ("refused", "forwarded") else 0
    marked = _coloured(found.letter, shade, colour)
    return _coloured(marked, _UNDERLINED, colour) if found.varying else marked


def _legend(found: Matrix) -> Iterator[str]:
    told = [*legend(found, " = "), f"{NOT_ASKED} = not asked"]
    yield from _wrapped(told, "The worst of its cases, capitals are faults: ")


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
        f"{faults} with a fault, {varying} varying; {results.seconds:.1f} s."
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
