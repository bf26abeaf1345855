"""Caddy's `expression`, as far as it speaks of what other matchers do (modules/caddyhttp/celmatcher.go).

Read: `path(…)`, `path_regexp(…)`, `host(…)`, `method(…)`, `protocol(…)`, `header({…})`, `query({…})`,
`header_regexp(…)`, `remote_ip(…)`, `client_ip(…)`; `==`, `!=`, `in`, `startsWith`, `endsWith`, `matches` of
`{path}`, `{host}`, `{method}`, `{scheme}`, `{query}`, `{header.NAME}`; `&&`, `||`, `!`, brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from detour.core.message import METHODS
from detour.core.rule import FieldCondition
from detour.errors import PatternError
from detour.formats.caddy.model import ALWAYS, Case, Cases, Unknown
from detour.formats.demand import Demand, Kind, Text

MAX_DEPTH = 50  # of brackets in brackets

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<var>\{[\w.-]+\})|(?P<name>\w+)"""
    r"""|(?P<sign>&&|\|\||==|!=|[!()\[\]{},:.]))"""
)
_CALLS = ("path", "path_regexp", "host", "method", "protocol", "header_regexp", "remote_ip", "client_ip")
_MAPS = ("header", "query")
_KINDS: dict[str, Kind] = {"==": "exact", "startsWith": "prefix", "endsWith": "suffix", "contains": "part"}
_SHORT = {
    "{http.request.uri.path}": "{path}",
    "{http.request.host}": "{host}",
    "{http.request.method}": "{method}",
    "{http.request.scheme}": "{scheme}",
    "{http.request.uri.query}": "{query}",
}
_HEADER = re.compile(r"\{(?:http\.request\.)?header\.([\w-]+)\}")

Matcher = Callable[[str, tuple[tuple[str, ...], ...]], Cases]
All = Callable[[list[Cases]], Cases]


def cases_of(text: str, matcher: Matcher, all_of: All, negated: Callable[[Cases], Cases]) -> Cases:
    """What an expression asks for; raises `PatternError`. `matcher` reads a matcher by its name and lines."""
    parser = _Parser(text, matcher, all_of, negated)
    found = parser.any(0)
    if parser.token is not None:
        raise parser.unknown()
    return found


class _Parser:
    def __init__(self, text: str, matcher: Matcher, all_of: All, negated: Callable[[Cases], Cases]) -> None:
        self.text = text
        self.matcher, self.all_of, self.negated = matcher, all_of, negated
        self.at = 0
        self.kind, self.token = "", ""  # type: str, str | None
        self._next()

    def unknown(self) -> PatternError:
        return PatternError(
            f"the expression {self.text!r}, which Detour does not take apart",
            "use matchers: path, host, method, header, query, protocol",
        )

    def _next(self) -> None:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            if self.text[self.at :].strip():
                raise self.unknown()
            self.kind, self.token = "", None
            return
        self.at = found.end()
        self.kind = str(found.lastgroup)
        self.token = found[self.kind]

    def _take(self, token: str) -> bool:
        if self.token != token or self.kind == "text":
            return False
        self._next()
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self.unknown()

    def _string(self) -> str:
        if self.kind != "text" or self.token is None:
            raise self.unknown()
        quote, text = self.token[0], self.token[1:-1]
        self._next()
        return text if quote == "`" else re.sub(r"\\(.)", r"\1", text)

    # ---- conditions

    def any(self, depth: int) -> Cases:
        if depth > MAX_DEPTH:
            raise self.unknown()
        found = [self._all(depth)]
        while self._take("||"):
            found.append(self._all(depth))
        made: list[Case] = []
        for one in found:
            if isinstance(one, Unknown):
                return one
            made += one
        return tuple(made)

    def _all(self, depth: int) -> Cases:
        found = [self._one(depth)]
        while self._take("&&"):
            found.append(self._one(depth))
        return self.all_of(found)

    def _one(self, depth: int) -> Cases:
        if self._take("!"):
            return self.negated(self._one(depth))
        if self._take("("):
            found = self.any(depth + 1)
            self._expect(")")
            return found
        if self.kind == "var":
            return self._compared()
        if self.kind != "name" or self.token is None:
            raise self.unknown()
        name = self.token
        self._next()
        if name in ("true", "false"):
            return ALWAYS if name == "true" else ()
        self._expect("(")
        if name in _MAPS:
            return self.all_of([self.matcher(name, (line,)) for line in self._map(name)])
        if name not in _CALLS:
            raise self.unknown()
        values = self._strings(")")
        return self.matcher(name, (values,))

    def _strings(self, end: str) -> tuple[str, ...]:
        values = []
        while not self._take(end):
            values.append(self._string())
            if self.token != end:
                self._expect(",")
        return tuple(values)

    def _map(self, name: str) -> list[tuple[str, ...]]:
        """The lines of a matcher that `{'key': 'value', …}` is; a list holds several values."""
        lines: list[tuple[str, ...]] = []
        self._expect("{")
        while not self._take("}"):
            key = self._string()
            self._expect(":")
            values = self._strings("]") if self._take("[") else (self._string(),)
            lines.append((key, *values) if name == "header" else tuple(f"{key}={value}" for value in values))
            if self.token != "}":
                self._expect(",")
        self._expect(")")
        return lines

    def _compared(self) -> Cases:
        variable = str(self.token)
        self._next()
        if self._take("."):
            method = str(self.token)
            self._next()
            self._expect("(")
            [*values] = self._strings(")")
            if len(values) != 1:
                raise self.unknown()
            return self._tested(variable, method, values)
        if self.token == "in" and self.kind == "name":
            self._next()
            self._expect("[")
            return self._tested(variable, "==", list(self._strings("]")))
        sign = self.token
        if sign not in ("==", "!="):
            raise self.unknown()
        self._next()
        found = self._tested(variable, "==", [self._string()])
        return self.negated(found) if sign == "!=" else found

    def _tested(self, variable: str, how: str, values: list[str]) -> Cases:
        """What a variable must be, one of `values`."""
        name = _SHORT.get(variable, variable)
        header = _HEADER.fullmatch(name)
        if header is not None and how == "==" and "" not in values:
            return (Case(Demand(when=(FieldCondition(header[1].lower(), tuple(values), "header"),))),)
        if name == "{method}" and how == "==":
            return (Case(Demand(methods=frozenset(values) & METHODS)),)
        if name == "{scheme}" and how == "==":
            return tuple(Case(Demand(scheme=one)) for one in values if one in ("http", "https"))
        kind = _KINDS.get(how)
        if how == "matches" and name == "{path}":
            return tuple(Case(Demand(path=Text("regex", one))) for one in values)
        if kind is None or (name == "{query}" and kind != "exact"):
            raise self.unknown()
        texts = [Text(kind, one) for one in values]
        if name == "{path}":
            return tuple(Case(Demand(path=text)) for text in texts)
        if name == "{host}":
            return tuple(Case(Demand(host=text)) for text in texts if text.text == text.text.lower())
        if name == "{query}":
            return tuple(Case(Demand(query=text)) for text in texts)
        raise self.unknown()
