"""To another origin: port, host and scheme, pairwise with status, method and content."""

from __future__ import annotations

import msgspec

from detour.lab.case import NEXT, Answer, Asked, Case, Expected, Origin, Stop, station_path
from detour.lab.cases.allowed import METHODS, STATUSES, clause, content_words, source
from detour.lab.cases.pairwise import Row, pairwise
from detour.lab.cases.same_origin import kinds_of
from detour.lab.contents import CONTENTS


class Relation(msgspec.Struct, frozen=True):
    """A way from origin to origin."""

    name: str
    words: str
    origins: tuple[Origin, ...]  # the first is asked


RELATIONS = (
    Relation("other-port", "to another port", ("a", "p")),
    Relation("other-host", "to another host", ("a", "b")),
    Relation("http-to-https", "from http to https on the same host", ("a", "s")),
    Relation("https-to-http", "from https to http on the same host", ("s", "a")),
    Relation("https-to-other-https", "from https to https on another host", ("s", "t")),
    Relation("bounce", "to another host and back", ("a", "b", "a")),
)
BY_NAME = {relation.name: relation for relation in RELATIONS}

SLICE = {
    "origin/307/POST/json/other-host",
    "origin/307/POST/json/http-to-https",
    "origin/307/POST/json/https-to-http",
    "origin/307/POST/json/bounce",
}


def script(relation: Relation, status: int) -> tuple[Answer, ...]:
    """One redirect of `status` to each origin after the first."""
    return tuple(Answer(status, (f"{{{origin}}}{NEXT}",)) for origin in relation.origins[1:])


def stops(relation: Relation, status: int, method: str) -> tuple[Stop, ...]:
    """The places that such a script leads to."""
    places = (f"{{{origin}}}{station_path(at)}" for at, origin in enumerate(relation.origins) if at)
    return tuple(Stop(place, clause(status, method).forms) for place in places)


def _case(row: Row) -> Case:
    relation, status, method, kind = BY_NAME[row[0]], int(row[1]), row[2], row[3]
    content = next(content for name, content in CONTENTS.items() if name == kind)
    id = f"origin/{status}/{method}/{kind}/{relation.name}"
    return Case(
        id=id,
        title=f"{status} answers {method} {content_words(content)}, {relation.words}",
        group="origin",
        clause=source(status, method),
        asked=Asked(method, content, relation.origins[0]),
        script=script(relation, status),
        expected=Expected((stops(relation, status, method),)),
        slice=id in SLICE,
    )


ROWS = pairwise(
    (tuple(BY_NAME), tuple(map(str, STATUSES)), METHODS, tuple(CONTENTS)),
    seeds=[(name, "307", "POST", "json") for name in BY_NAME],
    allowed=lambda row: row[3] in kinds_of(row[2]),
)
CASES = tuple(map(_case, ROWS))
