"""The rule changes between two requests: who still goes to the old place, and may they?"""

from __future__ import annotations

import msgspec

from detour.lab.case import (
    NEXT,
    START,
    Answer,
    Asked,
    Case,
    ContentKind,
    Expected,
    Fields,
    Stop,
    station_path,
)
from detour.lab.contents import CONTENTS

OLD, NEW = station_path(1), station_path(2)
HERE, THERE, ELSEWHERE = Stop(f"{{a}}{START}"), Stop(f"{{a}}{OLD}"), Stop(f"{{a}}{NEW}")

# After the first request: followed, asked again, followed to the new place; or handed back, twice.
FRESH = ((THERE, HERE, ELSEWHERE), (HERE,))
REMEMBERED = (*FRESH, (THERE, THERE))


class Life(msgspec.Struct, frozen=True):
    """How long a redirect lives, and whether it may be used again without asking."""

    status: int
    method: str
    kind: ContentKind
    name: str
    reusable: bool
    source: str


_HEURISTIC = "RFC 9110 §15.1: heuristically cacheable"
_NOT_HEURISTIC = "RFC 9110 §15.1: not heuristically cacheable"
_EXPLICIT = "RFC 9111 §4.2.1: fresh for as long as it says"
_FORBIDDEN = "RFC 9111 §5.2.2.5: must not be stored"
_UNSAFE = "RFC 9111 §4: an unsafe method must be written through"

LIVES = (
    Life(307, "GET", "none", "nothing", False, _NOT_HEURISTIC),
    Life(302, "GET", "none", "nothing", False, _NOT_HEURISTIC),
    Life(308, "GET", "none", "nothing", True, _HEURISTIC),
    Life(301, "GET", "none", "nothing", True, _HEURISTIC),
    Life(307, "GET", "none", "max-age", True, _EXPLICIT),
    Life(308, "GET", "none", "max-age", True, _EXPLICIT),
    Life(307, "GET", "none", "no-store", False, _FORBIDDEN),
    Life(308, "GET", "none", "no-store", False, _FORBIDDEN),
    Life(307, "POST", "json", "max-age", False, _UNSAFE),
    Life(308, "POST", "json", "max-age", False, _UNSAFE),
)
CONTROL: dict[str, Fields] = {
    "nothing": (),
    "max-age": (("Cache-Control", "max-age=3600"),),
    "no-store": (("Cache-Control", "no-store"),),
}


def _case(life: Life) -> Case:
    control = CONTROL[life.name]
    said = f"Cache-Control: {control[0][1]}" if control else "no Cache-Control"
    return Case(
        id=f"cache/{life.status}/{life.method}/{life.name}",
        title=f"{life.status} answers {life.method} twice, with {said}, and leads elsewhere the second time",
        group="cache",
        clause=life.source,
        asked=Asked(life.method, CONTENTS[life.kind], times=2),
        script=(Answer(life.status, (NEXT,), control, then=Answer(life.status, (NEW,), control)),),
        expected=Expected(REMEMBERED if life.reusable else FRESH),
        slice=(life.status, life.name) == (307, "nothing"),
    )


CASES = tuple(map(_case, LIVES))
