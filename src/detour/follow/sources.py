"""What to check from: contracts, rule files, lists of URLs, CSV of old and new, sitemaps; `-` is stdin.

What a file is, its first octets say. Contracts and rule files are read whole before anything is asked, so
that a fault in them stops the run; lists are read as they are worked off, and a line that cannot be asked is
a failed result at that line. Lists ask with GET: some servers answer HEAD otherwise than GET, and an answer
that nobody gets proves nothing. Reading stops after 64 KiB of an answer's content.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, cast

import msgspec

from detour.core.chain import SAFE_METHODS, Chain, Fields, Outgoing
from detour.core.policy import FETCH, Policy
from detour.core.url import URL
from detour.errors import DetourError, Fault, RuleError, Span, URLError
from detour.follow import contract, rule_examples
from detour.follow.claim import Claim, Expected, Unusable
from detour.follow.consent import EVERYTHING
from detour.follow.sitemap import GZIP_MAGIC, first_octets, locs, unzipped
from detour.formats.conversion import Document
from detour.formats.csv_file import SOURCE_NAMES, STATUS_NAMES, TARGET_NAMES
from detour.load import load
from detour.snapshot import MAGIC

Kind = Literal["contract", "rules", "sitemap", "csv", "urls"]
Entry = Claim | Unusable
Fetch = Callable[[str], bytes]  # the content at a URL, whole; raises `DetourError`
Open = Callable[[], BinaryIO]
Read = Callable[[str, Iterable[str], "Asking"], Iterator[Entry]]

_LOOK = 4096  # octets that say what a file is
_TABLE = re.compile(r"^[ \t]*\[\[?[ \t]*[A-Za-z\"']", re.MULTILINE)
_DEEPEST = 2  # sitemaps.org: an index lists sitemaps, not indexes; one more is forgiven


class Asking(msgspec.Struct, frozen=True):
    """What holds for every file."""

    fetch: Fetch  # for sitemaps at URLs
    now: float  # seconds since the epoch
    origin: str = ""
    policy: Policy = FETCH
    fields: Fields = ()
    send: bool = False


class Source(msgspec.Struct, frozen=True):
    """A file to check from; `total` is how many entries it has, None if nobody has counted."""

    name: str
    kind: Kind
    entries: Iterable[Entry]
    total: int | None = None
    connect_to: tuple[str, ...] = ()  # as `TransportSettings.connect_to`


def open_sources(names: Sequence[str], asking: Asking) -> list[Source]:
    """Every file opened; raises `RuleError` with the faults of all of them, and `DetourError`."""
    sources: list[Source] = []
    faults: list[Fault] = []
    for name in names:
        try:
            sources.append(_source(name, asking))
        except RuleError as error:
            faults += error.faults
    if faults:
        raise RuleError(tuple(faults))
    return sources


def _source(name: str, asking: Asking) -> Source:
    file = _opened(name, asking)
    kind = kind_of(name, first_octets(file, _LOOK))
    if kind == "contract":
        with file:
            return _toml(name, file, asking)
    again = _reopener(name, file, asking)
    if kind == "rules":
        return _rules(name, asking)
    if kind == "sitemap":
        return Source(name, kind, _sitemap(name, again, asking, 0))
    read = _csv if kind == "csv" else _urls
    return Source(name, kind, _of_lines(name, again, read, asking), _lines(name))


def kind_of(name: str, head: bytes) -> Kind:
    """What a file is, by its first octets, then its name; TOML is a `contract` until it is read."""
    text = head.decode("utf-8-sig", "replace")
    if head.startswith(MAGIC):
        return "rules"
    if text.lstrip().startswith("<"):
        return "sitemap"
    if name.endswith(".toml") or (_TABLE.search(text) and "=" in text):
        return "contract"
    return "csv" if name.endswith(".csv") or _has_two_cells(text) else "urls"


def _has_two_cells(text: str) -> bool:
    """Whether the first line that says something is `old,new`: two URLs, or the names of columns."""
    said = (line.strip() for line in text.splitlines())
    first = next((line for line in said if line and not line.startswith("#")), "")
    cells = [cell.strip() for cell in next(csv.reader([first]), [])]
    if len(cells) not in (2, 3):
        return False
    named = cells[0].lower() in SOURCE_NAMES and cells[1].lower() in TARGET_NAMES
    return named or cells[1].startswith("/") or "://" in cells[1]


def _reopener(name: str, file: BinaryIO, asking: Asking) -> Open:
    """How a file is opened when its turn comes; what cannot be read twice stays open."""
    if name == "-" or "://" in name:
        return lambda: file
    file.close()
    return lambda: _opened(name, asking)


def _opened(name: str, asking: Asking) -> BinaryIO:
    """A file as octets that can be peeked into, gzip taken off."""
    if name == "-":
        return unzipped(sys.stdin.buffer)
    if name.startswith(("http://", "https://")):
        return unzipped(_buffered(asking.fetch(name)))
    try:
        with open(name, "rb") as file:
            packed = file.read(2) == GZIP_MAGIC
        return cast(BinaryIO, gzip.open(name)) if packed else open(name, "rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RuleError.of_file(
            name, f"cannot be read: {reason}", "name a contract, a list of URLs, or -"
        ) from None


def _buffered(octets: bytes) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(io.BytesIO(octets)))


def _text(file: BinaryIO) -> io.TextIOWrapper:
    """Lines as text; octets that are no UTF-8 stay what they are, and are refused with their line."""
    return io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")


def _lines(name: str) -> int | None:
    """How many lines a plain file has, at most as many as its entries."""
    if name == "-" or not Path(name).is_file():
        return None
    with open(name, "rb") as file:
        if file.read(2) == GZIP_MAGIC:
            return None
        file.seek(0)
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


# -- contracts and rule files


def _toml(name: str, file: BinaryIO, asking: Asking) -> Source:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError.of_file(name, f"not UTF-8 (octet {error.start})", "save it as UTF-8") from None
    document = Document.parse(name, text)
    if not contract.is_contract(document.data) and "rule" in document.data:
        return _rules(name, asking)
    folder = Path() if name == "-" else Path(name).parent
    claims = contract.read(
        document,
        lambda written: (folder / written).read_bytes(),
        asking.origin,
        asking.policy,
        asking.fields,
    )
    if asking.send:
        claims = tuple(msgspec.structs.replace(claim, consent=EVERYTHING) for claim in claims)
    return Source(name, "contract", claims, len(claims))


def _rules(name: str, asking: Asking) -> Source:
    if name == "-":
        raise RuleError.of_file(name, "a rule file on standard input", "name the file")
    if not asking.origin:
        raise RuleError.of_file(name, "a rule file says nothing about where it is served", "add --origin URL")
    origin = URL.parse(asking.origin)
    live = rule_examples.Live(origin, asking.now, asking.fields, asking.send)
    ruleset = load(name)
    entries = [rule_examples.example_claim(ruleset, example, live) for example in ruleset.examples]
    if not entries:
        raise RuleError.of_file(name, "no rule has an example to check", "write [[rule.expect]] under a rule")
    claims = [entry for entry in entries if isinstance(entry, Claim)]
    return Source(name, "rules", entries, len(entries), rule_examples.connections(origin, claims))


# -- lists


def _of_lines(name: str, again: Open, read: Read, asking: Asking) -> Iterator[Entry]:
    with _text(again()) as lines:
        yield from read(name, lines, asking)


def _urls(name: str, lines: Iterable[str], asking: Asking) -> Iterator[Entry]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield _entry(text, Span(name, number), asking)


class _Columns(msgspec.Struct, frozen=True):
    old: int = 0
    new: int = 1
    status: int = 2


def _csv(name: str, lines: Iterable[str], asking: Asking) -> Iterator[Entry]:
    rows, columns, first = csv.reader(lines), _Columns(), True
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Unusable(
                f"line {rows.line_num}", f"not CSV: {error}; write old,new", Span(name, rows.line_num)
            )
            continue
        if row is None:
            return
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        named = _named(cells) if first else None
        first = False
        if named:
            columns = named
        else:
            yield _row(cells, columns, Span(name, rows.line_num), asking)


def _named(cells: list[str]) -> _Columns | None:
    """Where the columns stand, if this row names them."""
    names = [cell.lower() for cell in cells]
    old = next((place for place, cell in enumerate(names) if cell in SOURCE_NAMES), -1)
    new = next((place for place, cell in enumerate(names) if cell in TARGET_NAMES), -1)
    status = next((place for place, cell in enumerate(names) if cell in STATUS_NAMES), len(names))
    return _Columns(old, new, status) if old >= 0 and new >= 0 else None


def _row(cells: list[str], columns: _Columns, span: Span, asking: Asking) -> Entry:
    if len(cells) <= max(columns.old, columns.new) or not cells[columns.new]:
        return Unusable(",".join(cells), "no second cell; write old,new", span)
    status = cells[columns.status] if columns.status < len(cells) else ""
    if status and not re.fullmatch("[1-5][0-9][0-9]", status):
        return Unusable(",".join(cells), f"{status!r} is no status; write 307, or nothing", span)
    old = _entry(cells[columns.old], span, asking)
    if isinstance(old, Unusable):
        return old
    try:
        new = URL.parse(cells[columns.new], old.request.url)
    except URLError as error:
        return Unusable(cells[columns.new], str(error), span)
    expected = Expected(status=(int(status),) if status else (), through=new)
    return msgspec.structs.replace(old, name=f"{old.name} → {new}", expected=expected)


def _entry(text: str, span: Span, asking: Asking) -> Entry:
    try:
        url = URL.parse(text, asking.origin or None)
    except URLError as error:
        remedy = "write it whole, or give --origin URL" if text.startswith("/") else error.remedy
        return Unusable(text, f"{error.fact}; {remedy}", span)
    if url.fragment is not None or url.username or url.password:
        url = msgspec.structs.replace(url, fragment=None, username="", password="")
    return Claim(f"GET {url}", Outgoing("GET", url, asking.fields), policy=asking.policy, span=span)


# -- sitemaps


def _sitemap(name: str, again: Open, asking: Asking, depth: int) -> Iterator[Entry]:
    try:
        with again() as file:
            for loc in locs(file):
                span = Span(name, loc.line)
                if loc.kind == "url":
                    yield _entry(loc.text, span, asking)
                else:
                    yield from _listed(name, loc.text, span, asking, depth + 1)
    except DetourError as error:
        yield Unusable(name, str(error), Span(name))


def _listed(index: str, text: str, span: Span, asking: Asking, depth: int) -> Iterator[Entry]:
    """The entries of a sitemap that an index names: a file beside the index, else fetched."""
    if depth > _DEEPEST:
        yield Unusable(text, "an index within an index within an index; list sitemaps only", span)
        return
    beside = Path(index).parent / text.partition("?")[0].rpartition("/")[2]
    local = not index.startswith(("http://", "https://")) and index != "-" and beside.is_file()
    try:
        url = text if local else str(URL.parse(text, index if "://" in index else asking.origin or None))
        file = _opened(str(beside) if local else url, asking)
    except DetourError as error:
        yield Unusable(text, str(error), span)
        return
    yield from _sitemap(str(beside) if local else url, lambda: file, asking, depth)


def fetched(chain: Chain) -> bytes:
    """The whole content at the end of a chain; raises `DetourError` where there is none, or not all of it."""
    first, last = chain.hops[0].request.url, chain.hops[-1].response
    if chain.end.name != "arrived" or last is None or last.status >= 300:
        answer = f"answered with {last.status}" if last is not None and chain.end.name == "arrived" else ""
        why = answer or f"{chain.end.name}: {chain.end.detail}"
        raise DetourError(f"{first}: cannot be fetched ({why}); name a file")
    if last.content_length > len(last.content) or last.cut:
        why = "too long" if last.cut in ("", "too-large") else last.cut
        raise DetourError(f"{first}: did not come whole ({why}); download it and name the file")
    assert chain.hops[0].request.method in SAFE_METHODS
    return last.content
