"""Answers that look like a redirect and are none, or that only a reader of Location alone would follow."""

from __future__ import annotations

import msgspec

from detour.lab.case import NEXT, Answer, Asked, Case, ContentKind, Expected, Fields, Route, Stop
from detour.lab.contents import CONTENTS

AHEAD: tuple[Route, ...] = ((Stop(f"{{a}}{NEXT}"),),)
NOWHERE: tuple[Route, ...] = ((),)


class Lookalike(msgspec.Struct, frozen=True):
    """One such answer."""

    status: int
    method: str
    kind: ContentKind
    name: str
    words: str
    source: str
    locations: tuple[str, ...] = (NEXT,)
    fields: Fields = ()
    routes: tuple[Route, ...] = NOWHERE


_CHOICE = "RFC 9110 §15.4.1: a user agent MAY follow the preferred choice"
_CHOICES = '<{a}{next}>; rel="alternate"'

LOOKALIKES = (
    Lookalike(300, "GET", "none", "location", "with a preferred choice", _CHOICE, routes=AHEAD),
    Lookalike(
        *(300, "POST", "json", "location", "with a preferred choice"),
        "Fetch §2.2.3: no redirect status; RFC 9110 §15.4: not by itself for an unsafe method",
    ),
    Lookalike(
        *(300, "GET", "none", "choices", "with choices and no Location"),
        *("RFC 9110 §15.4.1: the choice is the user's", (), (("Link", _CHOICES),)),
    ),
    Lookalike(304, "GET", "none", "location", "with a Location", "RFC 9110 §15.4.5: no redirect"),
    Lookalike(
        305, "GET", "none", "location", "with a Location", "RFC 9110 §15.4.6: deprecated, a proxy's address"
    ),
    Lookalike(
        305, "POST", "json", "location", "with a Location", "RFC 9110 §15.4.6: deprecated, a proxy's address"
    ),
    Lookalike(306, "GET", "none", "location", "with a Location", "RFC 9110 §15.4.7: unused, reserved"),
    Lookalike(
        *(399, "POST", "json", "location", "with a Location"),
        "RFC 9110 §15: an unknown 3xx is a 300; Fetch §2.2.3: no redirect status",
    ),
    Lookalike(
        *(308, "POST", "json", "resume", "with a Range and no Location"),
        *("golang/go#17773: an upload to be resumed, and no redirect", (), (("Range", "bytes=0-42"),)),
    ),
    Lookalike(
        *(307, "POST", "json", "content-location", "with Content-Location and no Location"),
        *("RFC 9110 §8.7: it is about the content", (), (("Content-Location", NEXT),)),
    ),
    Lookalike(200, "GET", "none", "location", "with a Location", "RFC 9110 §10.2.2: means nothing at 200"),
    Lookalike(201, "POST", "json", "location", "with a Location", "RFC 9110 §15.3.2: what has been created"),
    Lookalike(202, "POST", "json", "location", "with a Location", "RFC 9110 §10.2.2: means nothing at 202"),
)
SLICE = {"status/300/POST/location", "status/305/POST/location", "status/308/POST/resume"}


def _case(like: Lookalike) -> Case:
    id = f"status/{like.status}/{like.method}/{like.name}"
    return Case(
        id=id,
        title=f"{like.status} answers {like.method} {like.words}",
        group="status",
        clause=like.source,
        asked=Asked(like.method, CONTENTS[like.kind]),
        script=(Answer(like.status, like.locations, like.fields),),
        expected=Expected(like.routes),
        slice=id in SLICE,
    )


CASES = tuple(map(_case, LOOKALIKES))
