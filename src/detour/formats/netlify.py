"""Netlify's `_redirects`.

Grammar (the comment at the head of netlify/build, packages/redirect-parser/src/line_parser.js):

    from [query] [to] [status[!]] [conditions]

- One rule a line; lines are trimmed; tokens are apart by white space; a line or a token that begins
  with `#` starts a comment, so `to#fragment` is a `to`. There is no line continuation.
- `query` and `conditions` are `key=value`; of a value only what stands before another `=` counts,
  of a repeated key only the last.
- `to` is the first token that begins with `/`, `http://` or `https://`. It may be left out when a
  2xx status follows directly and `from` ends in `/*`.
- `status` is read as JavaScript's parseInt does (`301!`, `301x`); default 301. `!` forces the rule
  over a file of that name. Detour has no files beside it, so every rule acts as if forced.
- `from` is a path or an absolute URL (its query is dropped); no path begins `/.netlify`.

Matching, as npm netlify-redirector 0.5.0 (Netlify's own engine) does it;
tests/formats/test_netlify.py asks both:

- First match in file order. Full duplicates are legal, and silent.
- One slash at the end of path or pattern is of no account: `/old` and `/old/` are the same.
- A segment `*` is any number of segments, none included: `/blog/*` answers `/blog`. As the end of a
  segment (`/e*`) it is whatever follows, less one slash. `:splat` in `to` is what it took.
- A segment `:name` is one segment, not an empty one. `:name` in `to` is replaced wherever it
  stands, also before further letters; what nothing captures stays as written (a note says so).
- `key=value` asks for the parameter with exactly that value, form-decoded; `key=:name` for the
  parameter with any value, the empty one included, and captures it. Other parameters are of no
  account; a path's capture wins over a query's of the same name.
- A `to` with a query of its own replaces the request's; otherwise that is passed along
  (netlify/cli, src/utils/proxy.ts, serveRedirect).

What answers without redirecting becomes a `pass`: 200 (rewrite, proxy), 404, 410, 451. Country,
Language, Role and Cookie conditions and signed proxies depend on what Detour does not know: a
fault, whatever the status.

Where Detour differs on purpose:

- `/old%20p`, `/é` and `/%c3%a9` match every spelling of the same path; the engine compares text.
- A capture is never scanned for placeholders again, is encoded for the place it lands in, and a
  Location that would begin `//` begins `/`: the engine pastes text and sends `/* /:splat` for
  `//evil.example` to that host.
- Of two names that begin alike the longer is meant (`:id` before `:i`); the engine goes by their
  order in the path.
- A parameter in a path is encoded for a path (`a b` is `a%20b`); the engine form-encodes it
  (`a+b`). When `to` uses a captured parameter, none of the request's query is added.
- `?id` is `?id=`, as in all form data (WHATWG URL §5.1); to the engine it is no parameter.
- Empty segments count: `/a//b` matches `/a//b`; the engine skips them before a placeholder and
  matches none elsewhere.
- `:a` twice in one `from`: the first counts, as in the engine. Two asterisks, an asterisk elsewhere
  in a segment, `//` or no slash at the front, a `?` or an asterisk in the host are faults: such
  lines answer nothing on Netlify, or something nobody meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from detour.core.rule import ParameterCapture
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.url import URL
from detour.errors import PatternError, TemplateError
from detour.formats.bulk_rows import PLAIN_CHARACTERS, PLAIN_HOST, PLAIN_PATH
from detour.formats.draft import OR_PASS, Draft, LineFault
from detour.formats.numbers import whole
from detour.formats.redirects_file import (
    REWRITE,
    Captures,
    Line,
    PartError,
    has_query,
    lines,
    literal,
    names_as_text,
    template,
    uncaptured,
    without_comment,
)

DEFAULT_STATUS = 301

_ABSOLUTE = ("http://", "https://")
_PLAIN_LINE = re.compile(
    rf"((?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+)\s+(https?://{PLAIN_HOST}/{PLAIN_CHARACTERS}*|{PLAIN_PATH})"
    r"(?:\s+(30[1278]))?"
)
_ENOUGH = 100  # lines, to tell the dialect by
_CASE = re.compile(r"\S+\s+[0-9]{3}(?:\s+[^\s#]|$)(?<!\s200$)")
_INTEGER = re.compile(r"[+-]?[0-9]+")  # what JavaScript's parseInt takes of a token


class _Parts(msgspec.Struct, frozen=True):
    """The tokens after `from`, by their purpose."""

    query: tuple[str, ...]
    to: str | None
    status: str | None
    conditions: tuple[str, ...]


def detect(text: str) -> bool:
    """Whether every line begins with a path or a URL, and most lead somewhere: no other dialect does that.

    `/path 301 /target` is a case of OpenStack's whereto, no rule."""
    count = targets = 0
    for line in lines(text):
        if not line.tokens[0].startswith(("/", *_ABSOLUTE)) or "," in line.tokens[0]:
            return False
        if _CASE.match(line.text):
            return False
        count, targets = count + 1, targets + (len(line.tokens) > 1)
        if count >= _ENOUGH:
            break
    return targets * 2 > count


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each rule of a `_redirects` file, in file order, restated; a line that cannot be is a fault."""
    for line in lines(text):
        yield _plain(line) or read_line(line)


def _plain(line: Line) -> Draft | None:
    """What `read_line` makes of a line of two plain paths, or a path and a URL, as most are: in a fifth of
    its time."""
    found = _PLAIN_LINE.fullmatch(line.text)
    if found is None or "/." in found[2]:
        return None
    status = None if found[3] is None else whole(found[3])
    return Draft(line.number, f"{found[1]}{{/}}?", found[2], status)


def read_line(line: Line) -> Draft | LineFault:
    pattern = None
    parameters: tuple[ParameterCapture, ...] = ()
    captures = Captures()
    try:
        source, *rest = without_comment(line.tokens)
        pattern = _pattern(source, captures)
        parts = _parts(source, tuple(rest))
        parameters = tuple(_parameters(parts.query, captures))
        status = _status(parts.status)
        location = _location(parts.to, status, captures.groups)
    except PartError as refusal:
        return line.refused(refusal, pattern, parameters)
    if parts.conditions:
        return line.fault(*_conditional(parts.conditions), pattern, parameters)
    if location is None:
        kept = status if status in PASS_STATUSES else None
        return Draft(line.number, pattern, None, kept, parameters, _pass_note(parts.to, status))
    query: Literal["keep", "drop"] = "drop" if has_query(location) else "keep"
    note = uncaptured(parts.to or "", captures.groups)
    return Draft(line.number, pattern, location, status, parameters, note, query)


# ---- from


def _pattern(text: str, captures: Captures) -> str:
    origin, path = _absolute(text) if text.startswith(_ABSOLUTE) else ("", text)
    _refuse_path(text, path)
    segments = path[1:].removesuffix("/").split("/")
    _refuse_asterisks(text, segments)
    return origin + _path(segments, captures)


def _absolute(text: str) -> tuple[str, str]:
    """The origin as a pattern, and the path; the query is dropped."""
    url = URL.parse(text)
    if "*" in url.hostname:
        raise PatternError(
            f"the host {url.hostname!r} has an asterisk, which stands for itself there",
            "write a line for each host",
        )
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{literal(url.hostname)}{port}", url.path


def _refuse_path(text: str, path: str) -> None:
    """Raise `PatternError` for a `from` that answers nothing on Netlify, or is not let in there."""
    if not path.startswith("/"):
        remedy = "fields belong in `_headers`" if text.endswith(":") else f"write `/{text}`"
        raise PatternError(f"{text!r} does not begin with a slash, so it answers nothing", remedy)
    if path.startswith("//"):
        raise PatternError(f"{text!r} begins with two slashes", "write one slash, or the whole URL")
    if path.startswith("/.netlify"):
        raise PatternError(
            f"{text!r} is one of Netlify's own paths", "drop the line: Netlify refuses it, too"
        )
    if found := re.search(r"[?#]", path):
        raise PatternError(
            f"no request path holds a {found[0]!r}, so {text!r} answers nothing",
            _apart(path),
        )


def _apart(path: str) -> str:
    """How a path with a query or a fragment is written."""
    bare, mark, query = path.partition("#")[0].partition("?")
    return f"write `{bare} {query.replace('&', ' ')} /to`" if mark else f"write `{bare}`"


def _refuse_asterisks(text: str, segments: list[str]) -> None:
    """Raise `PatternError` unless there is one asterisk at most, as a segment or as the end of the path."""
    if text.count("*") > 1:
        raise PatternError(
            f"{text!r} has more than one asterisk", "keep the last, and name segments: `:name`"
        )
    ends = segments[-1].endswith("*") and not segments[-1].startswith(":")
    if any("*" in segment for segment in segments) and not ends and "*" not in segments:
        raise PatternError(
            f"the asterisk in {text!r} stands for itself there", "make it a segment of its own: `/path/*`"
        )


def _path(segments: list[str], captures: Captures) -> str:
    *leading, last = segments
    head = "/" + "".join(_leading(segment, captures) for segment in leading)
    if not last.endswith("*"):
        return head + _segment(last, captures) + "{/}?"
    captures.add_splat()
    if last != "*":
        return head + literal(last[:-1]) + "{/}?*"
    return head[:-1] + "{/*}?" if leading else "/*"


def _leading(segment: str, captures: Captures) -> str:
    if segment != "*":
        return _segment(segment, captures) + "/"
    captures.add_splat()
    return "{*/}?"


def _segment(segment: str, captures: Captures) -> str:
    if segment.startswith(":") and len(segment) > 1:
        return ":" + captures.add(segment[1:])
    return literal(segment)


# ---- what follows


def _parts(source: str, tokens: tuple[str, ...]) -> _Parts:
    if not tokens:
        raise TemplateError("the line names no destination", "write `from to [status]`")
    if _INTEGER.match(tokens[0]):
        if not (source.endswith("/*") and tokens[0].startswith("2")):
            raise TemplateError(
                f"the status {tokens[0]!r} follows, but no destination", "write `from to [status]`"
            )
        return _Parts((), None, tokens[0], tokens[1:])
    starts = ("/", *_ABSOLUTE)
    place = next((place for place, token in enumerate(tokens) if token.startswith(starts)), None)
    if place is None:
        raise TemplateError(
            f"no destination: nothing in {' '.join(tokens)!r} begins with `/`, `http://` or `https://`",
            f"write `/{tokens[-1]}`, or a whole URL",
        )
    status = tokens[place + 1] if len(tokens) > place + 1 else None
    return _Parts(tokens[:place], tokens[place], status, tokens[place + 2 :])


def _status(token: str | None) -> int | None:
    if token is None:
        return None
    found = _INTEGER.match(token)
    if not found:
        remedy = "write the status before the conditions" if "=" in token else "write a number, as in `302`"
        raise TemplateError(f"{token!r} is not a status", remedy)
    status = whole(found[0])
    if status in REDIRECT_STATUSES or status in PASS_STATUSES or status == REWRITE:
        return status
    raise TemplateError(
        f"{status} is not a redirect status", "use 301, 302, 303, 307 or 308, or drop the line"
    )


def _parameters(tokens: tuple[str, ...], captures: Captures) -> Iterator[ParameterCapture]:
    for name, value in dict(map(_pair, tokens)).items():
        if value.startswith(":"):
            yield ParameterCapture(name, group=captures.add(value[1:]))
        else:
            yield ParameterCapture(name, value=value)


def _pair(token: str) -> tuple[str, str]:
    name, *values = token.split("=")
    if not name or not values:
        raise TemplateError(
            f"{token!r} is neither a parameter nor a destination",
            "write `name=value`, or `name=:name` for any value; a destination begins with a slash",
        )
    return name, values[0]


def _location(to: str | None, status: int | None, groups: Mapping[str, str]) -> str | None:
    if to is None or status == REWRITE or status in PASS_STATUSES:
        return None
    return template(to, groups, names_as_text(groups))


def _conditional(conditions: tuple[str, ...]) -> tuple[str, str]:
    """What is wrong with a line that has conditions, and the remedy."""
    names = ", ".join(condition.partition("=")[0] for condition in conditions)
    return (
        f"the line depends on {names}, which Detour does not know",
        f"drop the condition or the line{OR_PASS}",
    )


def _pass_note(to: str | None, status: int | None) -> str:
    if status in PASS_STATUSES:
        return f"Netlify shows {to} with the {status}; Detour answers without it"
    if to is None:
        return "Netlify serves the file of that name; Detour redirects nothing here"
    return f"Netlify serves {to} under this path; Detour redirects nothing here"
