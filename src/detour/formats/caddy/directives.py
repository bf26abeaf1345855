"""Directives of a Caddyfile as routes (caddyconfig/httpcaddyfile/builtins.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar

import msgspec

from detour.errors import PatternError
from detour.formats.caddy.blocks import Directive
from detour.formats.caddy.matchers import all_of, cases, negated
from detour.formats.caddy.model import (
    ALWAYS,
    Cases,
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
from detour.formats.caddy.order import paths_less, stable

CANONICAL = "file_server redirects between `/folder` and `/folder/`, whichever is there"
PHP = "php_fastcgi redirects `/folder` to `/folder/` with 308 where it holds an index.php"

# parseRedir: what `html` answers is a page, and 401 no redirect
_STATUSES = {"": "302", "temporary": "302", "permanent": "301"}
_PAGE = Refused(
    "`html` answers 200 with a page that redirects, which is no redirect to clients without HTML",
    "write permanent or a status",
    answers=True,
)
_ALIKE = {"handle_path": "handle"}
_GROUPS = {"rewrite": "rewrite", "handle": "handle", "handle_path": "handle", "root": "root"}
_MATCHERS_OF_TRY = "try_files"


class _Made(msgspec.Struct, frozen=True):
    """A directive's route, and what it is sorted by."""

    name: str
    route: Route
    paths: tuple[str, ...] | None  # of its only matcher set; () where that has no path; None without matcher


class Directives:
    """Directives of one site, or block, with the matchers that are named around them."""

    def __init__(self, order: tuple[str, ...], named: Mapping[str, tuple[Directive, ...]]) -> None:
        self.order = order
        self.named = named  # routes for `invoke`
        self.groups = 0

    def routes(
        self,
        block: Iterable[Directive],
        matchers: Mapping[str, _Set],
        *,
        ordered: bool = True,
        depth: int = 0,
    ) -> tuple[Route, ...]:
        """The routes of a block, in the order in which requests pass them."""
        block = tuple(block)
        known = {**matchers, **_named(block)}
        places = {name: place for place, name in enumerate(self.order)}
        made = [
            one
            for directive in block
            if not directive.name.startswith("@") and directive.name in self.readers
            for one in self._read(directive, known, depth)
            if not ordered or directive.name in places
        ]
        if ordered:
            made = stable(made, lambda one, other: self._less(one, other, places))
        return tuple(self._grouped(made))

    def _less(self, one: _Made, other: _Made, places: Mapping[str, int]) -> bool:
        first, second = places[_ALIKE.get(one.name, one.name)], places[_ALIKE.get(other.name, other.name)]
        return first < second if first != second else paths_less(one.paths, other.paths)

    def _grouped(self, made: list[_Made]) -> Iterator[Route]:
        """Of rewrites, and of `handle`s, the first that matches goes alone."""
        names: dict[str, str] = {}
        self.groups += 1
        for kind in _GROUPS.values():
            names[kind] = f"{kind}-{self.groups}"
        for one in made:
            kind = _GROUPS.get(one.name, "")
            yield msgspec.structs.replace(one.route, group=names[kind]) if kind else one.route

    def _read(self, directive: Directive, known: Mapping[str, _Set], depth: int) -> Iterator[_Made]:
        args = list(directive.args)
        matcher: _Set | None = None
        if args and self._is_matcher(directive, args):
            token = args.pop(0)
            matcher = _matcher(token, known)
        try:
            handlers = tuple(self.readers[directive.name](self, directive, args, known, depth))
        except PatternError as error:
            handlers = (Refused(error.fact, error.remedy),)
        if directive.name == "handle_path" and matcher is not None and len(matcher.paths or ()) == 1:
            assert matcher.paths is not None
            prefix = matcher.paths[0].removesuffix("*").rstrip("/")
            handlers = (StripPrefix(prefix), *handlers)
        found = ALWAYS if matcher is None else matcher.cases
        if directive.name == _MATCHERS_OF_TRY:
            found = Unknown("`try_files` looks at files", "match the path")
        if handlers:
            route = Route(directive.line, directive.file, found, handlers)
            yield _Made(directive.name, route, None if matcher is None else matcher.paths)

    def _is_matcher(self, directive: Directive, args: list[str]) -> bool:
        if args[0] == "*" or args[0].startswith("@"):
            return True
        alone = directive.name in ("rewrite", "uri") and len(args) == 1
        return args[0].startswith("/") and not alone

    # ---- one for each directive that answers, or changes what later ones see

    def _redir(self, directive: Directive, args: list[str], *_: object) -> Iterator[Handler]:
        if not args or len(args) > 2:
            raise PatternError("`redir` without a target", "write `redir * https://example.com{uri}`")
        code = args[1] if len(args) > 1 else ""
        if code == "html":
            yield _PAGE
            return
        known = re.fullmatch(r"3\d\d|401|\{.+\}", code) is not None
        if code not in _STATUSES and not known:
            raise PatternError(f"the status {code!r}", "write permanent, temporary, html, or a number")
        yield Redirect(args[0], _STATUSES.get(code, code))

    def _respond(self, directive: Directive, args: list[str], *_: object) -> Iterator[Handler]:
        status = next((one for one in args[:1] if re.fullmatch(r"\d{3}", one)), "")
        yield Respond(status or (args[1] if len(args) > 1 else ""))

    def _answers(self, directive: Directive, *_: object) -> Iterator[Handler]:
        if _redirects(directive.block):
            yield Refused("what a server answered is turned into a redirect", "redirect the request itself")
        yield Respond("", {"file_server": CANONICAL, "php_fastcgi": PHP}.get(directive.name, ""))

    def _handle(
        self, directive: Directive, args: list[str], known: Mapping[str, _Set], depth: int
    ) -> Iterator[Handler]:
        ordered = directive.name != "route"
        yield Subroute(self.routes(directive.block or (), known, ordered=ordered, depth=depth + 1))

    def _invoke(
        self, directive: Directive, args: list[str], known: Mapping[str, _Set], depth: int
    ) -> Iterator[Handler]:
        block = self.named.get(args[0] if args else "")
        if block is None or depth > 20:
            raise PatternError("`invoke` of a route that there is not", "name it `&(…)`")
        yield Subroute(self.routes(block, {}, depth=depth + 1))

    def _rewrite(self, directive: Directive, *_: object) -> Iterator[Handler]:
        yield Moves(directive.name)

    def _uri(self, directive: Directive, args: list[str], *_: object) -> Iterator[Handler]:
        if args[:1] == ["strip_prefix"] and len(args) == 2 and "{" not in args[1]:
            yield StripPrefix("/" + args[1].strip("/"))
        else:
            yield Moves(f"uri {args[0] if args else ''}".strip())

    def _header(self, directive: Directive, args: list[str], *_: object) -> Iterator[Handler]:
        lines = [args, *(list(one.words) for one in directive.block or ())]
        for words in lines:
            if len(words) == 2 and words[0].lower().rstrip(":") in ("location", "?location", ">location"):
                yield Location(words[1])

    def _errors(self, directive: Directive, *_: object) -> Iterator[Handler]:
        if _redirects(directive.block):
            yield Refused("errors are answered with a redirect", "redirect the requests that are meant")

    readers: ClassVar[Mapping[str, Callable[..., Iterator[Handler]]]] = {
        "redir": _redir,
        "respond": _respond,
        "abort": _answers,
        "error": _answers,
        "reverse_proxy": _answers,
        "php_fastcgi": _answers,
        "file_server": _answers,
        "acme_server": _answers,
        "metrics": _answers,
        "handle": _handle,
        "handle_path": _handle,
        "route": _handle,
        "invoke": _invoke,
        "rewrite": _rewrite,
        "method": lambda *_: iter(()),
        "try_files": _rewrite,
        "uri": _uri,
        "header": _header,
    }

    def refused(self, block: Iterable[Directive]) -> Iterator[Route]:
        """What of a site redirects errors: it has no place in the order."""
        for directive in block:
            if directive.name == "handle_errors":
                handlers = tuple(self._errors(directive))
                if handlers:
                    yield Route(directive.line, directive.file, ALWAYS, handlers)


class _Set(msgspec.Struct, frozen=True):
    """A matcher, and the paths that its directive is sorted by."""

    cases: Cases
    paths: tuple[str, ...] | None = ()


def _redirects(block: tuple[Directive, ...] | None) -> bool:
    return any(one.name == "redir" or _redirects(one.block) for one in block or ())


# ---- matchers


def _matcher(token: str, known: Mapping[str, _Set]) -> _Set | None:
    if token == "*":
        return None
    if token.startswith("@"):
        missing = Unknown(f"the matcher {token} is not defined", "define it in the site")
        return known.get(token, _Set(missing))
    return _Set(cases({"path": ((token,),)}), (token,))


def _named(block: tuple[Directive, ...]) -> dict[str, _Set]:
    """The matchers that a block defines."""
    found: dict[str, _Set] = {}
    for directive in block:
        if not directive.name.startswith("@"):
            continue
        inner = directive.block or ()
        if directive.args:
            args = directive.args
            if len(args) == 1 and re.search(r"[\s('\"]", args[0]):  # `@name `…`` for short
                args = ("expression", *args)
            inner = (Directive(directive.line, directive.file, args, directive.block),)
        paths = [path for one in inner if one.name == "path" for path in one.args]
        found[directive.name] = _Set(_set(inner), tuple(paths))
    return found


def _set(lines: Iterable[Directive]) -> Cases:
    """What all lines of a matcher ask for."""
    values: dict[str, tuple[tuple[str, ...], ...]] = {}
    excluded: list[Cases] = []
    try:
        for line in lines:
            if line.name == "not":
                inner = line.block or ()
                if line.args:
                    inner = (Directive(line.line, line.file, line.args, line.block),)
                excluded.append(negated(_set(inner)))
            else:
                values[line.name] = (*values.get(line.name, ()), line.args)
        return all_of([cases(values), *excluded])
    except PatternError as error:
        return Unknown(error.fact, error.remedy)
