"""Cloudflare Single Redirects: rules of the phase `http_request_dynamic_redirect`.

Read (Cloudflare's documentation, "Single Redirects" and "Ruleset Engine"), as the Rulesets API returns them
(`{"rules": […]}`, also inside `result`), as a list, or as Terraform's JSON (`cloudflare_ruleset`):

- `action_parameters.from_value`: `target_url.value`, or `target_url.expression` made of texts, `http.host`,
  `http.request.uri.path`, `concat(…)`, and `wildcard_replace(…)` with the wildcard that the condition has;
  `status_code` (301, the default, 302, 303, 307, 308); `preserve_query_string` (default false).
- `expression`: `and` and `or` of `http.host eq`, `http.request.uri.path eq`,
  `starts_with(http.request.uri.path, …)`, `wildcard` for host, path and `http.request.full_uri`,
  `http.request.method eq`, `ssl`, `not ssl`, `in {…}`, and `true`. `wildcard` minds no case in the path,
  `strict wildcard` does. A condition on GET takes HEAD, too.
- In order; a rule that is switched off (`enabled: false`) is passed over.

Not read: every other field and function, `matches`, other `not`. `from_list` refers to a list of bulk
redirects, which is a file of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Literal

import msgspec

from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.bulk_rows import restated
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import PartError, literal, path_pattern
from detour.formats.routes import methods, redirect_status
from detour.formats.yaml_nodes import Node, documents, fault

DEFAULT_STATUS = 301

MOST_ALTERNATIVES = 1_000  # of one expression

_KEYS = re.compile(r'"(?:from_value|from_list)"\s*:')
_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:\\.|[^\"\\])*\")|(?P<raw>r\"[^\"]*\")|(?P<mark>[(){},]|&&|\|\||==|!)"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<other>\S))"
)
_SLOTS = {"http.host": "{url.hostname}", "http.request.uri.path": "{url.path}"}


class _Wanted(msgspec.Struct, frozen=True):
    """One alternative of an expression: what a request must be."""

    scheme: str = ""
    host: str = ""  # as patterns, as is the path; "": any
    path: str = ""
    methods: frozenset[str] | None = None
    ignore_case: bool = False
    wildcard: str = ""  # as written, where the condition has one: its asterisks are groups w1, w2, …

    def both(self, other: _Wanted) -> _Wanted:
        """Both alternatives at once; raises `PatternError` where each asks for the same thing."""
        taken = {}
        for name in ("scheme", "host", "path", "methods", "wildcard"):
            one, two = getattr(self, name), getattr(other, name)
            if one and two and one != two:
                raise PatternError(f"two conditions on the {name}", "write one")
            taken[name] = one or two
        return _Wanted(**taken, ignore_case=self.ignore_case or other.ignore_case)

    @property
    def pattern(self) -> str:
        path = self.path or "/*"
        if not self.host and not self.scheme:
            return path
        return f"{self.scheme}:" * bool(self.scheme) + f"//{self.host or '*'}{path}"


def detect(text: str) -> bool:
    """Whether a text is JSON with actions of redirect rules."""
    return _KEYS.search(text) is not None and text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each rule, in order, restated: a Draft for each alternative of its expression."""
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
            continue
        try:
            for rule in _rules(document):
                yield from _rule(rule)
        except NodeError as error:
            yield fault(error)


def _rules(node: Node) -> Iterator[Node]:
    if node.is_sequence:
        yield from (one for one in node.sequence if one.is_mapping)
    elif node.is_mapping:
        named = node.get("resource", "cloudflare_ruleset")
        rulesets = tuple(named.mapping.values()) if named is not None else (node.get("result") or node,)
        for ruleset in rulesets:
            yield from (_rules(ruleset) if ruleset.is_sequence else ruleset.list_at("rules"))


def _rule(rule: Node) -> Iterator[Draft | LineFault]:
    pattern = None
    try:
        if rule.boolean_at("enabled") is False or rule.text_at("action") not in (None, "redirect"):
            return
        parameters = rule.get("action_parameters")
        if parameters is None:
            return
        if (listed := parameters.get("from_list")) is not None:
            raise NodeError(listed.line, "the redirects stand in a bulk list", "read the list's own file")
        value = parameters.get("from_value")
        if value is None:
            return
        for wanted in _expression(rule.text_at("expression") or "true"):
            pattern = wanted.pattern
            yield Draft(
                rule.line,
                pattern,
                _target(value, wanted.wildcard),
                redirect_status(value.integer_at("status_code")),
                query=_query(value),
                methods=wanted.methods,
                ignore_case=wanted.ignore_case,
            )
    except NodeError as error:
        yield LineFault(error.line, error.fact, error.remedy, pattern)
    except PartError as refusal:
        yield LineFault(rule.line, refusal.fact, refusal.remedy, pattern)


def _query(value: Node) -> Literal["keep", "drop"]:
    return "keep" if value.boolean_at("preserve_query_string") else "drop"


# ---- expressions


class _Reader:
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

    def unknown(self) -> PatternError:
        return PatternError(f"the expression at {self.peek()!r} is not understood", "see the documentation")


def _expression(text: str) -> tuple[_Wanted, ...]:
    """The alternatives of an expression; raises `PatternError`."""
    reader = _Reader(text)
    found = _any(reader, 0)
    if reader.peek():
        raise reader.unknown()
    return found


def _any(reader: _Reader, depth: int) -> tuple[_Wanted, ...]:
    found = _all(reader, depth)
    while reader.take("or", "||"):
        found += _all(reader, depth)
    return found


def _all(reader: _Reader, depth: int) -> tuple[_Wanted, ...]:
    found = _one(reader, depth)
    while reader.take("and", "&&"):
        more = _one(reader, depth)
        if len(found) * len(more) > MOST_ALTERNATIVES:
            raise PatternError("an expression of too many alternatives", "write several rules")
        found = tuple(one.both(other) for one, other in product(found, more))
    return found


def _one(reader: _Reader, depth: int) -> tuple[_Wanted, ...]:
    if depth > 50:
        raise PatternError("an expression nested too deep", "write it flatter")
    if reader.take("("):
        found = _any(reader, depth + 1)
        reader.need(")")
        return found
    if reader.take("true"):
        return (_Wanted(),)
    if reader.take("ssl"):
        return (_Wanted(scheme="https"),)
    if reader.take("not", "!"):
        reader.need("ssl")
        return (_Wanted(scheme="http"),)
    if reader.take("starts_with"):
        reader.need("(")
        reader.need("http.request.uri.path")
        reader.need(",")
        prefix = reader.quoted()
        reader.need(")")
        return (_Wanted(path=f"{_path(prefix)}*"),)
    return _comparison(reader)


def _comparison(reader: _Reader) -> tuple[_Wanted, ...]:
    field = reader.next()
    if reader.take("eq", "=="):
        return (_equal(field, reader.quoted(), reader),)
    if reader.take("in"):
        reader.need("{")
        found = []
        while not reader.take("}"):
            found.append(_equal(field, reader.quoted(), reader))
        return tuple(found)
    strict = reader.take("strict")
    if reader.take("wildcard"):
        return (_wildcard(field, reader.quoted(), strict, reader),)
    raise reader.unknown()


def _equal(field: str, value: str, reader: _Reader) -> _Wanted:
    if field == "http.host":
        return _Wanted(host=literal(value.lower()))
    if field == "http.request.uri.path":
        return _Wanted(path=_path(value))
    if field == "http.request.method":
        return _Wanted(methods=methods(value))
    reader.place = max(0, reader.place - 3)
    raise reader.unknown()


def _wildcard(field: str, value: str, strict: bool, reader: _Reader) -> _Wanted:
    if field == "http.host":
        return _Wanted(host=_stars(value.lower()), wildcard=value)
    if field == "http.request.uri.path":
        return _Wanted(path=path_pattern(_stars(value)), ignore_case=not strict, wildcard=value)
    found = re.fullmatch(r"(https?|http\*|\*)://([^/]+)(/.*)", value)
    if field == "http.request.full_uri" and found and "?" not in value:
        scheme = found[1] if found[1] in ("http", "https") else ""
        before = found[1].count("*")
        host = _stars(found[2].lower(), before)
        path = _stars(found[3], before + found[2].count("*"))
        return _Wanted(scheme, host, path, None, not strict, value)
    reader.place = max(0, reader.place - 3)
    raise reader.unknown()


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise PatternError(f"the path {text!r} does not begin with a slash", f"write `/{text}`")
    return path_pattern(literal(text))


def _stars(text: str, before: int = 0) -> str:
    """A wildcard whose asterisks, each any characters, are numbered from the one after `before`."""
    first, *others = text.split("*")
    stars = (f":w{number}(.*){literal(part)}" for number, part in enumerate(others, start=before + 1))
    return literal(first) + "".join(stars)


# ---- the target


def _target(value: Node, wildcard: str) -> str:
    """The template; raises `NodeError`, `TemplateError`, `URLError`."""
    target = value.get("target_url")
    if target is None:
        raise NodeError(value.line, "a redirect without `target_url`", "write its value or expression")
    if (fixed := target.text_at("value")) is not None:
        return restated(fixed)
    reader = _Reader(target.text_at("expression") or "")
    if reader.take("wildcard_replace"):
        written = _replaced(reader, wildcard)
    else:
        written = _concat(reader) if reader.take("concat") else _piece(reader)
    if reader.peek():
        raise TemplateError(f"the target at {reader.peek()!r} is not understood", "see the documentation")
    return written


def _concat(reader: _Reader) -> str:
    reader.need("(")
    written = _piece(reader)
    while reader.take(","):
        written += _piece(reader)
    reader.need(")")
    return written.replace("/{url.path}", "{url.path}") if "//{url.path}" not in written else written


def _replaced(reader: _Reader, wildcard: str) -> str:
    reader.need("(")
    reader.next()
    reader.need(",")
    if reader.quoted() != wildcard:
        raise TemplateError("a wildcard that is not the condition's", "write the same in both")
    reader.need(",")
    parts = re.split(r"\$\{(\d+)\}", reader.quoted())
    reader.need(")")
    parts[::2] = [part.replace("{", "{{").replace("}", "}}") for part in parts[::2]]
    parts[1::2] = [f"{{w{number}}}" for number in parts[1::2]]
    return "".join(parts)


def _piece(reader: _Reader) -> str:
    if reader.peek() in _SLOTS:
        return _SLOTS[reader.next()]
    return reader.quoted().replace("{", "{{").replace("}", "}}")
