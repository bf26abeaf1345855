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
import re2

from detour.core.rule import ClientCondition, FieldCondition, Rule
from detour.formats.writers.ways import Gap, Way, ways

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
QUERIES = ("", "?a=1", "?a=1&b=%20c&a=2")
ANY_HOST = "any.example"

_SOME_HOSTS = (ANY_HOST, "a.example.com", "www.example.com", "example.com", "example.org")
_MOST_OF_A_RULE = 60
_SEGMENTS = ("7", "a-b_c~", "%C3%A9", "a%20b", "")
_RESTS = ("", "x", "x/y.html", "a%20b/%C3%A9", "x/")
_TEXTS = ("1", "12", "2026", "abc", "a-b", "A", "0", "", "a/b", "x.html", "index", "en")


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
        yield from (
            f"{host}{port}" for host in _fitting(way.host_regex, (ANY_HOST, "a.example.com", "www.a.b"))
        )
    yield f"{ANY_HOST}{port}"


def _paths(way: Way) -> Iterator[str]:
    """Paths that it matches, and those that its gaps make it miss."""
    if way.path:
        yield from _filled(way.path)
    else:
        yield from _fitting(way.regex, _sampled(way.regex)) or ("/",)


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


_GROUP = re.compile(r"\((?!\?)((?:[^()\\]|\\.|\(\?:[^()]*\))*)\)")


def _sampled(regex: str) -> Iterator[str]:
    """Texts a regular expression of a path may match: each of its groups filled with a text that fits it."""
    groups = [found[1] for found in _GROUP.finditer(regex)]
    choices = [[text for text in _TEXTS if _fits(group, text)][:3] or [""] for group in groups]
    skeleton = _GROUP.sub("\0", regex)
    skeleton = re.sub(r"\(\?:([^()|]*)\)[?*]?", r"\1", skeleton)
    skeleton = re.sub(r"\\(.)", r"\1", skeleton).replace(".*", "x")
    for values in islice(product(*choices), 9):
        filling = iter(values)
        yield re.sub("\0", lambda _: next(filling), skeleton)  # noqa: B023 (consumed at once)


def _fitting(regex: str, texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in texts if _fits(regex, text))


def _fits(regex: str, text: str) -> bool:
    try:
        return bool(re2.fullmatch(regex, text))
    except re2.error:
        return False


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
        yield from (f"?{text}" for text in _fitting(way.query_regex, _sampled(way.query_regex)))


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
