"""What a response looks like when a certain program wrote it.

A fingerprint is a row: marks that must all be seen, who leaves them, and what makes that program redirect.
Rows are tables (`follow.fingerprints`), each with the capture or the citation it rests on. A row that was
never seen in a capture of the real program says *suggests*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal

import msgspec

from detour.core.chain import Hop, Response
from detour.core.url import URL
from detour.errors import URLError

Confidence = Literal["is", "suggests"]


class Mark(msgspec.Struct, frozen=True):
    """One thing to be seen in a hop: a key of `LOOKS`, the field it is about, and a regular expression."""

    look: str
    value: str = ""  # matched against the whole text, "." matching line ends, too
    field: str = ""  # name in the case the program writes it


class Fingerprint(msgspec.Struct, frozen=True):
    """Who leaves these marks, and why that program redirects."""

    emitter: str  # the program's own spelling: nginx, HAProxy, Starlette
    cause: str  # kebab-case, one of the emitter's ways to redirect: return, implicit-slash, https-redirect
    marks: tuple[Mark, ...]
    confidence: Confidence
    source: str  # the capture's name, or a citation
    remedy: str  # the setting or the line to change
    note: str = ""  # what else a person should know
    between: bool = False  # it tells who passed the answer on, or what the application behind it runs on


class Guess(msgspec.Struct, frozen=True):
    """Who may have emitted a response."""

    emitter: str
    cause: str
    confidence: Confidence
    why: str  # the marks, for a person
    remedy: str
    between: bool = False  # of a row that tells who stands between


def guesses(hop: Hop, rows: Iterable[Fingerprint]) -> tuple[Guess, ...]:
    """Each row whose marks are all there: certain ones, then by the number of their marks.

    Who only stands between comes last. Once a row is certain, others that would emit are left out.
    """
    if hop.response is None:
        return ()
    look = _Look(hop, hop.response)
    found = [row for row in rows if all(map(look.sees, row.marks))]
    found.sort(key=lambda row: (row.confidence != "is", row.between, -len(row.marks)))
    if found and found[0].confidence == "is":
        found = [row for row in found if row.confidence == "is" or row.between]
    return tuple(
        Guess(
            row.emitter, row.cause, row.confidence, "; ".join(map(_said, row.marks)), row.remedy, row.between
        )
        for row in found
    )


def _change(hop: Hop, response: Response) -> str:
    """What Location changes: itself (nothing), slash-added, slash-dropped, https, http, path, host; or ""."""
    asked = hop.request.url
    try:
        to = URL.parse(response.locations[0], asked) if response.locations else None
    except URLError:
        to = None
    if to is None:
        return ""
    if to.hostname != asked.hostname:
        return "host"
    if to.scheme != asked.scheme:
        return to.scheme
    if to.query == asked.query and to.path != asked.path:
        ends = {f"{asked.path}/": "slash-added", asked.path.removesuffix("/"): "slash-dropped"}
        return ends.get(to.path, "path")
    return "itself" if (to.origin, to.request_target) == (asked.origin, asked.request_target) else "path"


# What a mark can look at: the texts of which one must match.
LOOKS: dict[str, Callable[[Hop, Response, str], tuple[str, ...]]] = {
    "method": lambda hop, response, field: (hop.request.method,),
    "path": lambda hop, response, field: (hop.request.url.path,),
    "status": lambda hop, response, field: (str(response.status),),
    "reason": lambda hop, response, field: (response.reason,),
    "version": lambda hop, response, field: (response.http_version,),
    "content": lambda hop, response, field: (response.content.decode("latin-1"),),
    "field": lambda hop, response, field: response.values(field.lower()),
    "change": lambda hop, response, field: (_change(hop, response),),
    "field-case": lambda hop, response, field: tuple(name for name, _ in response.fields),
    "order": lambda hop, response, field: (" ".join(name.lower() for name, _ in response.fields),),
}


class _Look:
    """One hop, looked at once for each mark and each text, however many rows ask."""

    def __init__(self, hop: Hop, response: Response) -> None:
        self._hop, self._response = hop, response
        self._seen: dict[Mark, bool] = {}
        self._texts: dict[tuple[str, str], tuple[str, ...]] = {}

    def sees(self, mark: Mark) -> bool:
        """Whether the mark is there."""
        known = self._seen.get(mark)
        if known is None:
            known = self._seen[mark] = self._sees(mark)
        return known

    def _sees(self, mark: Mark) -> bool:
        if mark.look == "no-field":
            return not self._response.values(mark.field.lower())
        asked = mark.look, mark.field
        texts = self._texts.get(asked)
        if texts is None:
            texts = self._texts[asked] = LOOKS[mark.look](self._hop, self._response, mark.field)
        return any(map(_pattern(mark.value).fullmatch, texts))


def _said(mark: Mark) -> str:
    if mark.look == "no-field":
        return f"no {mark.field}"
    return f"{mark.field or mark.look}: {mark.value}"


@lru_cache(1024)
def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(value, re.DOTALL)
