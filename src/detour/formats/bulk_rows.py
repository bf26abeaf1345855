"""What the bulk dialects share: the rows of a text, the cells of a row, URLs that need no parser.

A bulk file holds up to millions of redirects, one a line (`csv_file`, `cloudflare_bulk`,
`vercel_bulk`). Its rows are cut out of the text one after the other and never held: what a dialect
remembers about a row is a few octets. Most rows are plain, and what is plain is proved so by one
regular expression, because to parse a URL costs more than everything else together.

Cells are those of RFC 4180, but a record is a line: no URL holds a line break, so a quote that is
not closed is a fault of its line and swallows nothing after it. White space around a cell is
dropped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from detour.errors import TemplateError
from detour.formats.redirects_file import names_as_text, template

BYTE_ORDER_MARK = "\ufeff"

# What the URL parser, and URL Pattern, leave as they are, as long as no segment begins with a dot.
PLAIN_CHARACTERS = r"[A-Za-z0-9_~/.-]"
PLAIN_PATH = rf"/(?!/){PLAIN_CHARACTERS}*"
# Lower case, and a last label that begins with a letter: neither an IPv4 address nor a port.
PLAIN_HOST = r"(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*"

_PLAIN_TARGET = re.compile(rf"(?:https?://{PLAIN_HOST}(?:/{PLAIN_CHARACTERS}*)?|{PLAIN_PATH})")
_NO_NAMES = names_as_text(())


def rows(text: str) -> Iterator[tuple[int, int, str]]:
    """Every line that is not blank: its number from 1, the offset it begins at, its text."""
    start, number = int(text.startswith(BYTE_ORDER_MARK)), 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        line = text[start:end]
        if line and not line.isspace():
            yield number, start, line
        start = end + 1


def row_at(text: str, start: int) -> str:
    """The line that begins at `start`, as `rows` yielded it."""
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def cells(line: str) -> list[str]:
    """The cells of a row, trimmed; raises `TemplateError` for quotes that do not fit."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(",")]
    try:
        [row] = csv.reader((line.strip(),), strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise TemplateError(
            f"not CSV: {error}", 'quote a whole cell, and write `""` for a quote in it'
        ) from None
    return [cell.strip() for cell in row]


def is_plain(path: str) -> bool:
    """Whether a text of `PLAIN_CHARACTERS` is a path that the URL parser returns as it is."""
    return "/." not in path


def restated(target: str) -> str:
    """A whole URL, or a path, as a template that yields it and nothing else; raises `URLError`."""
    if _PLAIN_TARGET.fullmatch(target) and is_plain(target):
        return target
    return template(target, {}, _NO_NAMES)
