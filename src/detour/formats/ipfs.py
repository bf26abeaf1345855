"""`_redirects` of IPFS gateways: the Web _redirects File Specification.

Its text: specs.ipfs.tech/http-gateways/web-redirects-file.

Grammar (the specification, and ipfs/go-ipfs-redirects-file, redirects.go):

    from to [status]

- Exactly two or three tokens, apart by white space; lines are trimmed and end in LF or CRLF. A line
  that begins with `#` is a comment; there is no comment behind a rule, so `/a /b # why` is a
  mistake.
- `from` is a path; `to` a path or a URL with the scheme http, https, ipfs or ipns (the last two
  lead nowhere over HTTP: a fault here).
- `*` stands only at the end of `from`, once; a segment `:name` is one segment. No name comes twice.
- `status` is 200, 301 (the default), 302, 303, 307, 308, 404, 410 or 451. `!` is a mistake: nothing
  is forced.
- A file has at most 65,536 octets.

**One mistake anywhere and the gateway answers 500** to everything it has no file for. Detour yields
a fault for each such line and restates the others; `on_fault` of the import decides what becomes of
the file.

Matching (redirects.go, MatchAndExpandPlaceholders, over ucarion/urlpath; ipfs/boxo, gateway,
handler_unixfs__redirects.go): first match in file order; one slash at the end of path or `from` is
taken off first. `/blog/*` answers `/blog/a`, but neither `/blog` nor `/blog/`, and `:splat` holds
no slash at its end. An asterisk that follows other text in its segment stands for itself. `:name`
in `to` is replaced wherever it stands, longer names first. The request's query is passed along,
after one that `to` has (specification, "Query Parameters").

200 (a rewrite), 404, 410 and 451 (a page of one's own) answer without redirecting: they become a
`pass`.

Where Detour differs on purpose:

- Rules answer whether or not a file of that name exists: Detour has no files.
- A segment `:name` is not an empty one (`/a//b`), and every spelling of a path matches.
- Of a parameter that both `to` and the request have, both stay, in this order; a gateway replaces
  the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.numbers import whole
from detour.formats.redirects_file import (
    REWRITE,
    Captures,
    Line,
    PartError,
    lines,
    literal,
    names_as_text,
    path_pattern,
    template,
    uncaptured,
)

DEFAULT_STATUS = 301

MAX_SIZE = 65_536  # octets


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each rule of a `_redirects` file, in file order, restated; a line that cannot be is a fault.

    A file over `MAX_SIZE` is one fault, at the line that crosses it, and nothing else.
    """
    octets = text.encode()
    if len(octets) > MAX_SIZE:
        line = octets.count(b"\n", 0, MAX_SIZE) + 1
        yield LineFault(
            line, f"a file of {len(octets)} octets", f"use at most {MAX_SIZE}: gateways refuse more"
        )
        return
    for each in lines(text):
        yield _read_line(each)


def _read_line(line: Line) -> Draft | LineFault:
    pattern = None
    captures = Captures()
    try:
        source, to, token = _tokens(line.tokens)
        pattern = _pattern(source, captures)
        status = _status(token)
        location = _location(to, captures.groups)
    except PartError as refusal:
        return line.refused(refusal, pattern)
    if status in PASS_STATUSES:
        return Draft(line.number, pattern, None, status, note=f"a gateway shows {to} with the {status}")
    if status == REWRITE:
        return Draft(line.number, pattern, note=f"a gateway serves {to} under this path")
    return Draft(line.number, pattern, location, status, note=uncaptured(to, captures.groups))


def _tokens(tokens: tuple[str, ...]) -> tuple[str, str, str | None]:
    if not 2 <= len(tokens) <= 3:
        commented = any(token.startswith("#") for token in tokens)
        remedy = "put the comment on a line of its own" if commented else "write `from to [status]`"
        raise TemplateError(f"{len(tokens)} tokens where two or three belong", remedy)
    return tokens[0], tokens[1], tokens[2] if len(tokens) == 3 else None


def _pattern(source: str, captures: Captures) -> str:
    if not source.startswith("/"):
        raise PatternError(f"{source!r} does not begin with a slash", f"write `/{source}`")
    if "*" in source[:-1]:
        raise PatternError(f"{source!r} has an asterisk before its end", "keep one, at the end: `/path/*`")
    if found := re.search(r"[?#]", source):
        raise PatternError(f"no request path holds a {found[0]!r}", f"write `{source[: found.start()]}`")
    segments = source.removesuffix("/").split("/")
    if segments[-1] != "*":
        path = "/".join(_segment(segment, captures) for segment in segments)
        return path_pattern(path + "{/}?") if path else "/"
    captures.add_splat()
    path = "/".join(_segment(segment, captures) for segment in segments[:-1])
    return path_pattern(path + "/(.+?){/}?")


def _segment(segment: str, captures: Captures) -> str:
    if not segment.startswith(":"):
        return literal(segment)
    name = segment[1:]
    if not name or name in captures.groups:
        raise PatternError(
            f"the placeholder {segment!r} is empty or comes twice", "give each a name of its own"
        )
    return ":" + captures.add(name)


def _status(token: str | None) -> int | None:
    if token is None:
        return None
    if token.endswith("!"):
        raise TemplateError(
            f"{token!r} forces a redirect, which gateways refuse", f"write `{token.rstrip('!')}`"
        )
    if token.isascii() and token.isdigit():
        status = whole(token)
        if status in REDIRECT_STATUSES or status in PASS_STATUSES or status == REWRITE:
            return status
    raise TemplateError(f"{token!r} is no status here", "use 200, 301, 302, 303, 307, 308, 404, 410 or 451")


def _location(to: str, groups: Mapping[str, str]) -> str:
    if to.startswith(("ipfs://", "ipns://")):
        raise TemplateError(f"{to!r} leads out of HTTP", "write the URL of a gateway")
    if not to.startswith(("/", "http://", "https://")):
        raise TemplateError(f"{to!r} is neither a path nor an http URL", f"write `/{to}`, or a whole URL")
    return template(to, groups, names_as_text(groups))
