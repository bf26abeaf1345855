"""The verdicts, one table for each axis, and the notes that go with them."""

from __future__ import annotations

from typing import Literal

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """What a record is worth on one axis."""

    name: str
    axis: Literal["request", "credentials"]
    meaning: str
    bold: bool = False  # a fault of the client, unless a baseline holds it
    counted: bool = True  # False: the case was not run as asked, and its cell is left out


# On each axis in order: the first that applies.
REQUEST = (
    Verdict("crashed", "request", "the client died", bold=True),
    Verdict("hung", "request", "neither an answer nor an error within its time", bold=True),
    Verdict("unsupported", "request", "the client cannot send such a request, or did not", counted=False),
    Verdict(
        *("overfollowed", "request"),
        "a request went where none may follow: no redirect, no place that Location names, past the limit",
        bold=True,
    ),
    Verdict("altered", "request", "content changed or doubled, its fields changed, or sent twice", bold=True),
    Verdict(
        *("misrewritten", "request"),
        "the method changed where it must not, did not where it must, or content was left on the GET",
        bold=True,
    ),
    Verdict(
        *("lost", "request"),
        "the method kept and content missing, or success reported for what did not arrive",
        bold=True,
    ),
    Verdict("rewritten", "request", "changed to GET without content, as the standard allows"),
    Verdict("kept", "request", "method, content and content fields arrived whole"),
    Verdict("refused", "request", "not followed, and said so: an explicit error, or the answer handed back"),
)

CREDENTIALS = (
    Verdict(
        *("leaked", "credentials"),
        "Authorization or Proxy-Authorization at another origin, or a cookie at another host",
        bold=True,
    ),
    Verdict("forwarded", "credentials", "a field of the caller's own at another origin"),
    Verdict("dropped", "credentials", "credentials or such a field did not go on"),
    Verdict("kept within", "credentials", "went no further than they may"),
    Verdict("none sent", "credentials", "the request carried none"),
)

VERDICTS: dict[str, Verdict] = {verdict.name: verdict for verdict in (*REQUEST, *CREDENTIALS)}

NOTES: dict[str, str] = {
    "content-fields-left": "a GET without content still says what content it has",
    "error-after-arrival": "everything arrived, and the client reported an error",
    "other-status": "the client reported a status that the last place did not answer",
    "stopped-early": "some redirects were followed, and then no more",
    "broken-off": "a request was begun and not finished",
    "retried": "a request that was not finished, or not answered, was sent again",
    "asked-again": "a safe request was sent once more for an answer that could not be read, then given up",
    "new-boundary": "multipart was encoded again, with another boundary",
    "remembered": "the redirect was not asked for again",
    "dropped-within-origin": "credentials did not go on within the same origin",
    "not-sent": "the first request lacked fields that it was given",
    "own-credentials": "Authorization that the caller did not give: taken from the Location",
    "referer-downgrade": "Referer sent from https to http: RFC 9110 §10.1.3 forbids it",
    "no-content-type": "the first request lacked the content type that it was given",
    "not-chunked": "the content was to be chunked, and was not",
    "no-expectation": "Expect: 100-continue was to be sent, and was not",
}


class Note(msgspec.Struct, frozen=True):
    """Something worth knowing that changes no verdict; `NOTES` says what it means."""

    name: str
    detail: str = ""


class Difference(msgspec.Struct, frozen=True):
    """Where content first differed from what was sent at first, with a few octets either side, in Latin-1."""

    offset: int
    expected: str
    arrived: str
    expected_length: int
    arrived_length: int


class Sent(msgspec.Struct, frozen=True):
    """One request of the evidence."""

    station: int
    place: str
    method: str
    length: int  # of its content
    form: str  # `forms.FORMS`, or `first`
    difference: Difference | None = None


class Judgement(msgspec.Struct, frozen=True):
    """What one record of one case is worth, and why."""

    request: str
    credentials: str
    why: str
    credentials_why: str = ""
    notes: tuple[Note, ...] = ()
    evidence: tuple[Sent, ...] = ()

    @property
    def bold(self) -> bool:
        """Whether either verdict is a fault."""
        return VERDICTS[self.request].bold or VERDICTS[self.credentials].bold
