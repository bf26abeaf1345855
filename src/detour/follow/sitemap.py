"""Sitemaps (sitemaps.org): `<loc>` after `<loc>`, read in pieces, so that a file may have any size."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal, cast
from xml.parsers import expat

import msgspec

from detour.errors import DetourError

_PIECE = 64 * 1024  # octets parsed at a time
_LONGEST = 8192  # characters of one <loc>; the protocol allows 2,048
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 §2.3.1


class Loc(msgspec.Struct, frozen=True):
    """What a `<loc>` names, a page or a further sitemap, and its line."""

    kind: Literal["url", "sitemap"]
    text: str
    line: int


def unzipped(file: BinaryIO) -> BinaryIO:
    """The file, gzip taken off where it is on; `file` can be peeked into."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if first_octets(file, 2) == GZIP_MAGIC else file


def first_octets(file: BinaryIO, count: int) -> bytes:
    """The octets that will be read first; the file stays where it is."""
    return bytes(file.peek(count)[:count])  # type: ignore[attr-defined]  # every BufferedReader has it


def locs(file: BinaryIO) -> Iterator[Loc]:
    """Each `<loc>` of a `urlset` or a `sitemapindex`; raises `DetourError` for what is neither."""
    reader = _Reader()
    try:
        while piece := file.read(_PIECE):
            yield from reader.feed(piece)
        yield from reader.feed(b"", last=True)
    except expat.ExpatError as error:
        words = expat.errors.messages[error.code]
        raise DetourError(
            f"line {error.lineno}: not XML: {words}; write a sitemap, or one URL a line"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DetourError(f"cannot be unpacked: {error}; pack it with gzip again") from None


class _Reader:
    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._entity
        self._namespace: str | None = None
        self._parents: list[str] = []
        self._words: list[str] | None = None
        self._found: list[Loc] = []

    def feed(self, octets: bytes, last: bool = False) -> list[Loc]:
        self._found = []
        self._parser.Parse(octets, last)
        return self._found

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if self._namespace is None:
            if local not in ("urlset", "sitemapindex"):
                raise DetourError(
                    f"line {self._line}: <{local}> is no sitemap; write <urlset> or <sitemapindex>"
                )
            self._namespace = namespace
        ours = namespace == self._namespace
        if ours and local == "loc" and self._parents[-1:] in (["url"], ["sitemap"]):
            self._words = []
        self._parents.append(local if ours else name)

    def _text(self, words: str) -> None:
        if self._words is not None:
            self._words.append(words)

    def _end(self, _name: str) -> None:
        local = self._parents.pop()
        if local == "loc" and self._words is not None:
            text, self._words = "".join(self._words).strip()[:_LONGEST], None
            kind: Literal["url", "sitemap"] = "url" if self._parents[-1] == "url" else "sitemap"
            self._found.append(Loc(kind, text, self._line))

    def _entity(self, *_: object) -> None:
        raise DetourError(f"line {self._line}: declares entities; sitemaps have none, take them out")

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber
