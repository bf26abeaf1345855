"""nginx: a `server` for each host, a `location` for each pattern, `return` for each rule.

nginx looks for the exact location, then for the longest `^~` prefix, then for the first regular expression;
rules answer in file order. Both come to the same as long as an exact path or a prefix stands in front of
every regular expression that may match it too: where it stands behind one, it is written as a regular
expression itself. In a location stand all the rules that cover it, in their order, up to the first without
conditions.

Captures are taken from the target as it was sent (`$path_as_sent`): nginx matches decoded paths, and a
decoded capture in a Location would let `%0d%0a` break the response. So a path that is spelt in another way
than a URL parser would spell it (`/./`, `//`, `%61`) is not redirected where the Location needs a capture:
404.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

import msgspec
import re2

from detour.core.rule import FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Way, keeps_query, quoted, spell
from detour.formats.writers.writing import Cannot, Writing, Written

SAYS = frozenset({"methods", "header", "cookie", "cache", "retry-after", "headers"})

_REQUEST = {
    "url.hostname": "$host",
    "url.path": "$path_as_sent",
    "url.query": "$args",
    "url.scheme": "$scheme",
    "url.port": "$server_port",
}
_MAPS = {
    "$path_as_sent": 'map $request_uri $path_as_sent {\n    "~^(?<whole_path>[^?]*)" $whole_path;\n}\n',
    "$and_args": 'map $args $and_args {\n    "" "";\n    default "&$args";\n}\n',
    "$dollar": 'geo $dollar {\n    default "$";\n}\n',
}
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:~%*=&?@,+!^|()\[\]<>\-]+")


class _Step(msgspec.Struct, frozen=True):
    """One rule in a location: the tests it asks, and the line that answers."""

    way: Way
    tests: tuple[tuple[str, str], ...]  # (variable, regular expression of the whole of it)
    lines: tuple[str, ...]
    only_methods: bool  # whether nothing but the method is asked


class _Place(msgspec.Struct, frozen=True):
    """A location: `=` and `^~` with a path, `~` and `~*` with a regular expression."""

    kind: str
    text: str
    steps: tuple[_Step, ...]


def write(rules: Iterable[Rule], now: float) -> Written:
    """Lines for the `http` block; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[_Step](SAYS, now)
    steps = [step for _, found in writing.each(rules, _step) for step in found]
    servers = "\n".join(_servers(steps))
    maps = "".join(text for name, text in _MAPS.items() if name in servers.replace("${", "$"))
    return writing.written(f"{maps}\n{servers}" if maps else servers, _notes(steps))


def _notes(steps: list[_Step]) -> tuple[str, ...]:
    notes = []
    if any(step.way.scheme == "https" for step in steps):
        notes.append("`listen 443 ssl` needs `ssl_certificate` and `ssl_certificate_key`: yours")
    if any(test[0] == "$path_as_sent" for step in steps for test in step.tests):
        notes.append("a path spelt otherwise than URL parsers do (`/./`, `//`, `%61`) is answered with 404")
    return tuple(notes)


# --- one rule ----------------------------------------------------------------------------------------


def _step(way: Way) -> _Step | Cannot:
    rule = way.rule
    if way.query_regex:
        return Cannot("a pattern with a query")
    asked = tuple(_conditions(rule))
    if rule.template is None:
        return _Step(way, asked, (f"return {rule.status};",), _methods_alone(rule))
    tests = [*asked]
    number = 0
    slots = dict(_REQUEST) | dict.fromkeys(way.unmatched, "")
    used = {slot.name for slot in rule.template.slots}
    for variable, regex, groups in (
        ("$host", way.host_regex, way.host_groups),
        ("$path_as_sent", way.regex, way.groups),
    ):
        if used.isdisjoint(groups):
            continue
        tests.append((variable, regex))
        for name in groups:
            number += 1
            slots[name] = f"${number}"
    if number > 9:
        return Cannot("more than nine captures")
    location = spell(rule.template, _literal, slots)
    if isinstance(location, Slot):
        return Cannot(f"{{{location.name}}} in the Location")
    if keeps_query(rule):
        location = _with_args(location)
    fields = tuple(f"add_header {name} {_word(value)};" for name, value in _fields(rule))
    return _Step(
        way, tuple(tests), (*fields, f"return {rule.status} {_word(location)};"), _methods_alone(rule)
    )


def _methods_alone(rule: Rule) -> bool:
    return rule.terms.methods is not None and not rule.terms.when


def _conditions(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.terms.methods is not None:
        yield "$request_method", "|".join(sorted(rule.terms.methods))
    for one in rule.terms.when:
        assert isinstance(one, FieldCondition)
        name = one.name.replace("-", "_")
        variable = f"$http_{name}" if one.of == "header" else f"$cookie_{one.name}"
        yield variable, ".+" if one.values is None else "|".join(map(quoted, one.values))


def _fields(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.terms.cache is not None:
        yield "Cache-Control", f"max-age={rule.terms.cache}"
    if rule.terms.retry_after is not None:
        yield "Retry-After", str(rule.terms.retry_after)
    yield from rule.terms.headers


def _literal(text: str) -> str:
    return text.replace("$", "${dollar}")


def _with_args(location: str) -> str:
    before, mark, fragment = location.partition("#")
    return f"{before}{'$and_args' if '?' in before else '$is_args$args'}{mark}{fragment}"


def _word(text: str) -> str:
    """A word of nginx's: quoted where it must be, so that its lexer yields `text`."""
    if _PLAIN_WORD.fullmatch(text.replace("$", "")) and "${" not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# --- servers -----------------------------------------------------------------------------------------


class _Listen(msgspec.Struct, frozen=True, order=True):
    port: int
    tls: bool

    def takes(self, way: Way) -> bool:
        if way.scheme and (way.scheme == "https") != self.tls:
            return False
        return self.port == (int(way.port) if way.port else 443 if self.tls else 80)

    def __str__(self) -> str:
        return f"{self.port} ssl" if self.tls else str(self.port)


def _listens(steps: list[_Step]) -> list[_Listen]:
    found = set()
    for step in steps:
        way = step.way
        tls = way.scheme == "https"
        found.add(_Listen(int(way.port) if way.port else 443 if tls else 80, tls))
    return sorted(found)


def _servers(steps: list[_Step]) -> Iterator[str]:
    written: dict[tuple[str, str], list[_Listen]] = {}
    for listen in _listens(steps):
        own = [step for step in steps if listen.takes(step.way)]
        for host in _hosts(own):
            body = "\n".join(_server(_for_host(own, host)))
            written.setdefault((host, body), []).append(listen)
    for (host, body), listens in written.items():
        default = "" if host else " default_server"
        lines = "".join(f"    listen {listen}{default};\n" for listen in listens)
        named = f"    server_name {_server_name(host)};\n    absolute_redirect off;\n"
        yield f"server {{\n{lines}{named}\n{body}\n}}\n"


def _hosts(steps: list[_Step]) -> list[str]:
    """Each host that has a server of its own, and "": a host as in `Way`, or `~` and its expression."""
    found = dict.fromkeys(_host_of(step.way) for step in steps)
    return [*(host for host in found if host), ""]


def _host_of(way: Way) -> str:
    return way.host or (f"~^{way.host_regex}$" if way.host_regex else "")


def _server_name(host: str) -> str:
    return _word(host) if host else "_"


def _for_host(steps: list[_Step], host: str) -> list[_Step]:
    """The rules that a server must have: its own, and those of every host that includes it."""
    return [step for step in steps if _covers_host(step.way, host)]


def _covers_host(way: Way, host: str) -> bool:
    own = _host_of(way)
    if own in ("", host):
        return True
    if not host or host.startswith("~"):
        return False
    if own.startswith("~"):
        return bool(re2.fullmatch(way.host_regex, host))
    return own.startswith("*") and host.endswith(own[1:])


# --- locations ---------------------------------------------------------------------------------------


def _server(steps: list[_Step]) -> Iterator[str]:
    whole = False
    for place in _places(steps):
        whole |= (place.kind, place.text) == ("^~", "/")
        text = place.text if place.kind in ("=", "^~") else f"^{place.text}$"
        yield f"    location {place.kind} {_word(text)} {{"
        for line in _body(place.steps):
            yield f"        {line}"
        yield "    }"
    if not whole:
        yield "    location / {\n        return 404;\n    }"


def _places(steps: list[_Step]) -> Iterator[_Place]:
    exact: dict[str, list[int]] = {}
    prefix: dict[str, list[int]] = {}
    others: list[int] = []
    for number, step in enumerate(steps):
        kept = exact if step.way.exact is not None else prefix if step.way.prefix is not None else None
        if kept is None or step.way.rule.ignore_case:
            others.append(number)
        else:
            kept.setdefault(step.way.exact or step.way.prefix or "", []).append(number)
    seen: set[str] = set()
    regexes: list[Way] = []
    for step in steps:
        place = _place(step.way, regexes)
        if f"{place.kind} {place.text}" in seen:
            continue
        seen.add(f"{place.kind} {place.text}")
        covering = _covering(step.way, exact, prefix, others, steps)
        own = tuple(_inside(step, covering, steps))
        if step not in own:
            continue  # another answers all that it matches
        if place.kind.startswith("~"):
            regexes.append(step.way)
        yield msgspec.structs.replace(place, steps=own)


def _place(way: Way, regexes: list[Way]) -> _Place:
    """Where a rule goes: as what it is, unless a regular expression in front may match the same."""
    if not way.rule.ignore_case and (path := way.exact) is not None:
        if _is_decodable(path) and not any(_may_match(regex, path) for regex in regexes):
            return _Place("=", _decoded(path), ())
    elif not way.rule.ignore_case and (start := way.prefix) is not None:
        clear = not any(
            start.startswith(regex.fixed_start) or regex.fixed_start.startswith(start) for regex in regexes
        )
        if _is_decodable(start) and clear:
            return _Place("^~", _decoded(start), ())
    return _Place("~*" if way.rule.ignore_case else "~", _decoded_regex(way), ())


def _may_match(regex: Way, path: str) -> bool:
    flag = "(?i)" if regex.rule.ignore_case else ""
    return bool(re2.fullmatch(f"{flag}{regex.regex}", path))


def _covering(
    way: Way,
    exact: dict[str, list[int]],
    prefix: dict[str, list[int]],
    others: list[int],
    steps: list[_Step],
) -> set[int]:
    """The rules that match every path that `way` matches; itself among them."""
    text = way.exact if way.exact is not None else way.fixed_start
    found = {number for number, step in enumerate(steps) if step.way is way} if not text else set()
    found |= {number for end in range(len(text) + 1) for number in prefix.get(text[:end], ())}
    if way.exact is not None:
        found |= set(exact.get(text, ()))
        found |= {number for number in others if _may_match(steps[number].way, text)}
    found |= {
        number
        for number in others
        if steps[number].way.regex == way.regex and _folds(steps[number].way) >= _folds(way)
    }
    return found


def _folds(way: Way) -> bool:
    return way.rule.ignore_case


def _inside(step: _Step, covering: set[int], steps: list[_Step]) -> Iterator[_Step]:
    """What stands in the location of `step`, in order: the rules that cover it, up to one without conditions;
    and between, where a request may fall through, those that match some of its paths, asking for the path."""
    first = min(number for number, other in enumerate(steps) if other is step)
    for number in _candidates(first, covering, steps):
        other = steps[number]
        if number in covering:
            yield other
            if _is_settled(other.way.rule):
                return
        elif _may_overlap(other.way, step.way):
            yield _guarded(other)


def _candidates(first: int, covering: set[int], steps: list[_Step]) -> Iterable[int]:
    """The numbers to look at: `covering` alone where they settle it, else all behind the first of them."""
    settled = min((number for number in covering if _is_settled(steps[number].way.rule)), default=None)
    if settled is not None and settled <= first:
        return sorted(covering)
    behind = range(first + 1, len(steps) if settled is None else settled)
    return sorted({*covering, *behind})


def _is_settled(rule: Rule) -> bool:
    return rule.terms.methods is None and not rule.terms.when


def _may_overlap(way: Way, other: Way) -> bool:
    """Whether some path may fit both; for two that are no fixed text only their beginnings are compared."""
    if other.exact is not None:
        return _may_match(way, other.exact)
    if way.exact is not None:
        return _may_match(other, way.exact)
    mine, yours = way.fixed_start, other.fixed_start
    if way.rule.ignore_case or other.rule.ignore_case:
        mine, yours = mine.lower(), yours.lower()
    return mine.startswith(yours) or yours.startswith(mine)


def _guarded(step: _Step) -> _Step:
    """The step with its path among its tests."""
    if any(variable == "$path_as_sent" for variable, _ in step.tests):
        return step
    return msgspec.structs.replace(step, tests=(*step.tests, ("$path_as_sent", step.way.regex)))


def _body(steps: tuple[_Step, ...]) -> Iterator[str]:
    for step in steps:
        if not step.tests:
            yield from step.lines
            return
        variables = [variable for variable, _ in step.tests]
        flag = "~*" if step.way.rule.ignore_case else "~"
        if len(variables) == 1:
            [(variable, regex)] = step.tests
            yield f"if ({variable} {flag} {_word(_whole(variable, regex))}) {{"
        else:
            yield f'set $asked "{" ".join(variables)}";'
            regex = " ".join(_part(variable, regex) for variable, regex in step.tests)
            yield f"if ($asked {flag} {_word(f'^{regex}$')}) {{"
        yield from (f"    {line}" for line in step.lines)
        yield "}"
    yield "return 405;" if all(step.only_methods for step in steps) else "return 404;"


def _whole(variable: str, regex: str) -> str:
    return f"^{_part(variable, regex)}$"


def _part(variable: str, regex: str) -> str:
    return f"(?:{regex})" if "|" in regex and variable != "$path_as_sent" else regex


# --- text as nginx matches it ------------------------------------------------------------------------


def _is_decodable(path: str) -> bool:
    """Whether the decoded path can be written as a word: printable, and UTF-8."""
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return text.isprintable()


def _decoded(path: str) -> str:
    return unquote_to_bytes(path).decode()


def _decoded_regex(way: Way) -> str:
    """The regular expression of a path, for decoded ones: what it spells as octets becomes their escapes."""
    return re.sub(r"%([0-9A-Fa-f]{2})", r"\\x\1", way.regex)
