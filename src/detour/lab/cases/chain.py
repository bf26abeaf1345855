"""Several redirects: mixed, many, and without end."""

from __future__ import annotations

from detour.lab.case import (
    EVERYWHERE,
    NEXT,
    START,
    Answer,
    Asked,
    Caller,
    Case,
    ContentKind,
    Expected,
    Route,
    Stop,
    station_path,
)
from detour.lab.cases.allowed import KEPT, clause, content_words
from detour.lab.cases.location import FAR, self_loop
from detour.lab.contents import CONTENTS

MIXED = ((302, 307), (307, 302), (303, 307), (301, 308), (307, 303, 308))
LENGTHS = (5, 20, 21, 50)
FETCH_LIMIT = 20  # Fetch §4.4: redirect count

CYCLES = "RFC 9110 §15.4: SHOULD detect and intervene in cyclical redirections"


def _route(statuses: tuple[int, ...], method: str) -> Route:
    numbered = enumerate(statuses, start=1)
    return tuple(Stop(f"{{a}}{station_path(at)}", clause(status, method).forms) for at, status in numbered)


def _mixed(statuses: tuple[int, ...], method: str) -> Case:
    name = "-".join(map(str, statuses))
    return Case(
        id=f"chain/{name}/{method}/json",
        title=f"{', then '.join(map(str, statuses))} answer {method} with json content",
        group="chain",
        clause="RFC 9110 §15.4: each redirect applies to the request before it; what is gone stays gone",
        asked=Asked(method, CONTENTS["json"]),
        script=tuple(Answer(status, (NEXT,)) for status in statuses),
        expected=Expected((_route(statuses, method),)),
        slice=statuses == (307, 303, 308),
    )


def _long(
    count: int, method: str, kind: ContentKind, name: str = "", runs_in: frozenset[Caller] = EVERYWHERE
) -> Case:
    route = _route((307,) * count, method)
    return Case(
        id=f"chain/307x{count}/{method}/{kind}{name}",
        title=f"307, {count} times over, answers {method} {content_words(CONTENTS[kind])}",
        group="chain",
        clause="Fetch §4.4: at most 20 redirects"
        if name
        else "RFC 9110 §15.4: no number; Fetch §4.4: at most 20",
        asked=Asked(method, CONTENTS[kind]),
        script=(Answer(307, (NEXT,)),) * count,
        expected=Expected((route[:FETCH_LIMIT],), arrives=False) if name else Expected((route,)),
        runs_in=runs_in,
        slice=count == 5 and method == "POST",
    )


def _lengths() -> list[Case]:
    """Above Fetch's limit a library decides for itself; a browser does not."""
    libraries: frozenset[Caller] = frozenset({"library"})
    browsers: frozenset[Caller] = frozenset({"browser"})
    requests: tuple[tuple[str, ContentKind], ...] = (("GET", "none"), ("POST", "json"))
    return [
        *(
            _long(count, method, kind, runs_in=EVERYWHERE if count <= FETCH_LIMIT else libraries)
            for count in LENGTHS
            for method, kind in requests
        ),
        _long(FETCH_LIMIT + 1, "POST", "json", "/fetch", browsers),
    ]


def _loop(
    name: str, words: str, method: str, kind: ContentKind, script: tuple[Answer, ...], route: Route
) -> Case:
    return Case(
        id=f"chain/{name}/{method}/{kind}",
        title=f"307 answers {method}, {words}",
        group="chain",
        clause=CYCLES,
        asked=Asked(method, CONTENTS[kind]),
        script=script,
        expected=Expected((route,), arrives=False),
        slice=name == "self" and method == "POST",
    )


def _loops(method: str, kind: ContentKind) -> list[Case]:
    here, there = Stop(f"{{a}}{START}", KEPT), Stop(f"{{a}}{station_path(1)}", KEPT)
    return [
        _loop("self", "to itself", method, kind, (Answer(307, ("{here}",)),), self_loop(here.place)),
        _loop(
            *("two-step", "to another place that leads back", method, kind),
            (Answer(307, (NEXT,)), Answer(307, (START,))),
            (there, here) * (FAR // 2),
        ),
    ]


def _cookie_loop(method: str, kind: ContentKind) -> Case:
    """A challenge: the same place again, and the loop ends for whoever brings the cookie."""
    return Case(
        id=f"chain/cookie/{method}/{kind}",
        title=f"307 answers {method}, to itself until a cookie comes back",
        group="chain",
        clause=f"RFC 6265 §5.3: the cookie is stored before the redirect is followed; {CYCLES}",
        asked=Asked(method, CONTENTS[kind]),
        script=(
            Answer(
                *(307, ("{here}",), (("Set-Cookie", "seen=1; Path=/{token}/"),)),
                unless_cookie="seen=1",
            ),
        ),
        expected=Expected((self_loop(f"{{a}}{START}"),)),
    )


CASES = (
    *(_mixed(statuses, "POST") for statuses in MIXED),
    _mixed((301, 308), "PUT"),
    *_lengths(),
    *_loops("GET", "none"),
    *_loops("POST", "json"),
    _cookie_loop("GET", "none"),
    _cookie_loop("POST", "json"),
)
