"""The credentials axis: which requests carried what the first one was given, and whether they may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.lab.case import Arrival, Case, Origin
from detour.lab.verdict import CREDENTIALS, Note

Border = Literal["origin", "host", "caller"]

# How far each field may go: RFC 9110 §11.6.2, §11.7.2; RFC 6265 §5.4, §8.5. `caller`: only the caller knows.
BORDERS: dict[str, Border] = {
    "authorization": "origin",
    "proxy-authorization": "origin",
    "cookie": "host",
    "x-api-key": "caller",
}
HOSTS: dict[Origin, int] = {"a": 1, "p": 1, "b": 2, "s": 1, "t": 2, "f": 1}
ORIGIN_WORDS: dict[Origin, str] = {
    "a": "the first host over http",
    "p": "another port of the first host",
    "b": "the other host over http",
    "s": "the first host over https",
    "t": "the other host over https",
    "f": "the first host over ftp",
}


class Secret(msgspec.Struct, frozen=True):
    """A value that must not go further than its border."""

    name: str
    value: str
    border: Border
    given: bool = True  # by the caller; otherwise by the answer that set it


class Carriage(msgspec.Struct, frozen=True):
    """The verdict on credentials, and why."""

    verdict: str
    why: str
    notes: tuple[Note, ...] = ()


def secrets(case: Case) -> tuple[Secret, ...]:
    """What the first request is given, and the cookies that answers set."""
    given = (
        Secret(name, value, BORDERS[name.lower()])
        for name, value in case.asked.fields
        if name.lower() in BORDERS
    )
    jar = (
        Secret("Cookie", value.partition(";")[0], "host", given=False)
        for answer in case.script
        for name, value in answer.fields
        if name.lower() == "set-cookie"
    )
    return (*given, *jar)


def carries(arrival: Arrival, secret: Secret) -> bool:
    """Whether the value stands in any field of the request."""
    return any(secret.value in value for _, value in arrival.fields)


def crossed(secret: Secret, home: Origin, origin: Origin) -> bool:
    """Whether `origin` lies beyond the border."""
    if secret.border == "host":
        return HOSTS[home] != HOSTS[origin]
    return home != origin


def carriage(case: Case, arrivals: tuple[Arrival, ...]) -> Carriage:
    """Of all that the requests say of all secrets, what stands first in the table."""
    said: list[tuple[str, str]] = []
    notes: list[Note] = []
    for secret in secrets(case):
        if any(carries(arrival, secret) for arrival in arrivals):
            said += _says(secret, case.asked.origin, arrivals)
        elif secret.given and arrivals:
            notes.append(Note("not-sent", secret.name))
    notes += [Note("dropped-within-origin", why) for name, why in said if name == _DROPPED_AT_HOME]
    for verdict in CREDENTIALS:
        for name, why in said:
            if verdict.name == ("dropped" if name == _DROPPED_AT_HOME else name):
                return Carriage(verdict.name, why, tuple(dict.fromkeys(notes)))
    return Carriage("none sent", "", tuple(notes))


_DROPPED_AT_HOME = "dropped at home"


def _says(secret: Secret, home: Origin, arrivals: tuple[Arrival, ...]) -> Iterator[tuple[str, str]]:
    """What each request says of one secret; back home after a border, both are right."""
    been_away = False
    for number, arrival in enumerate(arrivals, start=1):
        away, carried = crossed(secret, home, arrival.origin), carries(arrival, secret)
        been_away |= away
        where = f"{secret.name}, request {number}, at {ORIGIN_WORDS[arrival.origin]}"
        if carried and away:
            yield ("forwarded" if secret.border == "caller" else "leaked"), where
        elif carried:
            yield "kept within", where
        elif away:
            yield "dropped", where
        elif secret.given and not been_away:
            yield _DROPPED_AT_HOME, where
