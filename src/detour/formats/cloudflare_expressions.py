"""Expressions of Cloudflare's rules language, as alternatives of what a request must be."""

from __future__ import annotations

import re
from ipaddress import ip_network
from itertools import product

import msgspec

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, Condition
from detour.errors import PatternError
from detour.formats import regex
from detour.formats.complement import Ends, complement
from detour.formats.redirects_file import literal, path_pattern
from detour.formats.routes import methods

MOST_ALTERNATIVES = 1_000  # of one expression

HOST, PATH, METHOD, CLIENT = "http.host", "http.request.uri.path", "http.request.method", "ip.src"

_DEEPEST = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:\\.|[^\"\\])*\")|(?P<raw>r\"[^\"]*\")|(?P<mark>[(){},]|&&|\|\||==|!=|!|~)"
    r"|(?P<address>[0-9][0-9A-Fa-f:./]*|[0-9A-Fa-f]+:[0-9A-Fa-f:./]*)|(?P<word>[A-Za-z_][\w.]*)|(?P<other>\S))"
)
_URI = re.compile(r"(https?|http\*|\*)://([^/]+)(/.*)")
_OPEN_URI = re.compile(r"(https?|http\*|\*)://([^/]*)\*")  # the last asterisk is of host and path


class Wanted(msgspec.Struct, frozen=True):
    """One alternative of an expression: what a request must be."""

    scheme: str = ""
    host: str = ""  # as patterns, as is the path; "": any
    path: str = ""
    methods: frozenset[str] | None = None
    ignore_case: bool = False
    wildcard: str = ""  # as written, where the condition has one: its asterisks are groups w1, w2, …
    split: str = ""  # the number of the asterisk that is of host and path
    regex: str = ""  # as written, where the condition matches the path by one
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()

    def both(self, other: Wanted) -> Wanted:
        """Both alternatives at once; raises `PatternError` where each asks for the same thing."""
        taken = {}
        for name in ("scheme", "host", "path", "methods", "wildcard", "split", "regex"):
            one, two = getattr(self, name), getattr(other, name)
            if one and two and one != two:
                raise PatternError(f"two conditions on the {name}", "write one")
            taken[name] = one or two
        return Wanted(
            **taken,
            ignore_case=self.ignore_case or other.ignore_case,
            when=self.when + other.when,
            unless=self.unless + other.unless,
        )

    @property
    def pattern(self) -> str:
        path = self.path or "/*"
        if not self.host and not self.scheme:
            return path
        return f"{self.scheme}:" * bool(self.scheme) + f"//{self.host or '*'}{path}"

    def star(self, number: str) -> str:
        """What the asterisk of that number stands for, in a template."""
        return f"{{w{number}h}}/{{w{number}p}}" if number == self.split else f"{{w{number}}}"


Alternatives = tuple[Wanted, ...]


class Reader:
    """The tokens of an expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [found[0].strip() for found in _TOKEN.finditer(text)]
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.place += 1
        return token

    def take(self, *wanted: str) -> bool:
        """Take a token if it is one of those."""
        if self.peek().lower() in wanted and self.peek():
            self.place += 1
            return True
        return False

    def need(self, wanted: str) -> None:
        if not self.take(wanted):
            raise self.unknown()

    def quoted(self) -> str:
        token = self.next()
        if token.startswith('r"'):
            return token[2:-1]
        if not token.startswith('"') or len(token) < 2:
            self.place -= 1
            raise self.unknown()
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def unknown(self, back: int = 0) -> PatternError:
        """That the token `back` from here is not known."""
        self.place = max(0, self.place - back)
        return PatternError(f"the expression at {self.peek()!r} is not understood", "see the documentation")


def expression(text: str) -> Alternatives:
    """The alternatives of an expression; raises `PatternError`."""
    reader = Reader(text)
    found = _any(reader, 0)
    if reader.peek():
        raise reader.unknown()
    return found


def _any(reader: Reader, depth: int) -> Alternatives:
    found = _all(reader, depth)
    while reader.take("or", "||"):
        found += _all(reader, depth)
    return found


def _all(reader: Reader, depth: int) -> Alternatives:
    found = _one(reader, depth)
    while reader.take("and", "&&"):
        more = _one(reader, depth)
        if len(found) * len(more) > MOST_ALTERNATIVES:
            raise PatternError("an expression of too many alternatives", "write several rules")
        found = tuple(one.both(other) for one, other in product(found, more))
    return found


def _one(reader: Reader, depth: int) -> Alternatives:
    if depth > _DEEPEST:
        raise PatternError("an expression nested too deep", "write it flatter")
    if reader.take("("):
        found = _any(reader, depth + 1)
        reader.need(")")
        return found
    if reader.take("true"):
        return (Wanted(),)
    if reader.take("ssl"):
        return (Wanted(scheme="https"),)
    if reader.take("not", "!"):
        return (_not(reader, depth + 1),)
    if reader.peek().lower() == "starts_with":
        return (Wanted(path=f"{_path(_starts_with(reader))}*"),)
    return _comparison(reader)


def _starts_with(reader: Reader) -> str:
    for token in ("starts_with", "(", PATH, ","):
        reader.need(token)
    prefix = reader.quoted()
    reader.need(")")
    return prefix


def _comparison(reader: Reader) -> Alternatives:
    field = reader.next()
    if reader.take("eq", "=="):
        return (_equal(field, _value(field, reader), reader),)
    if reader.take("ne", "!="):
        return (_none(field, [(_value(field, reader), "exact")], reader),)
    if reader.take("in"):
        return tuple(_equal(field, value, reader) for value in _listed(field, reader))
    if reader.peek().lower() in ("matches", "~") and field == PATH:
        reader.next()
        written = reader.quoted()
        found = regex.expression(written, used=())
        return (Wanted(path=found.pattern, ignore_case=found.ignore_case, regex=written),)
    strict = reader.take("strict")
    if reader.take("wildcard"):
        return (_wildcard(field, reader.quoted(), strict, reader),)
    raise reader.unknown()


def _value(field: str, reader: Reader) -> str:
    return reader.next() if field == CLIENT else reader.quoted()


def _listed(field: str, reader: Reader) -> list[str]:
    reader.need("{")
    values = []
    while not reader.take("}"):
        if not reader.peek():
            raise reader.unknown()
        values.append(_value(field, reader))
    return values


def _equal(field: str, value: str, reader: Reader) -> Wanted:
    if field == HOST:
        return Wanted(host=literal(value.lower()))
    if field == PATH:
        return Wanted(path=_path(value))
    if field == METHOD:
        return Wanted(methods=methods(value))
    if field == CLIENT:
        return Wanted(when=(_networks([value]),))
    raise reader.unknown(3)


# ---- not


def _not(reader: Reader, depth: int) -> Wanted:
    """What does not hold, where one pattern or condition says that."""
    if depth > _DEEPEST:
        raise PatternError("an expression nested too deep", "write it flatter")
    if reader.take("ssl"):
        return Wanted(scheme="http")
    if reader.take("("):
        found = _not(reader, depth + 1)
        reader.need(")")
        return found
    if reader.peek().lower() == "starts_with":
        return _none(PATH, [(_starts_with(reader), "prefix")], reader)
    field = reader.next()
    if reader.take("eq", "=="):
        return _none(field, [(_value(field, reader), "exact")], reader)
    if reader.take("in"):
        return _none(field, [(value, "exact") for value in _listed(field, reader)], reader)
    raise reader.unknown()


def _none(field: str, texts: list[tuple[str, Ends]], reader: Reader) -> Wanted:
    if field == HOST:
        return Wanted(host=f"({complement([(text.lower(), kind) for text, kind in texts], empty=False)})")
    if field == PATH:
        behind = [(text.removeprefix("/"), kind) for text, kind in texts if text.startswith("/")]
        return Wanted(path=f"/({complement(behind)})")
    if field == METHOD:
        return Wanted(methods=METHODS.difference(*(methods(text) for text, _ in texts)))
    if field == CLIENT:
        return Wanted(unless=(_networks([text for text, _ in texts]),))
    raise reader.unknown(3)


def _networks(values: list[str]) -> ClientCondition:
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise PatternError(f"{value!r} is no address and no network", "write CIDR notation") from None
    return ClientCondition(tuple(values))


# ---- wildcards


def _wildcard(field: str, value: str, strict: bool, reader: Reader) -> Wanted:
    if field == HOST:
        return Wanted(host=_stars(value.lower()), wildcard=value)
    if field == PATH:
        return Wanted(path=path_pattern(_stars(value)), ignore_case=not strict, wildcard=value)
    if field != "http.request.full_uri" or "?" in value:
        raise reader.unknown(3)
    if (found := _URI.fullmatch(value)) is not None:
        before = found[1].count("*")
        host = _stars(found[2].lower(), before)
        path = _stars(found[3], before + found[2].count("*"))
        return Wanted(_scheme(found[1]), host, path, None, not strict, value)
    if (found := _OPEN_URI.fullmatch(value)) is not None:
        before = found[1].count("*")
        last = str(value.count("*"))
        host = f"{_stars(found[2].lower(), before)}:w{last}h(.*)"
        return Wanted(_scheme(found[1]), host, f"/:w{last}p(.*)", None, not strict, value, last)
    raise reader.unknown(3)


def _scheme(written: str) -> str:
    return written if written in ("http", "https") else ""


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise PatternError(f"the path {text!r} does not begin with a slash", f"write `/{text}`")
    return path_pattern(literal(text))


def _stars(text: str, before: int = 0) -> str:
    """A wildcard whose asterisks, each any characters, are numbered from the one after `before`."""
    first, *others = text.split("*")
    stars = (f":w{number}(.*){literal(part)}" for number, part in enumerate(others, start=before + 1))
    return literal(first) + "".join(stars)
