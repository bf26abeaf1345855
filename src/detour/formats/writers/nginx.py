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

import msgspec
import re2

from detour.core.rule import FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.nginx_places import Step, places
from detour.formats.writers.ways import NO_QUERY, Way, keeps_query, quoted, spell
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


def write(rules: Iterable[Rule], now: float) -> Written:
    """Lines for the `http` block; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[Step](SAYS, now)
    steps = [step for _, found in writing.each(rules, _step) for step in found]
    servers = "\n".join(_servers(steps))
    maps = "".join(text for name, text in _MAPS.items() if name in servers.replace("${", "$"))
    return writing.written(f"{maps}\n{servers}" if maps else servers, _notes(steps))


def _notes(steps: list[Step]) -> tuple[str, ...]:
    notes = []
    if any(step.way.scheme == "https" for step in steps):
        notes.append("`listen 443 ssl` needs `ssl_certificate` and `ssl_certificate_key`: yours")
    if any(test[0] == "$path_as_sent" for step in steps for test in step.tests):
        notes.append("a path spelt otherwise than URL parsers do (`/./`, `//`, `%61`) is answered with 404")
    return tuple(notes)


# --- one rule ----------------------------------------------------------------------------------------


def _step(way: Way) -> Step | Cannot:
    rule = way.rule
    if way.query_regex not in ("", NO_QUERY):
        return Cannot("a pattern with a query")
    asked = (*_conditions(rule), *((("$args", ""),) if way.query_regex else ()))
    if rule.template is None:
        return Step(way, asked, (f"return {rule.status};",), _methods_alone(rule))
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
    return Step(
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


def _listens(steps: list[Step]) -> list[_Listen]:
    found = set()
    for step in steps:
        way = step.way
        tls = way.scheme == "https"
        found.add(_Listen(int(way.port) if way.port else 443 if tls else 80, tls))
    return sorted(found)


def _servers(steps: list[Step]) -> Iterator[str]:
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


def _hosts(steps: list[Step]) -> list[str]:
    """Each host that has a server of its own, and "": a host as in `Way`, or `~` and its expression."""
    found = dict.fromkeys(_host_of(step.way) for step in steps)
    return [*(host for host in found if host), ""]


def _host_of(way: Way) -> str:
    return way.host or (f"~^{way.host_regex}$" if way.host_regex else "")


def _server_name(host: str) -> str:
    return _word(host) if host else "_"


def _for_host(steps: list[Step], host: str) -> list[Step]:
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


def _server(steps: list[Step]) -> Iterator[str]:
    whole = False
    for place in places(steps):
        whole |= (place.kind, place.text) == ("^~", "/")
        text = place.text if place.kind in ("=", "^~") else f"^{place.text}$"
        yield f"    location {place.kind} {_word(text)} {{"
        for line in _body(place.steps):
            yield f"        {line}"
        yield "    }"
    if not whole:
        yield "    location / {\n        return 404;\n    }"


def _body(steps: tuple[Step, ...]) -> Iterator[str]:
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
