"""One place of a file is one fault, however many hosts, methods or alternatives it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detour.formats.draft import Draft, LineFault


def told_once(lines: Iterable[Draft | LineFault]) -> Iterator[Draft | LineFault]:
    """The lines; where a fault was told already, a `pass` Draft of its pattern, if it has one."""
    told: set[tuple[str, int, str]] = set()
    for line in lines:
        if isinstance(line, Draft):
            yield line
            continue
        place = (line.file, line.line, line.fact)
        if place not in told:
            told.add(place)
            yield line
        elif line.pattern is not None:
            yield Draft(
                line.line,
                line.pattern,
                parameters=line.parameters,
                ignore_case=line.ignore_case,
                file=line.file,
                methods=line.methods,
                when=line.when,
                unless=line.unless,
            )
