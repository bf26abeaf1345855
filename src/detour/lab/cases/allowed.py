"""What RFC 9110 and Fetch allow a redirected request to be: read in the standards, not in `core.policy`."""

from __future__ import annotations

import msgspec

from detour.lab.case import Content, Form, Route, Stop

STATUSES = (301, 302, 303, 307, 308)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")

KEPT: tuple[Form, ...] = ("kept",)
REWRITTEN: tuple[Form, ...] = ("rewritten",)
EITHER: tuple[Form, ...] = ("kept", "rewritten")


class Clause(msgspec.Struct, frozen=True):
    """At these statuses, with these methods, a redirected request may have these forms."""

    statuses: tuple[int, ...]
    methods: tuple[str, ...]
    forms: tuple[Form, ...]
    clause: str


# The first row that fits. `rewritten`: the method is GET and the content is gone.
CLAUSES = (
    Clause((301,), ("POST",), EITHER, "RFC 9110 §15.4.2: POST MAY become GET; Fetch §4.4: it does"),
    Clause((302,), ("POST",), EITHER, "RFC 9110 §15.4.3: POST MAY become GET; Fetch §4.4: it does"),
    Clause((301, 302), METHODS, KEPT, "RFC 9110 §15.4.2, §15.4.3, Fetch §4.4: only POST may change"),
    Clause((303,), ("GET", "HEAD"), EITHER, "RFC 9110 §15.4.4: a retrieval request, GET or HEAD"),
    Clause((303,), METHODS, REWRITTEN, "RFC 9110 §15.4.4: a retrieval request; Fetch §4.4: GET"),
    Clause((307,), METHODS, KEPT, "RFC 9110 §15.4.8: the method MUST NOT change"),
    Clause((308,), METHODS, KEPT, "RFC 9110 §15.4.9: the method MUST NOT change"),
)


def clause(status: int, method: str) -> Clause:
    """The row for a redirect of `status` that answers `method`."""
    return next(row for row in CLAUSES if status in row.statuses and method in row.methods)


def source(status: int, method: str) -> str:
    """Where it stands what may happen to `method` at `status`."""
    query = "; RFC 10008: QUERY is safe, and kept unless the status is 303" if method == "QUERY" else ""
    return clause(status, method).clause + query


def one(place: str, status: int, method: str) -> tuple[Route]:
    """The route of a single redirect: to `place`, as its status allows."""
    return ((Stop(place, clause(status, method).forms),),)


def content_words(content: Content) -> str:
    """A content kind as it stands in a title."""
    words = {"none": "without content", "empty": "with empty content", "multipart": "with a form and a file"}
    return words.get(content.kind, f"with {content.kind} content")
