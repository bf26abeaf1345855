"""Results for a terminal: what passed is a line if asked for, what failed tells why and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.folding import Told, folded, per_outcome
from detour.audit.printable import lines, one_line
from detour.audit.result import Result, Tally

_MARKS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}
_WIDTH = max(map(len, _MARKS.values()))
_COLOURS = {"passed": 32, "failed": 31, "skipped": 33, "error": 31, "warning": 33, "note": 36}  # ECMA-48 SGR
_INDENT = " " * (_WIDTH + 2)
_BELOW = _INDENT + " " * 9
_ARROW = _INDENT + " " * 7 + "→ "


class TextReport:
    """Aligned lines. `colour`: SGR sequences; `passed`: also what passed without findings."""

    def __init__(self, title: str, colour: bool = False, passed: bool = False) -> None:
        self._title, self._colour, self._passed = title, colour, passed
        self._tally = Tally(as_told=True)

    def start(self) -> str:
        """The title."""
        return f"{one_line(self._title)}\n" if self._title else ""

    def add(self, result: Result) -> str:
        """The result, and under it why and what was found."""
        self._tally.add(result)
        if result.outcome == "passed" and not result.findings and not self._passed:
            return ""
        return "\n".join(self._result(result)) + "\n"

    def finish(self) -> str:
        """The numbers."""
        return f"{self._tally}\n"

    def _result(self, result: Result) -> Iterator[str]:
        mark = self._coloured(result.outcome, f"{_MARKS[result.outcome]:<{_WIDTH}}")
        place = f"  ({one_line(str(result.span))})" if result.span else ""
        yield f"{mark}  {one_line(result.name)}{place}"
        yield from _indented(result.detail, _INDENT)
        yield from _indented(result.way, _INDENT)
        for told in folded(result.findings):
            yield from self._finding(told, result)

    def _finding(self, told: Told, result: Result) -> Iterator[str]:
        finding = told.finding
        severity = self._coloured(finding.severity, f"{finding.severity:<7}")
        place = f"{one_line(str(finding.span))}: " if finding.span else ""
        hop = f"hop {finding.hop + 1}: " if finding.hop >= 0 else ""
        said = one_line(finding.message)
        sure = "" if finding.confidence == "is" else "perhaps: "
        yield f"{_INDENT}{severity}  {place}{hop}{sure}{said}  [{one_line(told.names)}]"
        if not result.name.endswith(finding.witness):  # nothing new, or ""
            yield f"{_BELOW}seen with: {one_line(finding.witness)}"
        for requests, becomes in per_outcome(finding):
            yield f"{_BELOW}{one_line(requests)}: {one_line(becomes)}"
        for line in filter(None, lines(finding.remedy).split("\n")):
            yield (_BELOW if line.startswith(" ") else _ARROW) + line

    def _coloured(self, name: str, text: str) -> str:
        return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if self._colour else text


def _indented(text: str, indent: str) -> Iterator[str]:
    return (f"{indent}{line}" for line in lines(text).split("\n") if line)
