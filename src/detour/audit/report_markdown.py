"""Results for a comment or a job summary: GitHub Flavored Markdown; what passed is only counted.

Words of a message stand as they are; a word that holds anything Markdown, HTML or a forge could read (a
link, a mention, an issue number) becomes a code span, inside of which nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.folding import Told, folded, per_outcome
from detour.audit.printable import lines, one_line
from detour.audit.result import Result, Tally

_MARKS = {"passed": "✅", "failed": "❌", "skipped": "⏭️"}
_HARMLESS = re.compile(r"(?!www\.)[^\W_]*(?:[.,;?()'\"%/=-][^\W_]*)*:?", re.IGNORECASE)
_BACKTICKS = re.compile("`+")


class MarkdownReport:
    """A heading, a list item for each result that did not pass plainly, and the numbers."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._tally = Tally(as_told=True)

    def start(self) -> str:
        """The heading."""
        return f"## {prose(self._title or 'Detour')}\n\n"

    def add(self, result: Result) -> str:
        """One list item; "" for what passed without findings."""
        self._tally.add(result)
        if result.outcome == "passed" and not result.findings:
            return ""
        return "\n".join(_item(result)) + "\n"

    def finish(self) -> str:
        """The numbers."""
        return f"\n**{self._tally}**\n"


def prose(text: str) -> str:
    """`text` as one line of Markdown that reads the same and means nothing else."""
    words = one_line(text).split(" ")
    return " ".join(word if _HARMLESS.fullmatch(word) else code(word) for word in words if word)


def code(text: str) -> str:
    """`text` as a code span (CommonMark §6.1): fenced by more backticks than it holds."""
    shown = one_line(text)
    if not shown.strip():
        return "` `"
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _item(result: Result) -> Iterator[str]:
    place = f" ({code(str(result.span))})" if result.span else ""
    yield f"- {_MARKS[result.outcome]} {code(result.name)}{place}"
    yield from (f"  - {prose(line)}" for line in result.detail.split("\n") if line)
    if result.way:
        yield f"  - {code(result.way)}"
    for told in folded(result.findings):
        yield from _finding(told, result)


def _finding(told: Told, result: Result) -> Iterator[str]:
    finding = told.finding
    place = f"{code(str(finding.span))}: " if finding.span else ""
    sure = "" if finding.confidence == "is" else " (not certain)"
    yield f"  - **{finding.severity}** {code(told.names)}: {place}{prose(finding.message)}{sure}"
    if not result.name.endswith(finding.witness):
        yield f"    - seen with {code(finding.witness)}"
    yield from (f"    - {code(one)}: {code(becomes)}" for one, becomes in per_outcome(finding))
    yield from _remedy(finding.remedy)


def _remedy(text: str) -> Iterator[str]:
    """A list item for each thing to do; what has indented lines stays one block (CommonMark §4.5)."""
    written = [line for line in lines(text).split("\n") if line]
    if not any(line.startswith(" ") for line in written):
        yield from (f"    - do: {prose(line)}" for line in written)
        return
    fence = "`" * max(3, _longest_run(text) + 1)
    yield "    - do:"
    yield from (f"      {line}".rstrip() for line in ("", fence, *written, fence))


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
