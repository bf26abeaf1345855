"""Results as a text: every format, and what each is for. Any text of a peer is shown, never obeyed.

A report is fed as results come and hands out pieces of text at once: ten million passed results need no more
memory than none. URLs, Locations and messages hold whatever a hostile server sends, so every format
writes control characters as `\\x1b` and escapes its own syntax.
"""

from __future__ import annotations

from collections.abc import Callable

from detour.audit.report_html import HTMLReport
from detour.audit.report_json import JSONReport
from detour.audit.report_junit import JUnitReport
from detour.audit.report_markdown import MarkdownReport
from detour.audit.report_sarif import SARIFReport
from detour.audit.report_text import TextReport
from detour.audit.result import Outcome, Report, Result

__all__ = ["REPORTS", "Outcome", "Report", "Result"]

# By the name that `--format` takes; each is made with a title.
REPORTS: dict[str, Callable[[str], Report]] = {
    "text": TextReport,  # a terminal
    "json": JSONReport,  # programs
    "sarif": SARIFReport,  # code scanning: findings at lines of files
    "junit": JUnitReport,  # what build servers show
    "markdown": MarkdownReport,  # a comment or a job summary
    "html": HTMLReport,  # one file to keep or to send
}
