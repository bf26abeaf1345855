"""A run as a page for people: what matters in two tables at the top, every fault below (docs/clients.md)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from detour.audit.report_markdown import code, prose
from detour.lab.matrix import Mark, Matrix, faults_of, matrix
from detour.lab.question import GROUPS
from detour.lab.remarks import REMARKS
from detour.lab.report_text import often
from detour.lab.result import Cell, ClientResult, Results
from detour.lab.verdict import CREDENTIALS, REQUEST, VERDICTS, Verdict

# The two tables of the top: heading, and the key of the question.
KEEPS: dict[str, str] = {
    "POST": "POST 307",
    "PUT": "PUT 307",
    "a form with a file": "content multipart",
    "an open file": "content file",
    "a stream": "content stream",
    "chunked": "content chunked",
    "answered early, closed": "early close",
    "answered early, drained": "early linger",
}
CROSSES: dict[str, str] = {
    "Authorization": "secrets auth",
    "Cookie": "secrets cookie",
    "Proxy-Authorization": "secrets proxy",
    "X-Api-Key": "secrets key",
}
_EXAMPLES = 8  # cases of a fault that are named; the rest is counted


def markdown(results: Results) -> str:
    """The page."""
    found = matrix(results)
    return "\n".join((*_head(results, found), top(found), *_details(results, found)))


def top(found: Matrix) -> str:
    """The short part."""
    return "\n".join((*_keeps(found), *_crosses(found)))


def _head(results: Results, found: Matrix) -> Iterator[str]:
    cells, varying = sum(row.cells for row in found.rows), sum(row.varying for row in found.rows)
    yield "# What clients do with a redirect\n"
    yield (
        f"Seen on {found.day} by `detour lab`: {len(found.rows)} clients, {found.cases} cases, {cells:,} "
        f"cells, each asked twice, {varying:,} of them varying; Detour {prose(found.detour)}, "
        f"{prose(found.system)}. Each client follows as its users tell it to, with all else as it is by "
        "default. Run it again: "
        "`detour lab --format markdown`; the bytes behind a cell: `detour lab --format html`.\n"
    )


def _keeps(found: Matrix) -> Iterator[str]:
    yield "## Who keeps a 307, and with which content\n"
    yield "The worst verdict of each question's cases; **bold** is a fault; an empty cell was not asked.\n"
    yield _matrix_table(found, KEEPS)


def _crosses(found: Matrix) -> Iterator[str]:
    yield "## Who takes what along to another origin\n"
    yield "Another port, host or scheme; a cookie's border is the host.\n"
    yield _matrix_table(found, CROSSES)


def _matrix_table(found: Matrix, columns: dict[str, str]) -> str:
    rows = (
        (prose(f"{row.name} {row.version}"), *(_verdict(row.marks.get(key)) for key in columns.values()))
        for row in found.rows
    )
    return _table(("client", *columns), rows)


def _verdict(mark: Mark | None) -> str:
    if mark is None:
        return ""
    return f"**{mark.verdict}**" if mark.bold else mark.verdict


def _details(results: Results, found: Matrix) -> Iterator[str]:
    yield "## The words\n"
    yield from _words("On the request", REQUEST)
    yield from _words("On credentials", CREDENTIALS)
    yield "## Every question\n"
    for group, members in groupby(found.questions, lambda one: one.group):
        questions = list(members)
        yield f"### {GROUPS[group][0].upper()}{GROUPS[group][1:]}\n"
        yield _matrix_table(found, {one.name: one.key for one in questions})
    yield "## Every fault\n"
    yield f"By client and verdict; of each at most {_EXAMPLES} cases are named.\n"
    for client in results.clients:
        yield from _client(client)
    yield from _varying(results)
    yield from _not_there(results, found)


def _words(axis: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield f"{axis}, the first that applies:\n"
    listed = (f"- {f'**{one.name}**' if one.bold else one.name}: {one.meaning}" for one in verdicts)
    yield ";\n".join(listed) + ".\n"


def _client(client: ClientResult) -> Iterator[str]:
    faults: dict[str, list[Cell]] = defaultdict(list)
    for cell in client.cells:
        for verdict in faults_of(cell):
            faults[verdict].append(cell)
    if not faults:
        return
    yield f"### {prose(f'{client.name} {client.version}')}\n"
    yield f"{prose(client.follows)}\n"
    for verdict in (name for name in VERDICTS if name in faults):
        yield _fault(verdict, faults[verdict])
    yield ""
    cells = [cell for found in faults.values() for cell in found]
    told = [one for one in REMARKS if any(one.fits(client.name, cell) for cell in cells)]
    if told:
        yield "".join(f"{one!s}.\n\n" for one in told).rstrip("\n") + "\n"


def _fault(verdict: str, cells: Sequence[Cell]) -> str:
    """One list item: how many, which, and what happened."""
    axis = VERDICTS[verdict].axis
    whys = Counter(_why(cell, axis) for cell in cells)
    said = "; ".join(f"{why}{f' ({times})' if len(whys) > 1 else ''}" for why, times in whys.most_common(3))
    more = "; …" if len(whys) > 3 else ""
    return f"- **{verdict}** ({len(cells)}): {_named([cell.case for cell in cells])}. {prose(said)}{more}"


_PLACE = re.compile(r"(?:https?://)?127\.0\.0\.[12]:\d+")
_FOLDER = re.compile(r"/\S*detour-lab-[^/]+/run/")
_WHICH = re.compile(r"^(?:[\w-]+, )?request \d+, (?:[A-Z]+: )?")
_TIME = re.compile(r"\b\d+ ?(?:milliseconds|ms)\b")
_LONG = 120
_TOKEN = re.compile(r"/t[0-9a-f]{15}\b")


def _why(cell: Cell, axis: str) -> str:
    """Why, without what is another in every run."""
    judgement = cell.shown.judgement
    return _same_again(judgement.credentials_why if axis == "credentials" else judgement.why)


def _same_again(why: str) -> str:
    why = _FOLDER.sub("", _TIME.sub("some time", why))
    said = _TOKEN.sub("/TOKEN", _PLACE.sub("ORIGIN", _WHICH.sub("", why)))
    return said if len(said) <= _LONG else f"{said[:_LONG]}…"


def _named(cases: Sequence[str]) -> str:
    shown = ", ".join(code(case) for case in cases[:_EXAMPLES])
    left = len(cases) - _EXAMPLES
    return f"{shown} and {left} more" if left > 0 else shown


def _varying(results: Results) -> Iterator[str]:
    """Cells whose runs differed, and why, where that is known."""
    varying = [(client, cell) for client in results.clients for cell in client.cells if cell.varying]
    yield "## What varies\n"
    if not varying:
        yield "No cell: each came out the same whenever it was asked.\n"
        return
    yield "A cell whose first two runs differ is asked five times.\n"
    races = [case for case in results.cases if case.race]
    if races:
        named = _named([case.id for case in races])
        yield (
            f"These are a race, and may vary from run to run even where all trials of one agree: {named}; "
            f"{races[0].race}.\n"
        )
    for client in results.clients:
        for why in dict.fromkeys(client.races.values()):
            yield f"So are these of {prose(client.name)}: {_named([*client.races])}; {why}.\n"
    alike: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for client, cell in varying:
        alike[client.name, often(cell).replace("/none sent", "")].append(cell)
    for (name, said), cells in alike.items():
        yield f"- {prose(name)}: {said}: {_named([cell.case for cell in cells])}. {_whys(cells[0])}"
    yield ""
    told = [one for one in REMARKS if any(one.fits(client.name, cell) for client, cell in varying)]
    yield from (f"{one!s}.\n" for one in told)


def _whys(cell: Cell) -> str:
    """What each of the verdicts rests on, where it is not the best."""
    told = (
        f"{one.request}: {_same_again(one.why)}"
        for one in cell.varying
        if one.request not in ("kept", "rewritten")
    )
    return prose("; ".join(told))


def _not_there(results: Results, found: Matrix) -> Iterator[str]:
    yield "## What is not in it\n"
    if found.absent:
        yield (
            "\n".join(f"- {prose(name)} was absent: {prose(why)}" for name, why in found.absent.items())
            + "\n"
        )
    if found.gave_up:
        yield (
            "\n".join(f"- {prose(name)} gave up: {prose(why)}" for name, why in found.gave_up.items()) + "\n"
        )
    yield "Not asked of a client, since it cannot send it or, asked, did not:\n"
    for client in results.clients:
        reasons = Counter(client.not_asked.values())
        reasons.update(cell.shown.judgement.why for cell in client.cells if not cell.counted)
        told = "; ".join(f"{prose(why)} ({times})" for why, times in reasons.most_common(6))
        if told:
            yield f"- {prose(client.name)}: {told}{'; …' if len(reasons) > 6 else ''}"
    yield ""
    yield from _left_out()


def _left_out() -> Iterator[str]:
    """What no client is asked."""
    from detour.lab.cases import LEFT_OUT  # here: the cases take a quarter of a second

    yield "Not asked of anybody:\n"
    yield "\n".join(f"- {prose(what)}: {prose(why)}" for what, why in LEFT_OUT) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
