"""Cloudflare's Bulk Redirects, as a CSV file of a list.

Format (cloudflare/cloudflare-docs, rules/url-forwarding/bulk-redirects: reference/csv-file-format,
reference/parameters, reference/url-components, how-it-works):

    SOURCE,TARGET[,STATUS,PRESERVE_QUERY,INCLUDE_SUBDOMAINS,SUBPATH,PRESERVE_PATH_SUFFIX]

- No header row. Booleans are TRUE, true, FALSE, false or empty; commas at the end may be missing.
- SOURCE is host and path, with or without http:// or https:// (without: both); it has no port, no
  query, no user information and no wildcards. TARGET is a whole URL. STATUS is 301 (the default),
  302, 307 or 308.
- INCLUDE_SUBDOMAINS: hosts below the source's, at any depth, match as well as the host itself.
- SUBPATH: paths below the source's match, too. `/a` has `/a`, `/a/` and `/a/b` below it, not `/ab`;
  `/a/` has `/a/` and `/a/b`, not `/a`.
- PRESERVE_PATH_SUFFIX (only with SUBPATH): what follows the source's path is put behind the
  target's, with one slash between them.
- PRESERVE_QUERY: the request's query is passed along; the target has none of its own then.

**The contradiction.** The page on CSV files says that an empty PRESERVE_PATH_SUFFIX is FALSE, as
every boolean; the pages on parameters and on matching say that its default is true, and mean the
API. Read here is what the page on this very format says: empty is FALSE. Where it matters, which is
in a row with SUBPATH, a warning asks to write the word.

**The order.** Cloudflare goes by precedence, not by the order of rows (how-it-works, "Determining
the URL redirect to apply"): the longer path; then a row without INCLUDE_SUBDOMAINS before one with
it; then the longer host; then a row with a scheme before one without. All rows that match one
request have paths that are beginnings of its path and hosts that are endings of its host, so lengths
decide and do not depend on the request: rows sorted once by (path, subdomains, host, scheme) give
Cloudflare's answer to whoever takes the first that matches. `read` yields them in that order.
Cloudflare compares paths only among rows with SUBPATH; here a row for the whole path is simply the
longest. Rows alike in all of this keep the file's order (Cloudflare refuses a second row for the
same source).

Memory: beside the text, 16 octets a row, kept in one array for each distinct key of the order; a row
is read again when its turn comes.

Where Detour differs on purpose: every spelling of a path matches; a target with user information, or
with another scheme than http(s), is a fault; hosts have their scheme's default port.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.core.url import URL, normalize
from detour.errors import PatternError, TemplateError
from detour.formats.bulk_rows import PLAIN_CHARACTERS, PLAIN_HOST, cells, is_plain, restated, row_at, rows
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import PartError, has_query, literal

DEFAULT_STATUS = 301

COLUMNS = 7

_STATUSES = {"": None, "301": 301, "302": 302, "307": 307, "308": 308}
_BOOLEANS = {"": False, "TRUE": True, "true": True, "FALSE": False, "false": False}

_PLAIN = re.compile(rf"(https?://)?({PLAIN_HOST})(/{PLAIN_CHARACTERS}*)?")
_PLAIN_START = re.compile(rf"(https?://)?({PLAIN_HOST})(/{PLAIN_CHARACTERS}*),")
# A row without SUBPATH and INCLUDE_SUBDOMAINS, of URLs that need no parser: most rows of most lists.
_NO = r"(?:FALSE|false)?"
_PLAIN_ROW = re.compile(
    rf"(?:(https?:)//)?({PLAIN_HOST}/{PLAIN_CHARACTERS}*),(https?://{PLAIN_HOST}(?:/{PLAIN_CHARACTERS}*)?)"
    rf"(?:,(30[1278]|)(?:,(?:(TRUE|true)|{_NO})(?:,{_NO}(?:,{_NO}(?:,(?:TRUE|true|{_NO}))?)?)?)?)?\r?$",
    re.MULTILINE,
)
_TOLD = re.compile(
    r"[^,\s]*\.[^,\s]*,https?://[^,\s]+,(?:30[1278])?(?:,(?:TRUE|true|FALSE|false)?){1,4}(?<=[Ee]),*\s*$"
)
_SCHEME = re.compile(r"(https?)://", re.IGNORECASE)
_HEADER = re.compile(r"<?source([ _-]?url)?>?", re.IGNORECASE)
_TARGET = re.compile(r"https?://", re.IGNORECASE)
_PATH_END = re.compile(r"[?#]|$")

_ASTERISK = "Bulk Redirects have no wildcards: the asterisk stands for itself"
_NO_SUFFIX = (
    "PRESERVE_PATH_SUFFIX is empty beside SUBPATH and read as FALSE (Cloudflare's API: true); "
    "write TRUE or FALSE"
)

# The place of a row: longer paths first, no subdomains first, longer hosts first, schemes first.
_Key = tuple[int, bool, int, bool]


class _Source(msgspec.Struct, frozen=True):
    """A source, serialized: `scheme` is "" for both."""

    scheme: str
    host: str
    path: str

    def pattern(self, path: str, subdomains: bool) -> str:
        """The native pattern for this host and `path`, which is pattern syntax already."""
        below = "{*.}?" if subdomains else ""
        scheme = f"{self.scheme}:" if self.scheme else ""
        return f"{scheme}//{below}{literal(self.host)}{path}"


class _Options(msgspec.Struct, frozen=True):
    """What stands behind source and target."""

    status: int | None
    query: Literal["keep", "drop"]
    subdomains: bool
    subpath: bool
    suffix: bool


def detect(text: str) -> bool:
    """Whether the first row has columns that only Cloudflare has: TRUE and FALSE behind the status."""
    first = next((line for _, _, line in rows(text)), "")
    return _TOLD.match(first) is not None


def read(text: str) -> Iterator[Draft | LineFault]:
    """The rows in Cloudflare's order of precedence, restated; a row that cannot be is a fault.

    Rows whose source cannot be read come first. A row with SUBPATH may be two drafts.
    """
    places: defaultdict[_Key, array[int]] = defaultdict(lambda: array("Q"))
    for number, start, line in rows(text):
        try:
            key = _key(line)
        except PartError as refusal:
            yield LineFault(number, refusal.fact, refusal.remedy)
            continue
        if key is not None:
            places[key].extend((start, number))
    for key in sorted(places):
        pairs = iter(places.pop(key))
        for start, number in zip(pairs, pairs, strict=True):
            found = _PLAIN_ROW.match(text, start)
            if found and is_plain(found[0]):
                scheme, rest, target, code, query = found.groups("")
                kept: Literal["keep", "drop"] = "keep" if query else "drop"
                yield Draft(number, f"{scheme}//{rest}", target, _STATUSES[code], query=kept)
            else:
                yield from _restated(number, row_at(text, start))


def _key(line: str) -> _Key | None:
    """Where a row stands in the order, None for a row of commas alone; raises what `_source` raises."""
    found = _PLAIN_START.match(line)
    if found and is_plain(found[0]) and _no_subdomains(line):
        return found.start(3) - found.end(3), False, found.start(2) - found.end(2), found[1] is None
    row = cells(line)
    if not any(row):
        return None
    source = _source(row[0])
    subdomains = _BOOLEANS.get(row[4], False) if len(row) > 4 else False
    return -len(normalize(source.path)), subdomains, -len(source.host), not source.scheme


def _no_subdomains(line: str) -> bool:
    """Whether INCLUDE_SUBDOMAINS is certainly not set, without looking at the cells one by one."""
    return line.count(",") < 4 or ('"' not in line and line.split(",", 5)[4] in ("", "FALSE", "false"))


# ---- the source


def _source(text: str) -> _Source:
    found = _PLAIN.fullmatch(text)
    if found and is_plain(text):
        return _Source((found[1] or "")[:-3], found[2], found[3] or "/")
    _refuse_source(text)
    scheme = _SCHEME.match(text)
    url = URL.parse(text if scheme else f"http://{text}")
    if url.username or url.password or url.port:
        raise PatternError(f"the source {text!r} has a port or user information", "write host and path alone")
    if "*" in url.hostname:
        raise PatternError(
            f"the host {url.hostname!r} has an asterisk", "write the domain and set INCLUDE_SUBDOMAINS"
        )
    return _Source(url.scheme if scheme else "", url.hostname, url.path)


def _refuse_source(text: str) -> None:
    if not text:
        raise PatternError("the row has no source", "write `host/path,https://host/path`")
    if _HEADER.fullmatch(text):
        raise PatternError("a header row", "drop it: the file has none")
    if "://" in text and not _SCHEME.match(text):
        raise PatternError(f"the source {text!r} is neither http nor https", "write host and path alone")
    if text.startswith("/"):
        raise PatternError(f"the source {text!r} names no host", f"write `example.com{text}`")
    if found := re.search(r"[?#]", text):
        raise PatternError(
            f"the source {text!r} has a {found[0]!r}",
            f"write `{text[: found.start()]}`: it asks for any query",
        )


# ---- a row, restated


def _restated(number: int, line: str) -> Iterator[Draft | LineFault]:
    pattern = None
    try:
        row = cells(line)
        source = _source(row[0])
        exact = literal(source.path)
        pattern = source.pattern(exact, False)
        options = _options(row)
        pattern = source.pattern(_covering(exact, options.subpath), options.subdomains)
        location = _location(row[1] if len(row) > 1 else "", options)
    except PartError as refusal:
        yield LineFault(number, refusal.fact, refusal.remedy, pattern)
        return
    yield from _drafts(number, source, options, location, _note(source, row, options))


def _drafts(number: int, source: _Source, options: _Options, location: str, note: str) -> Iterator[Draft]:
    """A draft for the source's own path, unless it ends in a slash, and with SUBPATH one for those below."""
    exact = literal(source.path)
    below = exact.removesuffix("/")
    if not options.subpath or below == exact:
        whole = source.pattern(exact, options.subdomains)
        yield Draft(number, whole, location, options.status, note=note, query=options.query)
        note = ""
    if options.subpath:
        tree = source.pattern(f"{below}/*", options.subdomains)
        if options.suffix:
            location = _with_suffix(location, "1" if options.subdomains else "0")
        yield Draft(number, tree, location, options.status, note=note, query=options.query)


def _covering(exact: str, subpath: bool) -> str:
    """One path pattern for all that a row matches."""
    if not subpath:
        return exact
    return f"{exact}*" if exact.endswith("/") else f"{exact}{{/*}}?"


def _options(row: list[str]) -> _Options:
    if len(row) > COLUMNS and any(row[COLUMNS:]):
        raise TemplateError(
            f"{len(row)} cells where at most {COLUMNS} belong", "quote a URL that holds a comma"
        )
    code = row[2] if len(row) > 2 else ""
    if code not in _STATUSES:
        raise TemplateError(f"{code!r} is no status here", "use 301, 302, 307 or 308")
    flags = [_boolean(cell) for cell in row[3:COLUMNS]]
    query, subdomains, subpath, suffix = flags + [False] * (4 - len(flags))
    return _Options(_STATUSES[code], "keep" if query else "drop", subdomains, subpath, suffix)


def _boolean(cell: str) -> bool:
    try:
        return _BOOLEANS[cell]
    except KeyError:
        raise TemplateError(f"{cell!r} where a boolean belongs", "write TRUE, FALSE or nothing") from None


def _location(target: str, options: _Options) -> str:
    if not _TARGET.match(target):
        fact = f"the target {target!r} is not a whole URL" if target else "the row has no target"
        raise TemplateError(fact, "write https://host/path; the file has no header row")
    location = restated(target)
    if options.query == "keep" and has_query(location):
        raise TemplateError(
            "PRESERVE_QUERY beside a target with a query, which Cloudflare does not join",
            "drop the target's query, or write FALSE",
        )
    return location


def _with_suffix(location: str, slot: str) -> str:
    """The location with what a path below the source's holds, behind its own path."""
    end = next(_PATH_END.finditer(location)).start()
    return f"{location[:end].removesuffix('/')}/{{{slot}}}{location[end:]}"


def _note(source: _Source, row: list[str], options: _Options) -> str:
    if options.subpath and not any(row[6:7]):
        return _NO_SUFFIX
    return _ASTERISK if "*" in source.path else ""
