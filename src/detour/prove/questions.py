"""The requests that tell two readings of the same rules apart: pure, and the same every time.

For each rule: what its pattern just matches and just does not, each kind of content its gaps may have, other
spellings of the same path, a query, another host, the other scheme, each method that matters, and its
conditions met and missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

import msgspec

from detour.core.rule import ClientCondition, FieldCondition, Rule
from detour.core.url import URL
from detour.errors import URLError
from detour.formats.writers.ways import Gap, Way, ways
from detour.prove.samples import fits, samples

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
QUERIES = ("", "?a=1", "?a=1&b=%20c&a=2")
ANY_HOST = "any.example"

_SOME_HOSTS = (ANY_HOST, "a.example.com", "www.example.com", "example.com", "example.org")
_MOST_OF_A_RULE = 60
_SEGMENTS = ("7", "a-b_c~", "%C3%A9", "a%20b", "")
_RESTS = ("", "x", "x/y.html", "a%20b/%C3%A9", "x/")
_HOST = re.compile(r"[A-Za-z0-9.-]+")


class Question(msgspec.Struct, frozen=True):
    """One request; what goes on the wire and what Detour is asked are made of it."""

    method: str
    scheme: str
    authority: str  # the Host field
    target: str  # path and query, as sent
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def __str__(self) -> str:
        fields = "".join(f" -H '{name}: {value}'" for name, value in self.fields)
        return f"{self.method} {self.url}{fields}"


def questions(rules: Iterable[Rule], schemes: Iterable[str] = ("http",)) -> Iterator[Question]:
    """What to ask about `rules`, each once; only over the `schemes` that can be asked."""
    asked = tuple(schemes)
    seen: set[Question] = set()
    for rule in rules:
        for way in ways(rule):
            for question in islice(_of_way(way, asked), _MOST_OF_A_RULE):
                if question not in seen:
                    seen.add(question)
                    yield question


def _of_way(way: Way, asked: tuple[str, ...]) -> Iterator[Question]:
    met = _conditions(way.rule)
    hosts = tuple(_hosts(way))
    schemes = [scheme for scheme in asked if way.scheme in ("", scheme)] or list(asked)
    base = [Question("GET", scheme, hosts[0], "", met) for scheme in schemes]
    paths = [*dict.fromkeys((*_paths(way), *_near(way)))]
    queries = tuple(dict.fromkeys((*_matching_queries(way), *QUERIES)))
    for place, path in enumerate(paths):
        for question in base:
            yield _replace(question, target=path + queries[place % len(queries)])
    first = paths[0]
    for query in queries:
        yield _replace(base[0], target=first + query)
    for method in (*METHODS, *sorted(way.rule.terms.methods or ())):
        yield _replace(base[0], method=method, target=first + queries[0])
    for host, scheme in product(hosts, asked):
        yield _replace(base[0], authority=host, scheme=scheme, target=first + queries[0])
    if met:
        yield _replace(base[0], target=first, fields=())
        yield _replace(base[0], target=first, fields=tuple((name, f"{value}x") for name, value in met))


def _replace(question: Question, **keys: object) -> Question:
    return msgspec.structs.replace(question, **keys)


def _hosts(way: Way) -> Iterator[str]:
    port = f":{way.port}" if way.port else ""
    if way.host.startswith("*"):
        yield f"a{way.host[1:]}{port}"
        yield f"a.b{way.host[1:]}{port}"
        yield f"{way.host[2:]}{port}"
    elif way.host:
        yield f"{way.host}{port}"
        yield f"{way.host.upper()}{port}"
    elif way.host_regex:
        known = (host for host in (ANY_HOST, "a.example.com", "www.a.b") if fits(way.host_regex, host))
        yield from (f"{host}{port}" for host in (*known, *samples(way.host_regex)) if _is_name(host))
    yield f"{ANY_HOST}{port}"


def _is_name(host: str) -> bool:
    """Whether a URL parser leaves a host as it is: `2026` would be an address (WHATWG URL §3.5)."""
    try:
        return _HOST.fullmatch(host) is not None and URL.parse(f"http://{host}/").hostname == host.lower()
    except URLError:
        return False


def _paths(way: Way) -> Iterator[str]:
    """Paths that it matches, and those that its gaps make it miss."""
    if way.path:
        yield from _filled(way.path)
    else:
        yield from [path for path in samples(way.regex) if path.startswith("/")] or ("/",)


def _filled(path: tuple[str | Gap, ...]) -> Iterator[str]:
    kinds = {"segment": _SEGMENTS, "rest": _RESTS}
    gaps = [kinds[piece.kind] for piece in path if isinstance(piece, Gap)]
    most = max(map(len, gaps), default=1)
    for turn in range(most):
        values = iter([kind[(turn + place) % len(kind)] for place, kind in enumerate(gaps)])
        yield "".join(piece if isinstance(piece, str) else next(values) for piece in path)


def _near(way: Way) -> Iterator[str]:
    """Paths next to those that it matches, and other spellings of them."""
    path = next(iter(_paths(way)))
    yield path + "x"
    yield path[:-1] if len(path) > 1 else "/x"
    yield path.removesuffix("/") + ("" if path.endswith("/") and path != "/" else "/")
    yield path.upper() if path.upper() != path else path.lower()
    letter = re.search(r"[a-z](?!.*[a-z])", path)
    if letter:
        yield f"{path[: letter.start()]}%{ord(letter[0]):02x}{path[letter.end() :]}"
    yield "/./" + path[1:]
    yield "/x" + path
    yield path.replace("/", "//", 1) if path.count("/") > 1 else path + "//"


def _matching_queries(way: Way) -> Iterator[str]:
    asked = [f"{one.name}={one.value or 'v'}" for one in way.rule.parameters]
    asked += [
        f"{one.name}={one.values[0] if one.values else 'v'}"
        for one in way.rule.terms.when
        if isinstance(one, FieldCondition) and one.of == "query"
    ]
    if asked:
        yield "?" + "&".join(asked)
    if way.query_regex:
        yield from (f"?{text}" for text in samples(way.query_regex))


def _conditions(rule: Rule) -> tuple[tuple[str, str], ...]:
    """Fields that meet the rule's conditions."""
    fields, cookies = [], []
    for one in rule.terms.when:
        if isinstance(one, ClientCondition) or one.of == "query":
            continue
        value = one.values[0] if one.values else "v"
        if one.of == "cookie":
            cookies.append(f"{one.name}={value}")
        else:
            fields.append((one.name, value))
    return (*fields, *([("cookie", "; ".join(cookies))] if cookies else []))
