"""The forms a Location can have, and the places each may lead to.

Where RFC 3986 and WHATWG URL read a Location differently, both places are allowed, and only those.
"""

from __future__ import annotations

import msgspec

from detour.lab.case import NEXT, START, Answer, Asked, Case, ContentKind, Expected, Route, Stop, station_path
from detour.lab.cases.allowed import KEPT, clause
from detour.lab.contents import CONTENTS

AHEAD = f"{{a}}{NEXT}"
AT_B = f"{{b}}{NEXT}"
FAR = 60  # redirects: more than any client is known to follow, curl and .NET (50) among them


class Written(msgspec.Struct, frozen=True):
    """One way to write a Location."""

    name: str
    words: str
    locations: tuple[str, ...]
    places: tuple[str, ...]  # it may lead to one of these; none: to nowhere
    source: str
    target: str = START  # what is asked for
    slice: bool = False


WRITTEN = (
    Written("absolute", "with scheme and authority", (AHEAD,), (AHEAD,), "RFC 9110 §10.2.2"),
    Written("path", "that begins with a slash", (NEXT,), (AHEAD,), "RFC 3986 §4.2, §5.2.2"),
    Written(
        "relative", "that begins with a segment", ("1/here",), ("{a}/{token}/0/1/here",), "RFC 3986 §5.2.3"
    ),
    Written("parent", "that begins with `../`", ("../1/here",), (AHEAD,), "RFC 3986 §5.2.4"),
    Written("query", "of a query alone", ("?/1/here",), (f"{{a}}{START}?/1/here",), "RFC 3986 §5.2.2"),
    Written(
        *("own-query", "without a query, for a target that has one", (NEXT,), (AHEAD,)),
        "RFC 3986 §5.2.2: T.query = R.query",
        target=f"{START}?id=7",
    ),
    Written(
        *("network", "that begins with `//` and another host", (f"//{{b.authority}}{NEXT}",), (AT_B,)),
        "RFC 3986 §4.2: a network-path reference",
    ),
    Written(
        *("fragment", "with a fragment", (f"{NEXT}#part",), (AHEAD,)),
        "RFC 9110 §10.2.2, RFC 9112 §3.2.1: a fragment is not sent",
    ),
    Written(
        *("upper-scheme", "with its scheme in capitals", (f"HTTP://{{b.authority}}{NEXT}",), (AT_B,)),
        "RFC 3986 §3.1: schemes are case-insensitive",
    ),
    Written(
        *("encoded", "with percent-triplets", ("/{token}/1/a%2Fb%20c%3f",), ("{a}/{token}/1/a%2Fb%20c%3F",)),
        "RFC 3986 §2.2, §6.2.2.1: an encoded reserved octet stays encoded",
    ),
    Written(
        "long",
        "of 8 kB",
        (f"{NEXT}?{{long}}",),
        (f"{AHEAD}?{{long}}",),
        "RFC 9110 §4.1: at least 8000 octets",
    ),
    Written(
        *("utf-8", "with raw UTF-8", ("/{token}/1/caf\u00e9",)),
        ("{a}/{token}/1/caf%C3%A9", "{a}/{token}/1/caf\u00c3\u00a9"),
        "WHATWG URL §4.4: encoded as UTF-8; RFC 3986 knows no such octet",
        slice=True,
    ),
    Written(
        *("space", "with a space", ("/{token}/1/he re",), ("{a}/{token}/1/he%20re",)),
        "WHATWG URL §4.4: a space is encoded; RFC 3986 §2: not a URI",
    ),
    Written(
        "tab-after",
        "with a tab after it",
        (f"{NEXT}\t",),
        (AHEAD,),
        "RFC 9110 §5.5: whitespace around a value",
    ),
    Written(
        *("tab-inside", "with a tab in it", ("/{token}/1/he\tre",)),
        (AHEAD, "{a}/{token}/1/he%09re"),
        "WHATWG URL §4.4: a tab is removed; RFC 3986 §2: not a URI",
    ),
    Written(
        *("backslash", "that begins with `/\\` and another host", (f"/\\{{b.authority}}{NEXT}",)),
        (AT_B, f"{{a}}/\\{{b.authority}}{NEXT}", f"{{a}}/%5C{{b.authority}}{NEXT}"),
        "WHATWG URL §4.4: a backslash is a slash; RFC 3986 §2: not a URI",
        slice=True,
    ),
    Written(
        *("one-slash", "with one slash after its scheme", (f"http:/{{b.authority}}{NEXT}",)),
        (f"{{a}}/{{b.authority}}{NEXT}",),
        "WHATWG URL §4.4, special relative or authority state: relative; RFC 9110 §4.2.1: no host, invalid",
        slice=True,
    ),
    Written(
        *("no-slash", "with no slash after its scheme", ("http:1/here",), ("{a}/{token}/0/1/here",)),
        "WHATWG URL §4.4: relative; RFC 3986 §5.2.2 for backward compatibility, RFC 9110 §4.2.1: invalid",
    ),
    Written(
        *("userinfo", "with a user and a password", (f"http://user:secret@{{a.authority}}{NEXT}",), (AHEAD,)),
        "RFC 9110 §4.2.4: SHOULD be treated as an error",
    ),
    Written(
        *(
            "userinfo-other-host",
            "with a user and a password for another host",
        ),
        *((f"http://user:secret@{{b.authority}}{NEXT}",), (AT_B,)),
        "RFC 9110 §4.2.4: SHOULD be treated as an error; Fetch §4.4: a network error",
        slice=True,
    ),
    Written(
        "missing", "that is missing", (), (), "RFC 9110 §15.4: only if a Location is provided", slice=True
    ),
    Written(
        "doubled-same", "given twice, the same", (NEXT, NEXT), (AHEAD, f"{AHEAD},%20{NEXT}"), "RFC 9110 §5.3"
    ),
    Written(
        *("doubled-different", "given twice, two places", (NEXT, station_path(2))),
        (AHEAD, f"{{a}}{station_path(2)}", f"{AHEAD},%20{station_path(2)}"),
        "RFC 9110 §5.2, §5.3: must not be sent, and means the two joined; Fetch §2.2.6: a failure",
        slice=True,
    ),
    Written("ftp", "of scheme ftp", (f"{{f}}{NEXT}",), (), "Fetch §4.4: an HTTP(S) scheme"),
    Written(
        "file", "of scheme file", ("file:///{token}/1/here",), (), "Fetch §4.4: an HTTP(S) scheme", slice=True
    ),
    Written(
        "javascript", "of scheme javascript", ("javascript:void(0)",), (), "Fetch §4.4: an HTTP(S) scheme"
    ),
    Written("data", "of scheme data", ("data:text/plain,arrived",), (), "Fetch §4.4: an HTTP(S) scheme"),
)

# Each is asked with a request that carries content, and with one that every client follows.
REQUESTS: tuple[tuple[int, str, ContentKind], ...] = ((307, "POST", "json"), (302, "GET", "none"))


def _case(written: Written, status: int, method: str, kind: ContentKind) -> Case:
    routes = tuple((Stop(place, clause(status, method).forms),) for place in written.places) or ((),)
    return Case(
        id=f"location/{status}/{method}/{written.name}",
        title=f"{status} answers {method} with a Location {written.words}",
        group="location",
        clause=written.source,
        asked=Asked(method, CONTENTS[kind], target=written.target),
        script=(Answer(status, written.locations),),
        expected=Expected(routes),
        slice=written.slice and status == 307,
    )


def self_loop(place: str) -> Route:
    """The same place again, as often as the lab watches."""
    return (Stop(place, KEPT),) * FAR


def _empty(status: int, method: str, kind: ContentKind) -> Case:
    return Case(
        id=f"location/{status}/{method}/empty",
        title=f"{status} answers {method} with a Location that is empty",
        group="location",
        clause="RFC 3986 §4.4: a reference to the same document; RFC 9110 §15.4: SHOULD detect cycles",
        asked=Asked(method, CONTENTS[kind]),
        script=(Answer(status, ("",)),),
        expected=Expected((self_loop(f"{{a}}{START}"),), arrives=False),
        slice=status == 307,
    )


CASES = (
    *(_case(written, *request) for written in WRITTEN for request in REQUESTS),
    *(_empty(*request) for request in REQUESTS),
)
