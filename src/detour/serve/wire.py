"""A decision as bytes. Pure.

Every answer has the same fields in the same order and case: those of the decision (Location first),
Date, X-Redirect-By, Content-Type, Content-Length, Connection. Date is the one that changes from second
to second, so an answer is kept as what stands before it and what stands after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from html import escape
from http import HTTPStatus
from math import inf

import msgspec

from detour.core.decision import NO_STORE, Decision
from detour.core.status import REDIRECT_STATUSES

Fields = tuple[tuple[str, str], ...]

# RFC 9110 §5.5: they make one field into two, or one answer. Rules with such values are refused where
# they are read, and captures are encoded; this is the last wall.
_ends_line = re.compile("[\r\n\0]").search

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


class Answer(msgspec.Struct, frozen=True):
    """A response, all but its Date line: `before` and `after` stand around it."""

    status: int
    before: bytes
    after: bytes  # the rest of the head, and the content
    rule: str = ""  # the name of the rule that answers
    series: str = ""  # the name its hits are counted under
    location: str = ""
    until: float = inf  # an equal request gets these bytes before this instant; -inf: never again

    def dated(self, date: bytes) -> bytes:
        """The whole response; `date` is a line of `date_line`."""
        return self.before + date + self.after


_UNWRITTEN = "%.0b"  # takes its value and writes nothing of it
_STARTS = {
    status.code: f"HTTP/1.1 {status.code} {status.phrase}\r\nLocation: "
    for status in REDIRECT_STATUSES.values()
}


def date_line(now: float) -> bytes:
    """The Date field of this second, line end included (RFC 9110 §6.6.1)."""
    return f"Date: {formatdate(int(now), usegmt=True)}\r\n".encode()


def decided(decision: Decision, method: str, *, redirect_by: bool, connection: str = "") -> Answer:
    """The answer to a request with `method`; `connection` is the Connection field, "" for none.

    Raises `ValueError` for a field that would break the head.
    """
    rule = decision.rule
    redirects = decision.location is not None and decision.status in REDIRECT_STATUSES
    by = (("X-Redirect-By", f"detour {rule.name}"),) if redirect_by and redirects and rule is not None else ()
    content_type, content = _note(decision, method)
    answer = _compose(decision.status, decision.fields, by, content_type, content, method, connection)
    return msgspec.structs.replace(
        answer,
        rule=rule.name if rule is not None else "",
        series=rule.series if rule is not None else "",
        location=decision.location or "",
        until=-inf if decision.depends else decision.until,
    )


# From a Location, the number of a rule's line and a whole Date line to the octets of the redirect.
Mould = Callable[[bytes, int, bytes], bytes]

_AMPERSAND, _APOSTROPHE = b"&'"  # as numbers, which `in` finds six times as fast in octets


def mould(status: int, cache: int | None, method: str, by: str, *, numbered: bool) -> Mould:
    """What `decided` makes of redirects to `method` without further fields, but for Location, Date and the
    number of a line; `by` is the value of X-Redirect-By ("" for none), to which that number belongs where it
    is `numbered`."""
    life = f"max-age={cache}" if cache else "no-store"
    form = f"{_STARTS[status]}%b\r\nCache-Control: {life}\r\n%b"
    form += f"X-Redirect-By: {by.replace('%', '%%')}%b\r\n" if by else _UNWRITTEN
    shown, announced = method == "GET", method in ("GET", "HEAD")
    start, end = '<a href="', f'">{REDIRECT_STATUSES[status].phrase}</a>.\n'
    form += f"Content-Type: {HTML}\r\n" if announced else ""
    form += "Content-Length: %b\r\n\r\n" + (f"{start}%b{end}" if shown else _UNWRITTEN)
    octets, around = form.encode("latin-1"), len(start) + len(end)

    def moulded(location: bytes, line: int, date: bytes) -> bytes:
        link = location
        if _AMPERSAND in link or _APOSTROPHE in link:
            link = escape(link.decode("ascii")).encode("ascii")
        number = b"%d" % line if numbered else b""
        length = b"%d" % (around + len(link)) if announced else b"0"
        return octets % (location, date, number, length, link)

    return moulded


def said(status: int, fact: str, method: str = "GET", *, connection: str = "") -> Answer:
    """An answer of the server's own, no rule's: one line of text that says `fact`."""
    text = f"{fact}\n" if fact else ""
    return _compose(status, (), (), TEXT if text else "", text.encode("ascii"), method, connection)


def _note(decision: Decision, method: str) -> tuple[str, bytes]:
    """What a person sees who is not taken along (RFC 9110 §15.4); only GET gets content."""
    if method not in ("GET", "HEAD") or decision.status == HTTPStatus.NO_CONTENT:
        return "", b""
    if decision.location is None:
        return TEXT, f"{decision.status} {HTTPStatus(decision.status).phrase}\n".encode("ascii")
    phrase = REDIRECT_STATUSES[decision.status].phrase
    return HTML, f'<a href="{escape(decision.location)}">{phrase}</a>.\n'.encode("ascii")


def _compose(
    status: int, fields: Fields, by: Fields, content_type: str, content: bytes, method: str, connection: str
) -> Answer:
    if not any(name.lower() == "cache-control" for name, _ in fields):
        fields = (*fields, NO_STORE)
    trailing = list(by)
    if content_type:
        trailing.append(("Content-Type", content_type))
    if status != HTTPStatus.NO_CONTENT:  # RFC 9110 §8.6: a 204 must not have it
        trailing.append(("Content-Length", str(len(content))))
    if connection:
        trailing.append(("Connection", connection))
    start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    end = b"\r\n" if method == "HEAD" else b"\r\n" + content
    return Answer(status, start.encode() + _lines(fields), _lines(trailing) + end)


def _lines(fields: Fields | list[tuple[str, str]]) -> bytes:
    for name, value in fields:
        if _ends_line(value):
            raise ValueError(f"a line end or NUL in the value of {name}")
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
