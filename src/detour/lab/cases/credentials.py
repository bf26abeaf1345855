"""What goes with a redirected request: credentials by origin, cookies by host, and fields a caller made up.

Asked with GET and 307, which the most clients follow, and where a leak needs no content to happen.
"""

from __future__ import annotations

import msgspec

from detour.lab.case import NEXT, Answer, Asked, Case, ContentKind, Expected, Fields, Stop, station_path
from detour.lab.cases.allowed import clause
from detour.lab.cases.other_origin import RELATIONS, Relation, script, stops
from detour.lab.contents import CONTENTS

SOURCE = "RFC 9110 §15.4, steps 2 and 3; Fetch §4.4: Authorization; RFC 6265 §5.4: cookies by host"


class Carried(msgspec.Struct, frozen=True):
    """Fields that the client is given for its first request."""

    name: str
    words: str
    fields: Fields
    source: str = SOURCE


AUTHORIZATION = Carried("authorization", "Authorization", (("Authorization", "Bearer detour-token-7"),))
COOKIE = Carried("cookie", "a Cookie that the caller wrote", (("Cookie", "session=detour-cookie-7"),))
CARRIED = (
    AUTHORIZATION,
    COOKIE,
    Carried(
        *("proxy-authorization", "Proxy-Authorization", (("Proxy-Authorization", "Basic ZGV0b3VyOnByb3h5"),)),
        "RFC 9110 §11.7.2: for the next proxy only; §15.4, step 2",
    ),
    Carried(
        *("x-api-key", "X-Api-Key", (("X-Api-Key", "detour-key-7"),)),
        "RFC 9110 §15.4, step 2: other fields that the caller set may be sensitive",
    ),
    Carried(
        *(
            "doubled-cookie",
            "two Cookie fields",
            (("Cookie", "one=detour-cookie-1"), ("Cookie", "two=detour-cookie-2")),
        ),
        f"{SOURCE}; aio-libs/aiohttp#13180: only the first was removed",
    ),
    Carried(
        *("doubled-x-api-key", "two X-Api-Key fields"),
        (("X-Api-Key", "detour-key-1"), ("X-Api-Key", "detour-key-2")),
        "RFC 9110 §5.3: fields of one name",
    ),
)

WAYS = (
    Relation("same", "to the same origin", ("a", "a")),
    *RELATIONS,
    Relation("third-hop", "to the same origin, then to another host", ("a", "a", "b")),
    Relation("stays-away", "to another host, and on within it", ("a", "b", "b")),
)
# A field given twice is about the removal, not about the border.
DOUBLED_WAYS = ("same", "other-host", "bounce")

SLICE = {
    "credentials/307/GET/authorization/other-host",
    "credentials/307/GET/authorization/other-port",
    "credentials/307/GET/authorization/third-hop",
    "credentials/307/GET/authorization/same",
    "credentials/307/GET/cookie/other-host",
    "credentials/307/GET/x-api-key/other-host",
    "credentials/307/GET/proxy-authorization/other-host",
}


def _case(carried: Carried, way: Relation, status: int, method: str, kind: ContentKind) -> Case:
    id = f"credentials/{status}/{method}/{carried.name}/{way.name}"
    return Case(
        id=id,
        title=f"{status} answers {method} with {carried.words}, {way.words}",
        group="credentials",
        clause=carried.source,
        asked=Asked(method, CONTENTS[kind], way.origins[0], carried.fields),
        script=script(way, status),
        expected=Expected((stops(way, status, method),)),
        slice=id in SLICE,
    )


def _grid() -> list[Case]:
    return [
        _case(carried, way, 307, "GET", "none")
        for carried in CARRIED
        for way in WAYS
        if not carried.name.startswith("doubled") or way.name in DOUBLED_WAYS
    ]


def _other_statuses() -> list[Case]:
    """For clients whose code has one path for what is rewritten and another for what is sent again."""
    way = next(way for way in WAYS if way.name == "other-host")
    return [
        _case(carried, way, status, "POST", "json")
        for status in (302, 303, 307, 308)
        for carried in (AUTHORIZATION, COOKIE)
    ]


def _jar(way: str, words: str, place: str) -> Case:
    """The redirect itself sets a cookie: a jar must keep it to its host, and may send it to another port."""
    return Case(
        id=f"credentials/307/GET/set-cookie/{way}",
        title=f"307 answers GET and sets a cookie, {words}",
        group="credentials",
        clause="RFC 6265 §5.3, §5.4: a cookie without Domain is for its host alone, whatever the port",
        asked=Asked("GET", CONTENTS["none"]),
        script=(Answer(307, (f"{place}{NEXT}",), (("Set-Cookie", "jar=detour-jar-7; Path=/{token}/"),)),),
        expected=Expected(((Stop(f"{place}{station_path(1)}", clause(307, "GET").forms),),)),
    )


CASES = (
    *_grid(),
    *_other_statuses(),
    _jar("same", "to the same origin", "{a}"),
    _jar("other-host", "to another host", "{b}"),
)
