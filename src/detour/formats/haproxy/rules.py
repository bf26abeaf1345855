"""Rules of HAProxy's proxies as Drafts, in the order in which a request passes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import dirname

import msgspec

from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError, URLError
from detour.formats.alternatives import Alternatives
from detour.formats.demand import ANY, Asked, Demand, Text, ask, both
from detour.formats.draft import Draft, LineFault
from detour.formats.haproxy.conditions import Acls
from detour.formats.haproxy.locations import Place, behind, places
from detour.formats.haproxy.sections import Line, Section, sections
from detour.formats.numbers import whole

DEFAULT_STATUS = 302

_FINAL = {"deny", "return", "tarpit", "reject", "use-service", "auth"}
_MOVES = {"set-path", "replace-path", "set-uri", "replace-uri", "set-pathq", "replace-pathq", "set-query"}
_FLAGS = {"drop-query", "append-slash", "ignore-empty", "keep-query"}

Read = Iterator[Draft | LineFault]
_Refused = (PatternError, TemplateError, URLError)


class Action(msgspec.Struct, frozen=True):
    """A `redirect` line's words."""

    kind: str  # location, prefix, scheme
    to: str
    status: int
    flags: frozenset[str]
    cookie: str
    condition: tuple[str, ...]


def read_sections(text: str, files: Mapping[str, str], entry: str) -> Read:
    """Every rule of a configuration that redirects, or answers before one that does."""
    known = _Texts(files, dirname(entry))
    found = sections(text)
    reader = _Reader(found, known)
    yield from reader.read()


class _Texts(dict[str, str]):
    """The texts of files by the name that the configuration has for them."""

    def __init__(self, files: Mapping[str, str], folder: str) -> None:
        super().__init__(files)
        for path, text in files.items():
            name = path.removeprefix(f"{folder}/") if folder else path
            self.setdefault(name, text)


class _Reader:
    def __init__(self, found: list[Section], texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.doors = [one for one in found if one.kind in ("frontend", "listen")]
        self.backends = {one.name: one for one in found if one.kind in ("backend", "listen")}
        self.defaults = [one for one in found if one.kind == "defaults"]
        self.reached: set[str] = set()

    def read(self) -> Read:
        schemes = {_scheme(door) for door in self.doors}
        for door in self.doors:
            scheme = _scheme(door) if len(schemes) > 1 else ""
            yield from self._door(door, Demand(scheme=scheme))
        for section in (*self.defaults, *self.doors, *self.backends.values()):
            if section.kind != "listen" or section in self.doors:
                yield from _elsewhere(section)
        for name, backend in self.backends.items():
            if backend.kind == "backend" and name not in self.reached and not self.doors:
                yield from _Proxy(backend, self.texts, ANY).rules()

    def _door(self, door: Section, context: Demand) -> Read:
        backends = [line for line in door.having("use_backend", "default_backend") if len(line.words) > 1]
        proxy = _Proxy(door, self.texts, context, any(map(self._leads_on, backends)))
        yield from proxy.rules()
        for place, line in enumerate(door.having("use_backend")):
            rest = backends[place + 1 :]
            yield from self._use(line, proxy, any(map(self._leads_on, rest)))
        for line in door.having("default_backend"):
            if len(line.words) > 1 and line.words[1] in self.backends:
                yield from self._backend(line.words[1], context)

    def _leads_on(self, line: Line) -> bool:
        """Whether something behind a choice of a backend redirects."""
        name = line.words[1]
        if "%[" in name:
            return any(map(self._redirects, self.backends))
        return name in self.backends and self._redirects(name)

    def _use(self, line: Line, proxy: _Proxy, later: bool) -> Read:
        name, condition = line.words[1] if len(line.words) > 1 else "", line.words[2:]
        try:
            alternatives = proxy.alternatives(condition)
        except _Refused as error:
            if self._leads_on(line):
                yield LineFault(line.number, error.fact, error.remedy)
            elif later:
                yield proxy.hiding(line, condition, error)
            return
        if "%[" in name:
            if any(self._redirects(each) for each in self.backends):
                fact = "the backend is chosen by an expression"
                yield LineFault(line.number, fact, "write a `use_backend` for each backend that redirects")
            return
        for demand in alternatives:
            if name in self.backends:
                yield from self._backend(name, demand)
            yield from _pass(line, demand)

    def _backend(self, name: str, context: Demand) -> Read:
        self.reached.add(name)
        yield from _Proxy(self.backends[name], self.texts, context).rules()

    def _redirects(self, name: str) -> bool:
        lines = self.backends[name].lines
        return any("redirect" in line.words[:2] or "redir" in line.words for line in lines)


def _scheme(door: Section) -> str:
    binds = [
        "ssl" in line.words or any(word.endswith(":443") for word in line.words)
        for line in door.having("bind")
    ]
    if not binds or len(set(binds)) > 1:
        return ""
    return "https" if binds[0] else "http"


def _elsewhere(section: Section) -> Read:
    """What redirects responses, or on errors: it depends on what a server answers."""
    for line in section.lines:
        words = line.words
        if words[0].startswith("errorloc") and len(words) > 2:
            fact = f"a response {words[1]} becomes a redirect to {words[2]}, whatever the request"
            yield LineFault(line.number, fact, "drop the line, or redirect the requests that are meant")
        elif words[0] in ("http-response", "http-after-response") and (
            "redirect" in words[:2] or (len(words) > 2 and words[2].lower() == "location")
        ):
            fact = "the line changes what a server answers, which Detour does not know"
            yield LineFault(line.number, fact, "move the redirect to `http-request`")


class _Proxy:
    """The rules of one proxy, for requests that `context` lets through to it."""

    def __init__(
        self, section: Section, texts: Mapping[str, str], context: Demand, onward: bool = False
    ) -> None:
        self.onward = onward  # whether a backend behind it redirects
        self.section = section
        self.texts = texts
        self.context = context
        self.values: dict[str, str] = {}
        self.acls = Acls(texts)
        self.moved = 0  # the line that changes the path, of what stands behind it

    def alternatives(self, condition: tuple[str, ...]) -> Alternatives:
        """The demands of a condition, within the context."""
        found = (both(self.context, one) for one in self.acls.alternatives(condition))
        return tuple(one for one in found if one is not None)

    def rules(self) -> Read:
        for line in self.section.having("acl"):
            self.acls.add(line.words)
        for line in self.section.having("http-request"):
            yield from self._request(line)
        for line in self.section.having("redirect"):
            yield from self._redirect(line, line.words[1:])
        servers = list(self.section.having("server"))
        for line in servers:
            if "redir" in line.words[:-1]:
                yield from self._server(line, len(servers) == 1)

    def _request(self, line: Line) -> Read:
        action = line.words[1] if len(line.words) > 1 else ""
        if action == "redirect":
            yield from self._redirect(line, line.words[2:])
        elif action == "return" and "location" in map(str.lower, line.words):
            yield from self._return(line)
        elif action in _FINAL:
            yield from self._final(line)
        elif action == "allow":
            yield from self._allow(line)
        elif action in _MOVES:
            self.moved = self.moved or line.number
        elif action.startswith(("set-var(", "set-var-fmt(")) and len(line.words) > 2:
            name = action.partition("(")[2][:-1]
            self.values[name] = _held(line.words, self.values.get(name, ""))

    def _allow(self, line: Line) -> Read:
        """It ends the `http-request` rules of its proxy, and those alone."""
        later = (one for one in self.section.having("http-request") if one.number > line.number)
        if not any(map(_redirects, later)):
            return
        if self.onward or any(map(_redirects, self.section.having("redirect", "server"))):
            fact = "what it lets through passes the `http-request` rules behind it, and others redirect"
            yield LineFault(line.number, fact, "write its condition into each redirect behind it")
            return
        yield from self._final(line)

    def _final(self, line: Line) -> Read:
        try:
            for demand in self.alternatives(_condition(line.words)):
                yield from _pass(line, demand)
        except _Refused as error:
            later = any(_redirects(one) for one in self.section.lines if one.number > line.number)
            if later or self.onward or any(map(_redirects, self.section.having("redirect", "server"))):
                yield self.hiding(line, _condition(line.words), error)

    def hiding(self, line: Line, condition: tuple[str, ...], error: Exception) -> LineFault:
        """What answers, under a condition that is not known, before something redirects. It stands for every
        request that the known part of the condition says, where that part says which paths or hosts."""
        assert isinstance(error, _Refused)
        fact = f"it answers before later redirects: {error.fact}"
        try:
            [*known] = (both(self.context, one) for one in self.acls.known(condition))
            if len(known) == 1 and known[0] is not None and (known[0].path or known[0].host):
                [asked] = ask(known[0])
                return LineFault(
                    line.number, fact, error.remedy, asked.pattern,
                    ignore_case=asked.ignore_case, methods=known[0].methods,
                )  # fmt: skip
        except PatternError:
            pass
        return LineFault(line.number, fact, error.remedy)

    def _redirect(self, line: Line, words: tuple[str, ...]) -> Read:
        try:
            action = _action(words)
            if self.moved:
                raise PatternError(
                    f"line {self.moved} changes the path before", "put the redirect in front of that line"
                )
            yield from list(self._drafts(line, action))
        except _Refused as error:
            yield LineFault(line.number, error.fact, error.remedy)

    def _return(self, line: Line) -> Read:
        words = list(line.words)
        place = [word.lower() for word in words].index("location")
        status = words[words.index("status") + 1] if "status" in words else "200"
        if not status.startswith("3") or place + 1 >= len(words):
            yield from self._final(line)
            return
        condition = _condition(line.words)
        yield from self._redirect(line, ("location", words[place + 1], "code", status, *condition))

    def _server(self, line: Line, alone: bool) -> Read:
        if not alone:
            fact = "a server of several redirects: which one answers is chosen as requests come"
            yield LineFault(line.number, fact, "redirect by a rule")
            return
        to = line.words[line.words.index("redir") + 1]
        yield from self._redirect(line, ("prefix", to, "if", "METH_GET"))

    def _drafts(self, line: Line, action: Action) -> Read:
        wanted = action.to if action.kind != "scheme" else ""
        for place in list(_places(action, wanted, self.values, self.texts)):
            for demand in self.alternatives(_without_lookups(action.condition, action.to)):
                joined = both(demand, place.demand)
                if joined is not None:
                    yield _draft(line, joined, action, place)


def _held(words: tuple[str, ...], before: str) -> str:
    """What a variable holds: an expression, a name that `locations` knows; "" for what is not known."""
    is_format, value, condition = words[1].startswith("set-var-fmt("), words[2], " ".join(_condition(words))
    if is_format and value in ("?%[query]", "&%[query]") and condition in _HAS_QUERY and not before:
        return "added_query"
    if not is_format and (before, value, condition) == ("str(http)", "str(https)", "if { ssl_fc }"):
        return "scheme"
    return "" if is_format or condition else value


_HAS_QUERY = ("if { query -m len ge 1 }", "if { query -m found }")


def _redirects(line: Line) -> bool:
    """Whether a line redirects, or may."""
    words = tuple(map(str.lower, line.words))
    return (
        "redirect" in words[:2]
        or (words[0] == "server" and "redir" in words)
        or (words[:2] == ("http-request", "return") and "location" in words)
    )


def _condition(words: tuple[str, ...]) -> tuple[str, ...]:
    starts = [place for place, word in enumerate(words) if word in ("if", "unless")]
    return words[starts[0] :] if starts else ()


def _without_lookups(condition: tuple[str, ...], to: str) -> tuple[str, ...]:
    """A condition without `{ path,map(file) -m found }` where the location asks the same: its rows say so."""
    text = " ".join(condition)
    for found in re.finditer(r"\{ (\S*,map\S*) -m found \}", text):
        if f"%[{found[1]}]" in to:
            text = text.replace(found[0], "TRUE")
    return tuple(text.split(" ")) if text != " ".join(condition) else condition


def _action(words: tuple[str, ...]) -> Action:
    kind = to = cookie = ""
    status, flags, place = DEFAULT_STATUS, set(), 0
    while place < len(words) and words[place] not in ("if", "unless"):
        word, value = words[place], words[place + 1] if place + 1 < len(words) else ""
        place += 1 if word in _FLAGS else 2
        if word in ("location", "prefix", "scheme"):
            kind, to = word, value
        elif word == "code":
            status = whole(value) if value.isdecimal() else 0
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("set-cookie"):
            cookie = f"{value}; path=/;"
        elif word.startswith("clear-cookie"):
            cookie = f"{value}; path=/; Max-Age=0;"
        else:
            raise TemplateError(f"{word!r} means nothing in a redirect", "see configuration.txt, redirect")
    if not kind or not to or status not in REDIRECT_STATUSES:
        raise TemplateError(
            "the redirect names no location or no status", "write `redirect location /to code 307`"
        )
    return Action(kind, to, status, frozenset(flags), cookie, words[place:])


def _places(
    action: Action, text: str, values: Mapping[str, str], texts: Mapping[str, str]
) -> Iterator[Place]:
    drop = "drop-query" in action.flags
    if action.kind == "scheme":
        yield Place(f"{action.to}://{{url.hostname}}{{url.path}}", keeps_query=not drop)
        return
    for place in places(text, values, texts):
        if action.kind == "location":
            kept = place.keeps_query or "keep-query" in action.flags
            yield msgspec.structs.replace(place, keeps_query=kept)
            continue
        if place.keeps_query or "?" in place.template:
            raise TemplateError("a prefix that ends with a query", "write a location")
        prefix = "" if place.template == "/" else place.template
        slashes = [(ANY, "")]
        if drop and "append-slash" in action.flags:
            slashes = [(Demand(path=Text("suffix", "/")), ""), (ANY, "/")]
        for demand, slash in slashes:
            joined = both(place.demand, demand)
            if joined is not None:
                yield Place(f"{prefix}{{url.path}}{slash}", joined, not drop)


def _draft(line: Line, demand: Demand, action: Action, place: Place) -> Draft:
    [asked] = ask(demand)
    place = msgspec.structs.replace(place, template=behind(place.template, demand.path, asked.rest))
    empty = "" if place.demand == ANY or place.complete or "ignore-empty" in action.flags else _EMPTY
    return _drafted(line, demand, asked, place, action, empty)


_EMPTY = "a request in no row of the map may get an empty Location: add `ignore-empty`"


def _drafted(line: Line, demand: Demand, asked: Asked, place: Place, action: Action, note: str) -> Draft:
    return Draft(
        line.number,
        asked.pattern,
        place.template,
        action.status,
        note=note,
        query="keep" if place.keeps_query else "drop",
        ignore_case=asked.ignore_case,
        methods=demand.methods,
        when=demand.when,
        unless=demand.unless,
        headers=(("Set-Cookie", action.cookie),) if action.cookie else (),
    )


def _pass(line: Line, demand: Demand) -> Read:
    try:
        [asked] = ask(demand)
    except PatternError:
        return
    yield Draft(
        line.number,
        asked.pattern,
        ignore_case=asked.ignore_case,
        methods=demand.methods,
        when=demand.when,
        unless=demand.unless,
    )
