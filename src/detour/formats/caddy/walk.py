"""Caddy's routes as native lines, in the order in which a request passes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError, URLError
from detour.formats.caddy.locations import Parts, parts
from detour.formats.caddy.matchers import together
from detour.formats.caddy.model import (
    ALWAYS,
    Case,
    Handler,
    Location,
    Moves,
    Redirect,
    Refused,
    Respond,
    Route,
    StripPrefix,
    Subroute,
    Unknown,
)
from detour.formats.demand import Asked, Demand, Text, ask
from detour.formats.draft import Draft, LineFault
from detour.formats.numbers import whole

MOST_LINES = 100_000  # that one configuration may come to

Line = Draft | LineFault
_Refusal = (PatternError, TemplateError, URLError)


class _State(msgspec.Struct):
    """What has been done to a request on its way."""

    strip: str = ""  # what was taken from the beginning of its path
    moved: tuple[tuple[Case, str], ...] = ()  # whose path became another, and by what
    locations: tuple[tuple[Case, str, Route], ...] = ()  # what the response's Location will be

    def copy(self) -> _State:
        return msgspec.structs.replace(self)


def walk(routes: Sequence[Route]) -> Iterator[Line]:
    """Every line of a server's routes, `pass` Drafts too."""
    walker = _Walker()
    [always] = ALWAYS if isinstance(ALWAYS, tuple) else (Case(Demand()),)
    yield from walker.routes(tuple(routes), always, _State())


class _Walker:
    def __init__(self) -> None:
        self.count = 0

    def routes(
        self, routes: tuple[Route, ...], context: Case, state: _State, *, later: bool = False
    ) -> Iterator[Line]:
        """The lines of routes; `later`: whether a redirect stands behind all of them."""
        for place, route in enumerate(routes):
            matters = route.redirects or (
                (later or any(one.redirects for one in routes[place + 1 :])) and _may_answer(route.handlers)
            )
            if self.count > MOST_LINES:
                yield _fault(route, "too many combinations of matchers", "write flatter routes")
                return
            if isinstance(route.cases, Unknown):
                if matters:
                    yield _fault(route, route.cases.fact, route.cases.remedy)
                if any(isinstance(handler, Moves | StripPrefix) for handler in route.handlers):
                    state.moved += ((context, _name(route)),)
                continue
            for case in route.cases:
                try:
                    joined = together(context, _absolute(case, state))
                    self._refuse_moved(route, case, context, state)
                except PatternError as error:
                    if matters:
                        yield _fault(route, error.fact, error.remedy)
                    continue
                if joined is None:
                    continue
                self.count += 1
                alone = bool(route.group or route.terminal)
                inner = state.copy() if alone else state
                rests = later or any(one.redirects for one in routes[place + 1 :])
                yield from self._handlers(route, joined, inner, later=rests and not alone)
                if alone:
                    rest = () if route.terminal else _others(routes[place + 1 :], route.group)
                    if any(one.redirects for one in rest) and not _answers(route.handlers):
                        if inner.strip != state.strip:
                            inner.moved += ((joined, "handle_path"),)
                            inner.strip = state.strip
                        yield from self.routes(rest, joined, inner)
                    yield from _pass(route, joined)

    def _refuse_moved(self, route: Route, case: Case, context: Case, state: _State) -> None:
        """Raise `PatternError` where the route looks at a path that became another."""
        if case.demand.path is None and case.demand.query is None:
            return
        for one, what in state.moved:
            if _meet(one, context):
                raise PatternError(f"`{what}` changes the path before", "put the redirect in front of it")

    def _handlers(self, route: Route, case: Case, state: _State, *, later: bool) -> Iterator[Line]:
        for handler in route.handlers:
            match handler:
                case Redirect():
                    yield from self._redirect(route, handler, case, state)
                    return
                case Respond():
                    yield from self._respond(route, handler, case, state)
                    return
                case Subroute():
                    inner = state.copy()
                    yield from self.routes(handler.routes, case, inner, later=later)
                    if inner.strip != state.strip:
                        inner.moved += ((case, "uri strip_prefix"),)
                    state.moved, state.locations = inner.moved, inner.locations
                case Location():
                    state.locations = ((case, handler.to, route), *state.locations)
                case StripPrefix():
                    if state.strip or not _is_for_all(route, case, handler.prefix):
                        state.moved += ((case, "uri strip_prefix"),)
                    else:
                        state.strip = handler.prefix
                case Moves():
                    state.moved += ((case, handler.what),)
                case Refused():
                    pattern = _pattern(route, case) if handler.answers else None
                    yield _fault(route, handler.fact, handler.remedy, pattern, case)

    def _respond(self, route: Route, respond: Respond, case: Case, state: _State) -> Iterator[Line]:
        if respond.status.isdecimal() and whole(respond.status) in REDIRECT_STATUSES:
            for one, to, _ in state.locations:
                joined = _both(case, one)
                if joined is not None:
                    yield from self._redirect(route, Redirect(to, respond.status), joined, state)
        yield from _pass(route, case, respond.note)

    def _redirect(self, route: Route, redirect: Redirect, case: Case, state: _State) -> Iterator[Line]:
        try:
            status = _status(redirect.status)
            if status is None:
                yield from _pass(route, case)
                return
            yield from list(self._drafts(route, redirect.to, status, case, state))
        except _Refusal as error:
            yield _fault(route, error.fact, error.remedy, _pattern(route, case), case)

    def _drafts(self, route: Route, to: str, status: int, case: Case, state: _State) -> Iterator[Line]:
        known = parts(to, case)
        if known.uses_path:
            for one, what in state.moved:
                if _meet(one, case):
                    raise PatternError(f"`{what}` changes the path before", "put the redirect in front of it")
        for asked in ask(case.demand, known.references("path"), known.references("host")):
            path = _path_left(case.demand.path, asked, state.strip, known)
            template = known.filled(path, {"path": asked.path, "host": asked.host})
            yield _draft(route, case, asked, template, status, known)


def _status(text: str) -> int | None:
    """The status of a redirect; None where it is none, 401. Raises `TemplateError`."""
    if text == "401":
        return None
    if text.isdecimal() and whole(text) in REDIRECT_STATUSES:
        return whole(text)
    raise TemplateError(f"{text!r} is no status to redirect with here", "use 301, 302, 303, 307 or 308")


def _draft(route: Route, case: Case, asked: Asked, template: str, status: int, known: Parts) -> Draft:
    return Draft(
        route.line,
        asked.pattern,
        template,
        status,
        note=known.note,
        query=known.query,
        ignore_case=asked.ignore_case,
        file=route.file,
        methods=case.demand.methods,
        when=case.demand.when,
        unless=case.demand.unless,
        implicit=route.implicit,
    )


def _path_left(path: Text | None, asked: Asked, strip: str, known: Parts) -> str:
    """The template of the path as it is by then; raises `PatternError`."""
    if not strip or not known.uses_path:
        return "{url.path}"
    if path is not None and path.text.lower().startswith(strip.lower()):
        left = path.text[len(strip) :].replace("{", "{{").replace("}", "}}")
        if path.kind == "exact":
            return left if left.startswith("/") else f"/{left}"
        if path.kind == "prefix":
            return f"{left}{{{asked.rest}}}" if left.startswith("/") else f"/{left}{{{asked.rest}}}"
    raise PatternError("what is left of the path behind a prefix, for paths of this kind", "use `handle`")


def _is_for_all(route: Route, case: Case, prefix: str) -> bool:
    """Whether every request on this way has the prefix."""
    path = case.demand.path
    if path is None or path.kind not in ("exact", "prefix") or not (route.group or route.cases == ALWAYS):
        return False
    return path.text.lower().startswith(prefix.lower())


def _absolute(case: Case, state: _State) -> Case:
    """A case whose path, which is without its beginning by then, is as it was sent."""
    path = case.demand.path
    if path is None or not state.strip:
        return case
    if path.kind not in ("exact", "prefix"):
        raise PatternError("a path without its beginning is matched by a pattern", "match the whole path")
    text = path.text if path.text.startswith("/") else f"/{path.text}"
    whole = msgspec.structs.replace(path, text=f"{state.strip}{text}")
    return msgspec.structs.replace(case, demand=msgspec.structs.replace(case.demand, path=whole))


def _others(routes: tuple[Route, ...], group: str) -> tuple[Route, ...]:
    return tuple(route for route in routes if route.group != group)


def _meet(one: Case, other: Case) -> bool:
    """Whether a request may be both."""
    try:
        return together(one, other) is not None
    except PatternError:
        return True


def _both(one: Case, other: Case) -> Case | None:
    try:
        return together(one, other)
    except PatternError:
        return None


def _pass(route: Route, case: Case, note: str = "") -> Iterator[Line]:
    try:
        found = ask(case.demand)
    except PatternError:
        return
    for asked in found:
        yield Draft(
            route.line,
            asked.pattern,
            note=note,
            ignore_case=asked.ignore_case,
            file=route.file,
            methods=case.demand.methods,
            when=case.demand.when,
            unless=case.demand.unless,
        )


def _fault(
    route: Route, fact: str, remedy: str, at: Draft | None = None, case: Case | None = None
) -> LineFault:
    if at is None or case is None:
        return LineFault(route.line, fact, remedy, file=route.file)
    return LineFault(
        route.line,
        fact,
        remedy,
        at.pattern,
        ignore_case=at.ignore_case,
        file=route.file,
        methods=at.methods,
        when=at.when,
        unless=at.unless,
    )


def _pattern(route: Route, case: Case) -> Draft | None:
    """What a case asks for as a `pass` Draft; None where no pattern says it."""
    return next((line for line in _pass(route, case) if isinstance(line, Draft)), None)


def _may_answer(handlers: Sequence[Handler]) -> bool:
    """Whether some requests may not get past them."""
    return any(
        any(_may_answer(one.handlers) for one in handler.routes)
        if isinstance(handler, Subroute)
        else isinstance(handler, Redirect | Respond)
        for handler in handlers
    )


def _answers(handlers: Sequence[Handler]) -> bool:
    """Whether no request gets past them."""
    for handler in handlers:
        if isinstance(handler, Redirect | Respond):
            return True
        if isinstance(handler, Subroute) and any(
            one.cases == ALWAYS and _answers(one.handlers) for one in handler.routes
        ):
            return True
    return False


def _name(route: Route) -> str:
    return next((one.what for one in route.handlers if isinstance(one, Moves)), "uri strip_prefix")
