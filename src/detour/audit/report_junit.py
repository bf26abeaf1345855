"""Results for build servers: JUnit's XML as Jenkins, GitLab and GitHub actions read it.

One `testsuite`; a result is a `testcase` with its seconds, `failure` or `skipped`. Findings of a case that
passed are its `system-out`. The counts that the format allows on `testsuite` would have to come before the
cases: a stream cannot know them, readers count for themselves, so they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Finding
from detour.audit.printable import lines, one_line
from detour.audit.result import Result

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


class JUnitReport:
    """One XML document (XML 1.0)."""

    def __init__(self, title: str) -> None:
        self._title = title

    def start(self) -> str:
        """The declaration, and the suite opened."""
        name = _escaped(one_line(self._title or "detour"))
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="{name}">\n<testsuite name="{name}">\n'
        )

    def add(self, result: Result) -> str:
        """One `testcase`."""
        inner = "".join(_inner(result))
        file = _attribute("file", result.span.file) if result.span else ""
        line = _attribute("line", str(result.span.line)) if result.span and result.span.line else ""
        name = _attribute("name", result.name)
        seconds = f' time="{max(result.seconds, 0.0):.6f}"'
        opened = f'<testcase classname="detour"{name}{seconds}{file}{line}'
        return f"{opened}>{inner}</testcase>\n" if inner else f"{opened}/>\n"

    def finish(self) -> str:
        """The suite closed."""
        return "</testsuite>\n</testsuites>\n"


def _inner(result: Result) -> Iterator[str]:
    said = "\n".join(filter(None, (result.detail, result.way, *map(_finding, result.findings))))
    text = _escaped(lines(said))
    if result.outcome == "failed":
        yield f"<failure{_attribute('message', _reason(result))}>{text}</failure>"
    elif result.outcome == "skipped":
        yield f"<skipped{_attribute('message', _reason(result))}/>"
    elif text:
        yield f"<system-out>{text}</system-out>"


def _reason(result: Result) -> str:
    messages = (finding.message for finding in result.findings)
    return result.detail.split("\n")[0] or next(messages, result.outcome)


def _finding(finding: Finding) -> str:
    place = f"{finding.span}: " if finding.span else ""
    sure = "" if finding.confidence == "is" else " (not certain)"
    where = f"\n  seen with: {finding.witness or finding.url}" if finding.witness or finding.url else ""
    where += "".join(f"\n  {seen.request}: {seen.becomes}" for seen in finding.per_method)
    head = f"{finding.severity}: {place}{finding.message}{sure} [{finding.check}]"
    return f"{head}{where}\n  do: {finding.remedy}"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{_escaped(one_line(value))}"'


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
