"""Servers and locations of an nginx configuration, in the order in which nginx chooses among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from detour.core.pattern import Pattern
from detour.errors import PatternError
from detour.formats.draft import Draft, LineFault
from detour.formats.nginx.context import Context, appended
from detour.formats.nginx.locations import Location, found_in, is_early, locations, modifier_of
from detour.formats.nginx.run import REWRITES, Item, Runner, passing
from detour.formats.nginx.scope import Path, Scope, encoded, mask
from detour.formats.nginx.syntax import Directive, Tree, redirects
from detour.formats.numbers import whole
from detour.formats.redirects_file import literal
from detour.formats.regex import expression

if TYPE_CHECKING:
    from detour.formats.dialects import Files

DEFAULT_STATUS = 302  # of `return URL` and of `rewrite … redirect`
MAX_JUMPS = 10  # "rewrite or internal redirection cycle" (ngx_http_core_module.h: NGX_HTTP_MAX_URI_CHANGES)
SLASH = "nginx adds the slash of a location that is handed on (`location /dir/` with proxy_pass or the like)"
_HANDED_ON = frozenset(
    ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass", "grpc_pass")
)


def read(files: Files) -> Iterator[Draft | LineFault]:
    """Rules in the order in which the first match is nginx's own answer."""
    tree = Tree(files.entry, files.texts)
    told = set()
    for item in (*tree.faults, *_Reader(tree).items()):
        if isinstance(item, LineFault) and (item.file, item.line) in told:
            if item.pattern is not None:  # the same place, for other requests
                yield Draft(item.line, item.pattern, file=item.file)
            continue
        if isinstance(item, LineFault):
            told.add((item.file, item.line))
        yield item


class _Socket(msgspec.Struct, frozen=True):
    port: str
    scheme: str


class _Reader:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def items(self) -> Iterator[Item]:
        top = Directive(1, self.tree.entry, "", (), self.tree.top)
        blocks = [one for one in top.named("http") if one.block is not None] or [self._whole(top)]
        for http in blocks:
            yield from self._http(http)

    def _whole(self, top: Directive) -> Directive:
        """A part of a configuration as an `http` block: what belongs into a server gets one."""
        loose = tuple(one for one in top.block or () if one.name in (*REWRITES, "location", "error_page"))
        if not loose:
            return top
        server = Directive(loose[0].line, top.file, "server", (), top.block)
        return Directive(1, top.file, "http", (), (*(top.block or ()), server))

    def _http(self, http: Directive) -> Iterator[Item]:
        maps = {
            one.args[1].removeprefix("$"): one
            for one in http.named("map")
            if len(one.args) == 2 and one.block
        }
        servers = [one for one in http.named("server") if one.block is not None]
        sockets: dict[_Socket, list[tuple[Directive, bool]]] = {}
        for server in servers:
            for socket, default in _listens(server):
                sockets.setdefault(socket, []).append((server, default))
        for socket, having in sockets.items():
            chosen = next((one for one, default in having if default), having[0][0])
            for _, host, server in sorted(self._hosts(having), key=lambda one: one[0]):
                yield from self._server(http, server, socket, host, maps)
            yield from self._server(http, chosen, socket, "*", maps)

    def _hosts(
        self, having: list[tuple[Directive, bool]]
    ) -> Iterator[tuple[tuple[int, int], str, Directive]]:
        """Every name with its rank: exact ones, `*.` masks, `.*` masks, expressions in order."""
        taken = set()
        for at, (server, _) in enumerate(having):
            for name in (one for names in server.named("server_name") for one in names.args):
                if name in taken or name in ("", "_", '""') or name.startswith("$"):
                    continue
                taken.add(name)
                if name.startswith("~"):
                    yield (3, at), name, server
                elif name.startswith("*."):
                    yield (1, -len(name)), name, server
                elif name.startswith("."):
                    yield (0, 0), name[1:], server
                    yield (1, -len(name)), f"*{name}", server
                else:
                    yield ((2, -len(name)) if name.endswith(".*") else (0, 0)), name, server

    def _server(
        self, http: Directive, server: Directive, socket: _Socket, host: str, maps: dict[str, Directive]
    ) -> Iterator[Item]:
        names = [one for each in server.named("server_name") for one in each.args]
        first = next((one for one in names if not one.startswith(("~", "*", "$", "_"))), "").lstrip(".")
        context = Context((http, server), maps, self.tree.entry, first)
        try:
            scope = _scope(socket, host)
            yield from _Server(context, server).items(scope)
        except PatternError as error:
            if redirects(server):
                file = "" if server.file == self.tree.entry else server.file
                yield LineFault(server.line, error.fact, error.remedy, file=file)


def _scope(socket: _Socket, host: str) -> Scope:
    scope = Scope(socket.scheme, socket.port)
    if host.startswith("~"):
        found = expression(host[1:], component="hostname", ignore_case=True)
        known = {str(key): text for key, text in found.captures.items()}
        return msgspec.structs.replace(scope, host=found.pattern).with_known(known)
    if "*" in host:
        pattern = mask(host)
        Pattern.parse(f"//{pattern}/")
        return msgspec.structs.replace(scope, host=pattern)
    Pattern.parse(f"//{literal(host)}/")
    return msgspec.structs.replace(scope, host=literal(host.lower()), name=host.lower())


def _listens(server: Directive) -> Iterator[tuple[_Socket, bool]]:
    """The sockets of a server, each once, and whether it is their default."""
    found: dict[_Socket, bool] = {}
    on = server.last("ssl", "off") == "on"
    for one in server.named("listen"):
        address, *flags = one.args or ("80",)
        if address.startswith("unix:"):
            continue
        port = address.rpartition(":")[2] if not address.endswith("]") else "80"
        if not port.isdecimal() or whole(port) > 65535:
            port = "80"
        secure = on or "ssl" in flags or "quic" in flags
        socket = _Socket(port, "https" if secure else "http")
        found[socket] = found.get(socket, False) or "default_server" in flags or "default" in flags
    yield from found.items() or ((_Socket("80", "http"), False),)


class _Server:
    """One server as one socket and host reach it."""

    def __init__(self, context: Context, server: Directive) -> None:
        self.context = context
        self.server = server
        self.locations = locations(server)
        self.steps = [0]
        self.jumps = 0

    def items(self, scope: Scope) -> Iterator[Item]:
        if scope.scheme == "https" and (page := self.context.error_page("497")) is not None:
            plain = msgspec.structs.replace(scope, scheme="http")
            yield from self._runner(self.context).to_page(page, plain, 497)
        steps = tuple(one for one in self.server.block or () if one.name in REWRITES)
        yield from self._runner(self.context).run(steps, scope)

    def _runner(self, context: Context, location: Location | None = None) -> Runner:
        def goes_on(scope: Scope) -> Iterator[Item]:
            if location is not None:
                return iter((passing(location.directive, scope, self._file(location.directive)),))
            return self._choose(scope)

        return Runner(context, goes_on, self._jump, self.steps, self._may_redirect)

    def _may_redirect(self, prefix: str) -> bool:
        """Whether a location that answers for some URI with this beginning redirects."""
        return any(
            redirects(one.directive)
            for one in self.locations
            if one.modifier in ("~", "~*") or one.text.startswith(prefix) or prefix.startswith(one.text)
        )

    def _file(self, step: Directive) -> str:
        return "" if step.file == self.context.entry else step.file

    def _jump(self, scope: Scope, to: str) -> Iterator[Item]:
        """Where an inner redirect to a URI (that of `scope`), or to a named location, leads."""
        self.jumps += 1
        path = to.partition("?")[0]
        slashed = self._handed_on(path)
        if slashed is not None:
            yield from self._slash(slashed, scope)
            return
        found = self._named(to) if to.startswith("@") else self._of(path)
        if found is None or self.jumps > MAX_JUMPS + self.steps[0] // 4:
            yield passing(self.server, scope, self._file(self.server))
            return
        yield from self._inside(found, scope)

    def _handed_on(self, path: str) -> Location | None:
        """The location that a known path is but the slash of, and that nginx adds it for."""
        static = list(self._static(self.locations))
        if any(one.text == path for one in static):
            return None
        return next((one for one in static if one.text == f"{path}/" and _is_handed_on(one)), None)

    def _named(self, name: str) -> Location | None:
        return next((one for one in self.locations if one.text == name), None)

    def _of(self, uri: str, among: tuple[Location, ...] | None = None) -> Location | None:
        """The location of a known URI (ngx_http_core_find_location)."""
        some = self.locations if among is None else among
        for one in some:
            if one.modifier == "=" and one.text == uri:
                return one
        prefixes = [one for one in some if one.modifier in ("", "^~") and uri.startswith(one.text)]
        longest = max(prefixes, key=lambda one: len(one.text), default=None)
        nested = self._of(uri, longest.children) if longest is not None else None
        if nested is not None and nested.modifier in ("=", "~", "~*"):
            return nested
        if longest is None or longest.modifier != "^~":
            for one in some:
                if one.modifier in ("~", "~*") and found_in(one, uri):
                    return self._of(uri, one.children) or one
        return nested or longest

    def _inside(self, location: Location, scope: Scope) -> Iterator[Item]:
        chain = (*location.parents, location.directive)
        context = msgspec.structs.replace(self.context, blocks=(*self.context.blocks, *chain))
        steps = tuple(one for one in location.directive.block or () if one.name in REWRITES)
        if not scope.uri and location.modifier != "@" and any(one.has("internal") for one in chain):
            line, file = location.directive.line, location.directive.file
            steps = (Directive(line, file, "return", ("404",)),)
        yield from self._runner(context, location).run(steps, scope)

    # --- which location answers, for all paths at once ----------------------------------------------------

    def _choose(self, scope: Scope) -> Iterator[Item]:
        """Every location in order: exact ones; prefixes that no expression may overrule, the longest first;
        expressions as written; other prefixes, the longest first."""
        if scope.uri:
            path = scope.uri.partition("?")[0]
            slashed, found = self._handed_on(path), self._of(path)
            if slashed is not None:
                yield from self._slash(slashed, scope)
            else:
                yield from self._inside(found, scope) if found else self._left(scope)
            return
        exact: list[Location] = []
        prefixes: list[Location] = []
        for one in self._static(self.locations):
            (exact if one.modifier == "=" else prefixes).append(one)
        regexes = [one for one in self.locations if one.modifier in ("~", "~*")]
        prefixes.sort(key=lambda one: -len(one.text))
        for one in exact:
            yield from self._exactly(one, scope)
        yield from self._slashes(prefixes, {one.text for one in (*exact, *prefixes)}, scope)
        early = [one for one in prefixes if is_early(one, prefixes)]
        for one in early:
            for regex in self._regexes_of(one):
                yield from self._matching(regex, scope, one.text)
            yield from self._beginning(one, scope)
        for one in regexes:
            yield from self._matching(one, scope, "/")
        for one in prefixes:
            if one not in early:
                yield from self._beginning(one, scope)
        yield from self._left(scope)

    def _left(self, scope: Scope) -> Iterator[Item]:
        yield passing(self.server, scope, self._file(self.server))

    def _static(self, some: tuple[Location, ...]) -> Iterator[Location]:
        """Exact and prefix locations, nested ones too: they begin with what they are nested in."""
        for one in some:
            if one.modifier in ("", "=", "^~"):
                yield one
                yield from self._static(one.children)

    def _regexes_of(self, location: Location) -> list[Location]:
        """The expressions asked within a prefix, innermost first: a `^~` keeps those beside it from that."""
        chain = [*location.parents, location.directive]
        levels, here = [], self.locations
        for directive in chain:
            if modifier_of(directive.args)[0] != "^~":
                levels.append([one for one in here if one.modifier in ("~", "~*")])
            here = next(one.children for one in here if one.directive is directive)
        levels.append([one for one in here if one.modifier in ("~", "~*")])
        return [one for level in reversed(levels) for one in level]

    def _exactly(self, location: Location, scope: Scope) -> Iterator[Item]:
        if scope.path.kind == "prefix" and location.text.startswith(scope.path.text):
            narrowed = msgspec.structs.replace(scope, path=Path("exact", location.text))
            yield from self._inside(location, narrowed)
        elif scope.path.kind == "exact" and scope.path.text == location.text:
            yield from self._inside(location, scope)
        elif scope.path.kind == "pattern" and _matches(scope, location.text):
            yield from self._inside(
                location, msgspec.structs.replace(scope, path=Path("exact", location.text))
            )

    def _beginning(self, location: Location, scope: Scope) -> Iterator[Item]:
        text = location.text
        if scope.path.kind == "prefix":
            longer = text if len(text) > len(scope.path.text) else scope.path.text
            if longer.startswith(text) and longer.startswith(scope.path.text):
                narrowed = msgspec.structs.replace(scope, path=Path("prefix", longer))
                yield from self._inside(location, narrowed)
        elif scope.path.kind == "exact":
            if scope.path.text.startswith(text):
                yield from self._inside(location, scope)
        elif text == "/":
            yield from self._inside(location, scope)
        else:
            yield from self._both(location, scope, f"^{re.escape(text)}")

    def _matching(self, location: Location, scope: Scope, prefix: str) -> Iterator[Item]:
        within = scope
        if scope.path.kind == "prefix" and prefix.startswith(scope.path.text):
            within = msgspec.structs.replace(scope, path=Path("prefix", prefix))
        elif scope.path.kind == "exact" and not scope.path.text.startswith(prefix):
            return
        yield from self._both(location, within, location.text, location.modifier == "~*")

    def _both(
        self, location: Location, scope: Scope, regex: str, ignore_case: bool = False
    ) -> Iterator[Item]:
        try:
            found = scope.with_path(regex, ignore_case=ignore_case)
        except PatternError as error:
            if any(map(redirects, self.server.block or ())):
                yield self._in_doubt(location, scope, regex, error)
            return
        for one in found:
            yield from self._inside(location, one)

    def _in_doubt(self, location: Location, scope: Scope, regex: str, error: PatternError) -> LineFault:
        """A location that cannot be said: all that it may answer must not fall to those behind it."""
        begins = re.match(r"\^((?:[\w/-]|\\[./-])+)(?![*+?{|\w])", regex) if "|" not in regex else None
        text = re.sub(r"\\(.)", r"\1", begins[1]) if begins else "/"
        path = scope.path
        if path.kind == "prefix" and text.startswith(path.text):
            path = Path("prefix", text)
        covered = msgspec.structs.replace(scope, path=path)
        fact = (
            error.fact if redirects(location.directive) else f"whether it hides what is behind: {error.fact}"
        )
        return LineFault(
            location.directive.line,
            fact,
            error.remedy,
            covered.pattern,
            ignore_case=path.ignore_case or location.modifier == "~*",
            file=self._file(location.directive),
            methods=scope.methods,
            when=scope.when,
        )

    def _slashes(self, prefixes: list[Location], taken: set[str], scope: Scope) -> Iterator[Item]:
        """The redirects nobody wrote (ngx_http_core_module.c: auto_redirect)."""
        for one in prefixes:
            bare = one.text[:-1]
            if not _is_handed_on(one) or bare in taken:
                continue
            if scope.path.kind == "prefix" and bare.startswith(scope.path.text):
                yield from self._slash(one, msgspec.structs.replace(scope, path=Path("exact", bare)))

    def _slash(self, location: Location, scope: Scope) -> Iterator[Item]:
        chain = (*location.parents, location.directive)
        context = msgspec.structs.replace(self.context, blocks=(*self.context.blocks, *chain))
        if not scope.uri and any(one.has("internal") for one in chain):
            yield from self._inside(location, scope)
            return
        to, query = appended(encoded(location.text).replace("$", "%24"), scope)
        runner = self._runner(context, location)
        yield from runner.redirect(location.directive, scope, 301, to, query, SLASH)


def _is_handed_on(location: Location) -> bool:
    text = location.text
    handed_on = any(one.name in _HANDED_ON for one in location.directive.block or ())
    return handed_on and text.endswith("/") and len(text) > 1


def _matches(scope: Scope, text: str) -> bool:
    pattern = Pattern.parse(scope.path.pattern, ignore_case=scope.path.ignore_case)
    return pattern.match_parts("http", "h", "", encoded(text), "") is not None
