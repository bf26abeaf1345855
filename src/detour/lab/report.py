"""A run of the lab as text; every format is one function from the document."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from detour.lab.report_html import html
from detour.lab.report_markdown import markdown
from detour.lab.report_text import listed, text
from detour.lab.result import Results


def _json(results: Results) -> str:
    return msgspec.json.format(msgspec.json.encode(results), indent=1).decode() + "\n"


# By the name that `--format` takes.
FORMATS: dict[str, Callable[[Results], str]] = {
    "text": text,  # a terminal
    "list": listed,  # a line for each fault: to be searched
    "json": _json,  # programs, `--baseline`, `lab diff`
    "markdown": markdown,  # a page to publish
    "html": html,  # one file to keep or to send, with the bytes
}
