"""Servers, directories and locations of an Apache configuration, in the order in which they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from posixpath import basename

import msgspec

from detour.errors import PatternError
from detour.formats.apache import expr
from detour.formats.apache.alias import NAMES, may_answer, redirects, searched
from detour.formats.apache.context import Context, Outcome
from detour.formats.apache.proxy import hands_all_on, proxied
from detour.formats.apache.rewrite import Answers, Written, hands_on, rewrites, rules
from detour.formats.apache.syntax import Directive, parse
from detour.formats.demand import Demand, Text, both
from detour.formats.draft import LineFault
from detour.formats.numbers import whole
from detour.formats.regex import Expression, expression, expressions

_OPEN = {"ifmodule", "ifdefine", "ifversion", "iffile", "limit", "limitexcept", "requireall", "requireany"}
_VERSION = (2, 4, 57)


def read_files(entry: str, texts: dict[str, str]) -> Iterator[Outcome]:
    """Every redirect of a configuration, or of an .htaccess file; what several servers inherit, and cannot be
    expressed, is one fault."""
    told = set()
    for one in _read(entry, texts):
        if isinstance(one, LineFault):
            if (one.file, one.line, one.pattern, one.methods, one.when, one.unless) in told:
                continue
            told.add((one.file, one.line, one.pattern, one.methods, one.when, one.unless))
        yield one


def _read(entry: str, texts: dict[str, str]) -> Iterator[Outcome]:
    parsed = parse(entry, texts)
    yield from _unheld(parsed, Context(entry=entry))
    tree = list(_flat(parsed))
    if _is_htaccess(entry, tree):
        yield from _part(tree, Context(folder="/", entry=entry))
        return
    hosts = [one for one in tree if one.name == "virtualhost"]
    main = [one for one in tree if one.name != "virtualhost"]
    if not hosts:
        yield from _server(main, [], Context(entry=entry))
        return
    first: dict[tuple[str, ...], Directive] = {}
    for host in hosts:
        first.setdefault(host.args, host)
    chosen = set(map(id, first.values()))
    for host in [*(one for one in hosts if id(one) not in chosen), *first.values()]:
        inside = list(_flat(host.inside))
        named = id(host) not in chosen
        demands = _demands(host, inside, named)
        context = Context(demands, entry=entry)
        yield from _server(inside, main, context)
        yield from context.passes(host, Demand(), 404)
    yield from _server(main, [], Context(entry=entry))


def _flat(directives: tuple[Directive, ...]) -> Iterator[Directive]:
    """Without the containers that only ask whether something is there."""
    for one in directives:
        if one.name not in _OPEN:
            yield one
        elif _holds(one):
            yield from _flat(one.inside)


def _unheld(directives: tuple[Directive, ...], context: Context, why: str = "") -> Iterator[LineFault]:
    """The redirects of containers that are taken not to hold: they are named, not passed over."""
    for one in directives:
        if why and _redirects(one):
            yield context.fault(one, why, "audit it with what holds where it runs written out")
        inner = why
        if one.name == "ifversion" and not _holds(one) and _is_unreleased(one.args):
            continue
        if one.name in _OPEN and not why and not _holds(one):
            inner = f"it stands in <{one.name} {' '.join(one.args)}>, which is taken not to hold"
        yield from _unheld(one.inside, context, inner)


def _holds(one: Directive) -> bool:
    if one.name == "ifversion":
        return _version_holds(one.args)
    return not (one.args and one.args[0].startswith("!"))


def _is_unreleased(args: tuple[str, ...]) -> bool:
    """Whether no released Apache is asked for: 2.4 is the last there is."""
    return args[:1] in ((">",), (">=",), ("=",)) and args[1].startswith(("2.5", "2.6", "3"))


def _version_holds(args: tuple[str, ...]) -> bool:
    if len(args) < 2 or not re.fullmatch(r"[0-9.]+", args[1]):
        return True
    wanted = tuple(whole(part) for part in args[1].strip(".").split(".") if part)
    return {
        "<": wanted > _VERSION, "<=": wanted >= _VERSION, ">": wanted < _VERSION, ">=": wanted <= _VERSION,
    }.get(args[0], True)  # fmt: skip


def is_htaccess(entry: str, texts: Mapping[str, str]) -> bool:
    """Whether a configuration is taken for an .htaccess file."""
    return _is_htaccess(entry, list(_flat(parse(entry, texts))))


def _is_htaccess(entry: str, tree: list[Directive]) -> bool:
    if basename(entry).endswith("htaccess"):
        return True
    names = {one.name for one in tree}
    if names & {"virtualhost", "directory", "location", "locationmatch", "listen", "documentroot"}:
        return False
    patterns = [one.args[0] for one in tree if one.name == "rewriterule" and one.args]
    return "rewritebase" in names or bool(
        patterns and not any(pattern.lstrip("!").startswith(("^/", "/")) for pattern in patterns)
    )


def _demands(host: Directive, inside: list[Directive], named: bool) -> tuple[Demand, ...]:
    port = host.args[0].rpartition(":")[2] if host.args and ":" in host.args[0] else ""
    tls = any(one.name == "sslengine" and one.args and one.args[0].lower() == "on" for one in inside)
    scheme = {"80": "http", "443": "https"}.get(port, "https" if tls else "")
    own = Demand(scheme=scheme, port=None if port in ("", "*", "80", "443") or not port.isdecimal() else port)
    if not named:
        address = host.args[0].rpartition(":")[0] if port else "".join(host.args[:1])
        if re.fullmatch(r"[A-Za-z][\w.-]*", address):
            own = msgspec.structs.replace(own, host=_host(address.lower()))
        return (own,)
    names = [
        name.lower()
        for one in inside
        if one.name in ("servername", "serveralias")
        for name in (one.args[:1] if one.name == "servername" else one.args)
    ]
    texts = (_host(re.sub(r"^https?://|:[0-9]+$", "", name)) for name in names)
    return tuple(msgspec.structs.replace(own, host=text) for text in texts) or (own,)


def _host(name: str) -> Text:
    if name.startswith("*") and "*" not in name[1:]:
        return Text("suffix", name[1:])
    return Text("exact", name)


def _server(inside: list[Directive], main: list[Directive], context: Context) -> Iterator[Outcome]:
    """One server: mod_rewrite comes before mod_alias, both before what directories say."""
    found, base = rules(inside)
    aliases = list(redirects([*inside, *main], context))
    if aliases:
        aliases = [*proxied([*inside, *main], context), *aliases]
    behind = _answers([*inside, *main])
    followed = bool(aliases) or behind("")
    rewritten = list(rewrites(found, base, context, followed=followed, behind=behind))
    around = [*inside, *main]
    contained = [
        *_conditional(around, context),
        *(
            item
            for one in reversed([*main, *inside])
            if one.name in ("location", "locationmatch", "directory", "directorymatch")
            for item in _container(one, context, around)
        ),
    ]
    ordered = list(_ordered(rewritten, aliases, found, server=True))
    every = [*(rule.directive for rule in found if hands_on(rule)), *filter(hands_all_on, around)]
    cut = _handing_on(ordered, every, context.entry)
    yield from (*ordered[:cut], *contained, *ordered[cut:])
    yield from _elsewhere([*inside], context)


def _handing_on(ordered: list[Outcome], every: list[Directive], entry: str) -> int:
    """Where everything is handed on, to mod_proxy: what containers redirect is asked even then."""
    places = {(one.file, one.line) for one in every}
    found = (at for at, one in enumerate(ordered) if (one.file or entry, one.line) in places)
    return next(found, len(ordered))


def _answers(directives: list[Directive]) -> Answers:
    """Whether a redirect of mod_alias, or one in a container, may answer a path; "": whether a container has
    one at all."""
    containers = [one for one in directives if any(map(_redirects, _flat(one.inside)))]

    def answer(path: str) -> bool:
        if path == "":
            return bool(containers)
        return any(map(partial(_may_hold, path), containers)) or any(
            map(partial(may_answer, path), directives)
        )

    return answer


def _may_hold(path: str, container: Directive) -> bool:
    """Whether a path is of a <Location>; what redirects in other containers is listed: nothing is claimed."""
    written = container.args[-1] if container.args else ""
    if container.name == "location" and container.args[:1] != ("~",):
        return path.startswith(written)
    return container.name.startswith("location") and searched(written, path)


def _ordered(
    first: list[Outcome], aliases: list[Outcome], found: list[Written], server: bool
) -> Iterator[Outcome]:
    """Rewrites, then aliases; but where a rule ends the rewriting only, mod_alias is still asked: a `-` in a
    server, any rewriting in a directory."""
    soft = {
        (rule.directive.file, rule.directive.line)
        for rule in found
        if rule.status is None and not rule.flags.keys() & {"F", "G", "P"} and (rule.to == "-" or not server)
    }
    entry = found[0].directive.file if found else ""
    places = [place for place, one in enumerate(first) if (one.file or entry, one.line) in soft]
    cut = places[0] if places else len(first)
    yield from first[:cut]
    yield from aliases
    yield from first[cut:]


def _container(one: Directive, context: Context, around: list[Directive]) -> Iterator[Outcome]:
    inside = list(_flat(one.inside))
    path = one.args[-1] if one.args else ""
    if one.name == "location" and path.startswith("/") and not one.args[0].startswith("~"):
        yield from _part(inside, msgspec.structs.replace(context, location=path, folder=""))
        return
    if one.name == "locationmatch" or (one.name == "location" and one.args[:1] == ("~",)):
        found = _matching(path)
        if found is not None:
            yield from _part(inside, msgspec.structs.replace(context, regex=found, folder=""))
            return
    root = next((each.args[0] for each in around if each.name == "documentroot" and each.args), "")
    if one.name == "directory" and root and f"{path.rstrip('/')}/".startswith(f"{root.rstrip('/')}/"):
        folder = f"{path.rstrip('/')}/"[len(root.rstrip("/")) :]
        yield from _part(inside, msgspec.structs.replace(context, folder=folder))
        return
    redirecting = [each for each in inside if _redirects(each)]
    for each in redirecting:
        fact = f"it stands in <{one.name} {path}>, whose requests Detour cannot tell"
        yield context.fault(each, fact, "put it into the server, or into a <Location /path>")


def _matching(regex: str) -> Expression | None:
    """The paths of a <LocationMatch>; None where no one pattern says them."""
    try:
        found = expressions(regex, used=set(re.findall(r"\(\?P?<([A-Za-z_]\w*)>", regex)))
    except PatternError:
        return None
    return found[0] if len(found) == 1 else expression(regex, used=())


def _redirects(one: Directive) -> bool:
    flags = "".join(one.args[2:]).upper()
    return one.name in NAMES or (one.name == "rewriterule" and bool(re.search(r"\bR\b|REDIRECT", flags)))


def _part(inside: list[Directive], context: Context) -> Iterator[Outcome]:
    """A directory, a location or an .htaccess file."""
    found, base = rules(inside)
    if base and context.folder == "/":
        context = msgspec.structs.replace(context, folder=base)
    if context.in_location and any(_redirects(one) and one.name == "rewriterule" for one in inside):
        for rule in found:
            if rule.status is not None:
                fact = "a RewriteRule in a <Location>, where what it sees depends on the file system"
                yield from context.doubted(context.fault(rule.directive, fact, "put it into the server"))
        found = []
    aliases = [*_conditional(inside, context), *redirects(inside, context)]
    rewritten = list(rewrites(found, base, context, followed=bool(aliases)))
    yield from _ordered(rewritten, aliases, found, server=False)
    yield from _elsewhere(inside, context)


def _conditional(inside: list[Directive], context: Context) -> Iterator[Outcome]:
    """The redirects of mod_alias in `<If>`: it is merged last, so that they are asked first."""
    for one in reversed([each for each in inside if each.name == "if"]):
        within = list(_flat(one.inside))
        try:
            asked = expr.demands(" ".join(one.args))
            joined = tuple(both(own, ask) for own in context.demands for ask in asked)
            held = msgspec.structs.replace(
                context, demands=tuple(each for each in joined if each is not None)
            )
            yield from list(redirects(within, held)) if held.demands else ()
        except PatternError as error:
            for each in within:
                if each.name in NAMES:
                    fact = f"it stands in <if>: {error.fact}"
                    yield context.fault(each, fact, error.remedy)


def _elsewhere(inside: list[Directive], context: Context) -> Iterator[Outcome]:
    """What redirects depending on files or on what is answered."""
    for one in inside:
        if one.name == "errordocument" and len(one.args) > 1 and re.match(r"https?://", one.args[1]):
            fact = f"each {one.args[0]} becomes a redirect to {one.args[1]}, whatever the request"
            yield context.fault(one, fact, "name a path, or redirect the requests that are meant")
        elif one.name == "header" and "location" in map(str.lower, one.args[:4]):
            fact = "the line changes the Location of what is answered, which Detour does not know"
            yield context.fault(one, fact, "write the redirect itself")
        elif one.name in ("if", "elseif", "else", "files", "filesmatch"):
            for each in _flat(one.inside):
                if _redirects(each) and not (one.name == "if" and each.name in NAMES):
                    fact = f"it stands in <{one.name}>, whose requests Detour cannot tell"
                    yield context.fault(each, fact, "write it as RewriteCond and RewriteRule")
