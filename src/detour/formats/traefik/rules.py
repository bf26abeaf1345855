"""Rules of Traefik's routers as alternatives of demands (pkg/rules/parser.go, pkg/muxer/http/matcher.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import msgspec

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, FieldCondition
from detour.errors import PatternError
from detour.formats.alternatives import Alternatives, all_of, denied, one_of
from detour.formats.demand import Demand, Text, of_regex
from detour.formats.traefik.sources import UNKNOWN

MOST_DEPTH = 50  # of brackets and negations
ANY_PORT = "*"

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z]+)\s*\(|(?P<text>`[^`]*`|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<mark>&&|\|\||[!(),]))"
)
Token = tuple[str, str]


def alternatives(rule: str) -> Alternatives:
    """What a rule asks for: one of these; raises `PatternError`."""
    if UNKNOWN in rule:
        raise PatternError("the rule holds a variable of the environment", "write its value")
    reader = _Parser(list(_tokens(rule)))
    found = reader.either(0)
    if reader.place != len(reader.tokens):
        raise _broken(rule)
    return found


def _broken(rule: str) -> PatternError:
    return PatternError(f"{rule!r} is no rule of Traefik's", "write Host(`example.com`) && PathPrefix(`/`)")


def _tokens(rule: str) -> Iterator[Token]:
    place, end = 0, len(rule.rstrip())
    while place < end:
        found = _TOKEN.match(rule, place)
        if found is None:
            raise _broken(rule)
        place = found.end()
        kind = found.lastgroup or ""
        text = found[kind]
        if kind == "text":
            text = text[1:-1] if text[0] == "`" else re.sub(r"\\(.)", r"\1", text[1:-1])
        yield kind, text


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0

    def _next(self, *marks: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place] in [("mark", mark) for mark in marks]:
            self.place += 1
            return True
        return False

    def either(self, depth: int, *, negated: bool = False) -> Alternatives:
        terms = [self._both(depth, negated)]
        while self._next("||"):
            terms.append(self._both(depth, negated))
        return all_of(terms) if negated else one_of(terms)

    def _both(self, depth: int, negated: bool) -> Alternatives:
        terms = [self._one(depth, negated)]
        while self._next("&&"):
            terms.append(self._one(depth, negated))
        return one_of(terms) if negated else all_of(terms)

    def _one(self, depth: int, negated: bool) -> Alternatives:
        if depth > MOST_DEPTH:
            raise PatternError("a rule of too many brackets", "write it flatter")
        if self._next("!"):
            return self._one(depth + 1, not negated)
        if self._next("("):
            found = self.either(depth + 1, negated=negated)
            self._close()
            return found
        kind, name = self.tokens[self.place] if self.place < len(self.tokens) else ("", "nothing")
        if kind != "name":
            raise PatternError(f"{name!r} where a matcher belongs", "write Host(`example.com`) or the like")
        self.place += 1
        found = _matcher(name, self._values())
        return denied(found) if negated else found

    def _values(self) -> tuple[str, ...]:
        values = []
        while self.place < len(self.tokens) and self.tokens[self.place][0] == "text":
            values.append(self.tokens[self.place][1])
            self.place += 1
            if not self._next(","):
                break
        self._close()
        return tuple(values)

    def _close(self) -> None:
        if not self._next(")"):
            raise PatternError("a bracket that is not closed", "write `)`")


# ---- matchers


def _matcher(name: str, values: tuple[str, ...]) -> Alternatives:
    reader = _MATCHERS.get(name.lower())
    if reader is None:
        raise PatternError(f"`{name}` is no condition that Detour knows", f"use {', '.join(_KNOWN)}")
    if not values:
        raise PatternError(f"`{name}` without a value", f"write {name}(`…`)")
    return reader(values)


def _hosts(values: tuple[str, ...]) -> Alternatives:
    return tuple(Demand(host=Text("exact", value.lower().rstrip("."))) for value in values)


def _host_expressions(values: tuple[str, ...]) -> Alternatives:
    return tuple(Demand(host=text) for value in values for text in of_regex(_braced(value), ignore_case=True))


def _paths(values: tuple[str, ...]) -> Alternatives:
    return tuple(Demand(path=_path("exact", value)) for value in map(_unbraced, values))


def _prefixes(values: tuple[str, ...]) -> Alternatives:
    return tuple(
        Demand() if value == "/" else Demand(path=_path("prefix", value)) for value in map(_unbraced, values)
    )


def _path(kind: str, value: str) -> Text:
    if not value.startswith("/"):
        raise PatternError(f"no path begins with {value!r}", f"write `/{value}`")
    return Text(kind, value)  # type: ignore[arg-type]


def _path_expressions(values: tuple[str, ...]) -> Alternatives:
    return tuple(Demand(path=text) for value in values for text in of_regex(value))


def _braced(value: str) -> str:
    """v2's `{name:regex}` as a regular expression of the whole; v3's are expressions that find."""
    if not re.search(r"\{\w+(?::[^{}]*)?\}", value) or re.search(r"[\^$\\(]", value.split("{")[0]):
        return value
    parts = re.split(r"\{\w+(?::((?:[^{}]|\{[0-9,]+\})*))?\}", value)
    made = re.escape(parts[0])
    for expression, text in zip(parts[1::2], parts[2::2], strict=True):
        made += f"(?:{expression or '[^.]+'}){re.escape(text)}"
    return f"^{made}$"


def _unbraced(value: str) -> str:
    if "{" in value:
        raise PatternError("a path with an expression in braces, of v2", "write PathRegexp(`…`)")
    return value


def _methods(values: tuple[str, ...]) -> Alternatives:
    return (Demand(methods=frozenset(value.upper() for value in values) & METHODS),)


def _headers(values: tuple[str, ...]) -> Alternatives:
    if len(values) != 2:
        raise PatternError("`Header` takes a name and a value", "write Header(`name`, `value`)")
    name, value = values
    if name.lower() == "host":
        return _hosts((value,))
    return (Demand(when=(FieldCondition(name.lower(), (value,), "header"),)),)


def _parameters(values: tuple[str, ...]) -> Alternatives:
    if len(values) == 2 and "=" not in values[0]:
        return (Demand(when=(FieldCondition(values[0], (values[1],), "query"),)),)
    pairs = [value.partition("=") for value in values]  # v2: Query(`a=b`, `c=d`)
    return (Demand(when=tuple(FieldCondition(name, (text,), "query") for name, _, text in pairs)),)


def _expressions_of(of: str) -> Callable[[tuple[str, ...]], Alternatives]:
    def read(values: tuple[str, ...]) -> Alternatives:
        if len(values) != 2:
            raise PatternError("an expression without a name", "write the name, and the expression")
        name = values[0].lower() if of == "header" else values[0]
        if values[1] in (".*", ".+", "^.*$", "^.+$", ""):
            return (Demand(when=(FieldCondition(name, None, of),)),)  # type: ignore[arg-type]
        texts = of_regex(values[1])
        if not all(text.kind == "exact" for text in texts):
            raise PatternError(f"{name} is matched by an expression", "list the whole values")
        wanted = tuple(text.text for text in texts)
        return (Demand(when=(FieldCondition(name, wanted, of),)),)  # type: ignore[arg-type]

    return read


def _clients(values: tuple[str, ...]) -> Alternatives:
    try:
        networks = tuple(str(ip_network(value, strict=False)) for value in values)
    except ValueError as error:
        raise PatternError(f"no network: {error}", "write an address or a network") from None
    return (Demand(when=(ClientCondition(networks),)),)


_MATCHERS: dict[str, Callable[[tuple[str, ...]], Alternatives]] = {
    "host": _hosts,
    "hostheader": _hosts,
    "hostregexp": _host_expressions,
    "path": _paths,
    "pathprefix": _prefixes,
    "pathregexp": _path_expressions,
    "method": _methods,
    "header": _headers,
    "headers": _headers,
    "headerregexp": _expressions_of("header"),
    "headersregexp": _expressions_of("header"),
    "query": _parameters,
    "queryregexp": _expressions_of("query"),
    "clientip": _clients,
}
_KNOWN = ("Host", "HostRegexp", "Path", "PathPrefix", "PathRegexp", "Method", "Header", "Query", "ClientIP")


def at_any_port(demand: Demand) -> Demand:
    """A demand whose host may have any port: Traefik compares hosts without it."""
    return demand if demand.host is None else msgspec.structs.replace(demand, port=ANY_PORT)
