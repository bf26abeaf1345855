"""Routes of Caddy's HTTP server, whichever way they are written: what Caddyfiles and JSON both come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from detour.formats.demand import Demand
from detour.formats.draft import LineFault

RegexOf = Literal["path", "host", "uri"]  # `uri`: of the path, whose first group is all of it


class Case(msgspec.Struct, frozen=True):
    """One way in which a matcher matches: the demand, and whose captures its expressions hold, by name."""

    demand: Demand
    regexes: Mapping[str, RegexOf] = {}
    known: Mapping[str, Mapping[int | str, str]] = {}  # captures of texts that are fixed


class Unknown(msgspec.Struct, frozen=True):
    """A matcher that no demand says: why not."""

    fact: str
    remedy: str


Cases = tuple[Case, ...] | Unknown  # one of them must match; () never
ALWAYS: Cases = (Case(Demand()),)


class Redirect(msgspec.Struct, frozen=True):
    """A response whose Location is `to`, placeholders and all."""

    to: str
    status: str


class Respond(msgspec.Struct, frozen=True):
    """What answers otherwise; `status` is what it says, "" where it does not say."""

    status: str = ""
    note: str = ""


class Location(msgspec.Struct, frozen=True):
    """A Location that is put into the response, whatever makes it."""

    to: str


class StripPrefix(msgspec.Struct, frozen=True):
    """The path goes on without its beginning."""

    prefix: str


class Moves(msgspec.Struct, frozen=True):
    """The path, or the query, is another from here on."""

    what: str


class Subroute(msgspec.Struct, frozen=True):
    """Routes of its own; what they do not answer goes on behind it."""

    routes: tuple[Route, ...]


class Refused(msgspec.Struct, frozen=True):
    """What has to do with redirects and cannot be expressed."""

    fact: str
    remedy: str
    answers: bool = False  # whether it answers all the same


Handler = Redirect | Respond | Location | StripPrefix | Moves | Subroute | Refused


class Route(msgspec.Struct, frozen=True):
    """What matching requests pass: handlers in order, until one answers."""

    line: int
    file: str
    cases: Cases
    handlers: tuple[Handler, ...]
    group: str = ""  # of routes with the same, the first that matches goes alone
    terminal: bool = False  # whether a request that matched goes no further
    implicit: str = ""  # see `Draft.implicit`

    @property
    def redirects(self) -> bool:
        """Whether something in it redirects, or might."""
        return any(_redirects(handler) for handler in self.handlers)


def _redirects(handler: Handler) -> bool:
    if isinstance(handler, Subroute):
        return any(route.redirects for route in handler.routes)
    return isinstance(handler, Redirect | Refused | Location)


class Server(msgspec.Struct, frozen=True):
    """The routes of one server."""

    routes: tuple[Route, ...]
    faults: tuple[LineFault, ...] = ()
