"""`_redirects` of Cloudflare Pages and of Workers with static assets.

Grammar (cloudflare/workers-sdk, packages/workers-shared/utils/configuration/parseRedirects.ts and
validateURL.ts):

    from to [status]

- Exactly two or three tokens, apart by white space; lines are trimmed. A line that begins with `#`
  is a comment, and from the third token on a token that begins with `#` starts one: `/a /b#c #
  comment`.
- `from` is a path; its query and fragment are dropped, a missing slash is put in front (a note says
  so). A whole https URL is refused. `to` is a path or an https URL.
- `*` stands for anything, once in a `from`; `:name` (a letter, then letters, digits and `_`) for
  one or more characters up to the next slash, also beside other text.
- `status` is 200, 301, 302 (the default), 303, 307 or 308. 200 rewrites to a path of the same site;
  it answers without redirecting and becomes a `pass`.
- Of two lines with the same `from` the second is dropped. From a path that ends in `/` or `/*` to
  one that ends in `/index` or `/index.html` is dropped: Cloudflare takes these off again, so it
  would loop.
- At most 2,000 static rules and 100 dynamic ones; all rules after the first dynamic one count as
  dynamic, and beyond the hundredth the rest of the file is dropped. A line has at most 2,000
  characters (MAX_LINE_LENGTH; Cloudflare's documentation says 1,000, its code does not).

Everything that is dropped there is a fault here: whoever wrote it meant something by it.

Matching (asset-worker/src/utils/rules-engine.ts and handler.ts): first match in file order; a slash
at the end counts; `/blog/*` does not answer `/blog`. `:splat` and `:name` in `to` are replaced as
whole names, others stay. A `to` with a query replaces the request's; otherwise that is passed
along. `!` does not exist: redirects always go before files.

Where Detour differs on purpose:

- Every spelling of a path matches, as in Detour's own rules (`%7B` and `{`, `%2d` and `-`).
- Slashes in the middle of a Location stay doubled where they were; only those at its front are made
  one.
- A `from` in which a name, or the asterisk, comes twice is a fault; Cloudflare keeps the line and
  never matches it.
- Rules for whole URLs exist in the engine for `_headers` only: a `from` with a host is refused, as
  there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.numbers import whole
from detour.formats.redirects_file import (
    REWRITE,
    Captures,
    Line,
    PartError,
    has_query,
    lines,
    literal,
    path_pattern,
    serialized_path,
    template,
    uncaptured,
    without_comment,
)

DEFAULT_STATUS = 302

MAX_LINE_LENGTH = 2000  # characters
MAX_STATIC = 2000  # rules
MAX_DYNAMIC = 100  # rules

_VARIABLE = re.compile(r"\*|:([A-Za-z]\w*)", re.ASCII)
_NAME = re.compile(r":([A-Za-z]\w*)", re.ASCII)
_INDEX = re.compile(r"/index(\.html)?$")
_HOST = re.compile(r"https://+[^/]")


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each rule of a `_redirects` file, in file order, restated; a line that cannot be is a fault."""
    limits = _Limits()
    for line in lines(text):
        outcome = _read_line(line, limits)
        yield outcome
        if limits.spent:
            return


class _Limits:
    """What the lines before a line leave of Cloudflare's limits, and the paths they took."""

    def __init__(self) -> None:
        self.static = 0
        self.dynamic = 0
        self.paths: dict[str, int] = {}  # path -> line

    @property
    def spent(self) -> bool:
        """Whether the rest of the file is dropped."""
        return self.dynamic > MAX_DYNAMIC

    def count(self, dynamic: bool) -> str:
        """Count a rule; returns what is wrong when it is one too many, or ""."""
        if dynamic or self.dynamic:
            self.dynamic += 1
            if self.spent:
                return f"more than {MAX_DYNAMIC} dynamic rules: Cloudflare drops this line and all after it"
            return ""
        self.static += 1
        return (
            f"more than {MAX_STATIC} static rules: Cloudflare drops this line"
            if self.static > MAX_STATIC
            else ""
        )


def _read_line(line: Line, limits: _Limits) -> Draft | LineFault:
    if len(line.text) > MAX_LINE_LENGTH:
        return line.fault(f"a line of {len(line.text)} characters", f"use at most {MAX_LINE_LENGTH}")
    pattern = None
    captures = Captures()
    try:
        source, to, token = _tokens(line.tokens)
        path = _path(source)
        if over := limits.count(dynamic=_VARIABLE.search(path) is not None):
            return line.fault(over, "put static rules first, join rules with `*`, or split the file")
        pattern = _pattern(path, captures)
        location = _location(to, captures)
        status = _status(token)
        _refuse_loop(path, location)
        _refuse_duplicate(path, line.number, limits)
        if status == REWRITE:
            return Draft(line.number, pattern, note=_rewrite_note(location))
    except PartError as refusal:
        return line.refused(refusal, pattern)
    query: Literal["keep", "drop"] = "drop" if has_query(location) else "keep"
    return Draft(line.number, pattern, location, status, note=_note(source, to, captures), query=query)


def _tokens(tokens: tuple[str, ...]) -> tuple[str, str, str | None]:
    tokens = without_comment(tokens, first=2)
    if not 2 <= len(tokens) <= 3:
        raise TemplateError(
            f"{len(tokens)} tokens where two or three belong", "write `from to [status]`, spaces as %20"
        )
    return tokens[0], tokens[1], tokens[2] if len(tokens) == 3 else None


def _path(source: str) -> str:
    if _HOST.match(source):
        raise PatternError(f"{source!r} has a host, but `from` is a path", "write the path alone")
    return serialized_path(source if source.startswith("/") else f"/{source}")


def _pattern(path: str, captures: Captures) -> str:
    names = [found[0] for found in _VARIABLE.finditer(path)]
    names = [":splat" if name == "*" else name for name in names]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise PatternError(
            f"{path!r} captures {twice} more than once, so it answers nothing", "give each a name of its own"
        )
    return path_pattern("/".join(_segment(segment, captures) for segment in path.split("/")))


def _segment(segment: str, captures: Captures) -> str:
    """A segment as a pattern. Alone in it, `:name` and `*` mean the same in a URL Pattern.

    Where there are several, the first takes as much as it can (a URL Pattern's would take as little), and an
    asterisk after a name would be its modifier: both are written as regular expressions then.
    """
    several = len(_VARIABLE.findall(segment)) > 1
    written, position = "", 0
    for found in _VARIABLE.finditer(segment):
        written += literal(segment[position : found.start()]) + _variable(found, captures, several)
        position = found.end()
    return written + literal(segment[position:])


def _variable(found: re.Match[str], captures: Captures, several: bool) -> str:
    if found[0] == "*":
        captures.add_splat()
        return "(.*)" if several else "*"
    return f":{captures.add(found[1])}{'([^/]+)' if several else ''}"


def _location(to: str, captures: Captures) -> str:
    if not to.startswith(("/", "https://")):
        raise TemplateError(f"{to!r} begins with neither `/` nor `https://`", "write a path or an https URL")
    if to.startswith("//"):
        to = "/" + to.lstrip("/")  # Cloudflare takes it for a path, and makes its slashes one
    return template(to, captures.groups, _NAME)


def _status(token: str | None) -> int | None:
    if token is None:
        return None
    if token.isascii() and token.isdigit() and (whole(token) in REDIRECT_STATUSES or whole(token) == REWRITE):
        return whole(token)
    raise TemplateError(f"{token!r} is no status here", "use 301, 302, 303, 307 or 308, or 200 to rewrite")


def _refuse_loop(path: str, location: str) -> None:
    if path.endswith(("/", "/*")) and location.startswith("/") and _INDEX.search(location):
        raise TemplateError(
            f"from {path!r} to {location!r} is a loop on Cloudflare, which takes `/index.html` off again",
            "drop the line, or name another file",
        )


def _refuse_duplicate(path: str, line: int, limits: _Limits) -> None:
    first = limits.paths.setdefault(path, line)
    if first != line:
        raise PatternError(f"{path!r} is a `from` in line {first} already", "drop one of the lines")


def _rewrite_note(location: str) -> str:
    if not location.startswith("/"):
        raise TemplateError("a 200 may only lead to a path", "write a path, or a redirect status")
    return "Cloudflare serves another file under this path; Detour redirects nothing here"


def _note(source: str, to: str, captures: Captures) -> str:
    notes = [uncaptured(to, captures.groups)]
    if not source.startswith("/"):
        notes.append(f"{source!r} has no slash in front and means `/{source}`")
    if found := re.search(r"[?#].*", source):
        notes.append(f"{found[0]!r} in `from` is dropped: it asks for any query")
    return "; ".join(filter(None, notes))
