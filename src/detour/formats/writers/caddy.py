"""Caddy: a Caddyfile with one `redir` for each rule, in their order, inside a `route` that keeps it.

Caddy's `path` matcher compares decoded and cleaned paths without case, so paths are matched with
`vars_regexp` on `{http.request.uri}`, which is the target as it was sent; its captures are what the Location
is made of. Of several `vars_regexp` in one matcher any will do, so hosts are matched by `header_regexp`, of
which all must.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from detour.core.rule import ClientCondition, Condition, FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Way, keeps_query, quoted, spell
from detour.formats.writers.writing import Cannot, Writing, Written

SAYS = frozenset({"methods", "header", "cookie", "client", "unless", "cache", "retry-after", "headers"})

_URI = "{http.request.uri}"
_REQUEST = {
    "url.hostname": "{host}",
    "url.query": "{query}",
    "url.scheme": "{scheme}",
    "url.port": "{port}",
}


def write(rules: Iterable[Rule], now: float) -> Written:
    """A Caddyfile; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[Way, str]](SAYS, now)
    blocks: list[str] = []
    limited: list[str] = []
    schemes = {"http"}
    for number, (rule, found) in enumerate(writing.each(rules, _redir)):
        for place, (way, answer) in enumerate(found):
            name = f"r{number}_{place}"
            schemes.add(way.scheme or "http")
            blocks.append(_block(name, way, answer))
            if rule.terms.methods is not None:
                limited.append(_matcher(f"{name}_any", name, _where(way, name)))
                limited.append(f"        respond @{name}_any 405")
    body = "\n".join([*blocks, *limited, "        respond 404"])
    sites = "".join(f"{scheme}:// {{\n    route {{\n{body}\n    }}\n}}\n" for scheme in sorted(schemes))
    return writing.written(sites)


def _redir(way: Way) -> tuple[Way, str] | Cannot:
    """The rule's answer, with `NAME` where its matcher's name goes."""
    rule = way.rule
    if way.query_regex or way.port:
        return Cannot("a pattern with a query" if way.query_regex else "a port of its own")
    if rule.template is None:
        return way, f"respond @NAME {rule.status}"
    slots = {**_REQUEST, **dict.fromkeys(way.unmatched, "")}
    slots |= {name: f"{{re.NAME.{number}}}" for number, name in enumerate(("url.path", *way.groups), start=1)}
    slots |= {name: f"{{re.NAME_host.{number}}}" for number, name in enumerate(way.host_groups, start=1)}
    location = spell(rule.template, _literal, slots)
    if isinstance(location, Slot):
        return Cannot(f"{{{location.name}}} in the Location")
    added = ""
    if keeps_query(rule):
        before, mark, fragment = location.partition("#")
        if "?" in before:  # `&` only where there is a query: a matcher of its own, in front
            both = _word(f"{before}&{{query}}{mark}{fragment}")
            added = f"redir @NAME_query {both} {rule.status}\n        "
        else:
            location = f"{before}{{http.request.uri.prefixed_query}}{mark}{fragment}"
    fields = "".join(f"header @NAME {name} {_word(value)}\n        " for name, value in _fields(rule))
    return way, f"{fields}{added}redir @NAME {_word(location)} {rule.status}"


def _block(name: str, way: Way, answer: str) -> str:
    lines = [*_where(way, name), *_conditions(way.rule, name)]
    matcher = _matcher(name, way.rule.name, lines)
    if "@NAME_query" in answer:
        asked = [line.replace(r"(?:\?.*)?$", r"\?.+$") for line in lines]
        matcher = f"{_matcher(f'{name}_query', way.rule.name, asked)}\n{matcher}"
    return f"{matcher}\n        {answer.replace('NAME', name)}"


def _matcher(name: str, rule: str, lines: Iterable[str]) -> str:
    inside = "".join(f"            {line}\n" for line in lines) or "            path *\n"
    return f"        # {rule}\n        @{name} {{\n{inside}        }}"


def _where(way: Way, name: str) -> Iterator[str]:
    if way.scheme:
        yield f"protocol {way.scheme}"
    host = way.host_regex or (quoted(way.host) if way.host else "")
    if host:
        yield f'header_regexp {name}_host Host "(?i)^{_escaped(host)}(?::[0-9]+)?$"'
    fold = "(?i)" if way.rule.ignore_case else ""
    regex = _without_query(way.regex)
    yield f'vars_regexp {name} {_URI} "{fold}^({_escaped(regex)})(?:\\?.*)?$"'


def _without_query(regex: str) -> str:
    """A regular expression of a path that does not run over into the query."""
    return regex.replace("(.*)", "([^?]*)").replace("[^/]", "[^/?]").replace("[^\\/]", "[^/?]")


def _conditions(rule: Rule, name: str) -> Iterator[str]:
    if rule.terms.methods is not None:
        yield f"method {' '.join(sorted(rule.terms.methods))}"
    for number, one in enumerate(rule.terms.when):
        yield _test(one, f"{name}_{number}")
    for number, one in enumerate(rule.terms.unless):
        yield f"not {_test(one, f'{name}_not{number}')}"


def _test(condition: Condition, name: str) -> str:
    if isinstance(condition, ClientCondition):
        return f"remote_ip {' '.join(condition.networks)}"
    assert isinstance(condition, FieldCondition)
    if condition.of == "cookie":
        values = "[^;]*" if condition.values is None else "|".join(map(quoted, condition.values))
        cookie = f"(?:^|;)\\s*{quoted(condition.name)}=(?:{values})(?:;|$)"
        return f'header_regexp {name} Cookie "{_escaped(cookie)}"'
    if condition.values is None:
        return f"header {condition.name} *"
    values = "|".join(map(quoted, condition.values))
    return f'header_regexp {name} {condition.name} "{_escaped(f"^(?:{values})$")}"'


def _fields(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.terms.cache is not None:
        yield "Cache-Control", f"max-age={rule.terms.cache}"
    if rule.terms.retry_after is not None:
        yield "Retry-After", str(rule.terms.retry_after)
    yield from rule.terms.headers


def _literal(text: str) -> str:
    return re.sub(r"[{}]", r"\\\g<0>", text)


def _word(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Inside quotes of a Caddyfile: only a quote needs its backslash."""
    return text.replace('"', '\\"')
