"""ACLs and conditions as demands (configuration.txt, 7 "Using ACLs and fetching samples")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network

import msgspec

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, FieldCondition
from detour.errors import PatternError
from detour.formats.alternatives import Alternatives, all_of, denied, one_of
from detour.formats.demand import ANY, Demand, Kind, Text
from detour.formats.regex_octets import as_characters


class Atom(msgspec.Struct, frozen=True):
    """One test: what of it holds, one alternative a value."""

    demands: Alternatives
    sure: bool | None = None  # whether it always, or never, holds


_TRUE, _FALSE = Atom((ANY,), True), Atom((), False)

# configuration.txt, 7.4 "Pre-defined ACLs"
_METHOD_NAMES = {
    "METH_CONNECT": "CONNECT", "METH_DELETE": "DELETE", "METH_GET": "GET HEAD", "METH_HEAD": "HEAD",
    "METH_OPTIONS": "OPTIONS", "METH_POST": "POST", "METH_PUT": "PUT", "METH_TRACE": "TRACE",
}  # fmt: skip

# 7.3.6 "Fetching HTTP samples": the suffix of a fetch's name says how its values are compared
_SUFFIXES: dict[str, str] = {
    "": "str", "_beg": "beg", "_end": "end", "_reg": "reg", "_sub": "sub", "_dir": "dir", "_dom": "dom",
}  # fmt: skip
_FETCH = re.compile(r"(?P<name>[a-z_.]+?)(?P<suffix>_(?:beg|end|reg|sub|dir|dom))?(?:\((?P<of>[^()]*)\))?")

_KINDS: dict[str, tuple[tuple[Kind, str, str], ...]] = {  # what stands before and behind the value
    "str": (("exact", "", ""),),
    "beg": (("prefix", "", ""),),
    "end": (("suffix", "", ""),),
    "sub": (("part", "", ""),),
    "dir": (("exact", "/", ""), ("prefix", "/", "/"), ("suffix", "/", ""), ("part", "/", "/")),
    "dom": (("exact", "", ""), ("suffix", ".", ""), ("prefix", "", "."), ("part", ".", ".")),
}


# 7.3.1: a map has a key that the value matches; `map` compares whole texts
_LOOKUP = re.compile(r"map(?:_(?P<method>str|beg|end|sub|reg|dom))?\((?P<file>[^,()]+)\)")


class Test(msgspec.Struct, frozen=True):
    """What an ACL looks at, and the values it is compared with."""

    name: str
    of: str
    method: str  # how values are compared: str, beg, end, reg, sub, dir, dom, found, …
    values: tuple[str, ...]
    ignore_case: bool


def parse_test(words: tuple[str, ...], texts: Mapping[str, str]) -> Test:
    """An ACL's words behind its name; raises `PatternError` for what cannot be expressed."""
    fetch, _, converters = words[0].partition(",")
    found = _FETCH.fullmatch(fetch)
    if found is None:
        raise _unknown(words[0])
    name, method = found["name"].removeprefix("req."), (found["suffix"] or "_str")[1:]
    rest, ignore_case, files = list(words[1:]), False, []
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag == "--":
            break
        if flag == "-i":
            ignore_case = True
        elif flag == "-m" and rest:
            method = rest.pop(0)
        elif flag == "-f" and rest:
            files.append(rest.pop(0))
        elif flag not in ("-n", "-u"):
            raise _unknown(" ".join(words))
    values = [*rest, *(value for file in files for value in file_lines(file, texts))]
    for converter in filter(None, converters.split(",")):
        lookup = _LOOKUP.fullmatch(converter)
        if lookup is not None and method == "found" and (lookup["method"] or "str") in (*_KINDS, "reg"):
            method = lookup["method"] or "str"
            values = [line.split()[0] for line in file_lines(lookup["file"], texts)]
        elif converter in ("lower", "host_only"):
            ignore_case = True
        else:
            raise _unknown(words[0])
    return Test(name, (found["of"] or "").lower(), method, tuple(values), ignore_case)


def file_lines(name: str, texts: Mapping[str, str]) -> list[str]:
    """The lines of a file of patterns; raises `PatternError` where it is not at hand."""
    text = texts.get(name)
    if text is None:
        raise PatternError(f"the file {name} is not at hand", "put it where the configuration says it is")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _unknown(text: str) -> PatternError:
    return PatternError(
        f"the condition looks at {text!r}, which Detour does not know",
        "ask for host, path, query, method, scheme, a field or the client's address",
    )


def atom(test: Test) -> Atom:
    """What a test asks for."""
    reader = _ATOMS.get(test.name)
    if reader is None:
        raise _unknown(test.name)
    return reader(test)


def _texts(test: Test, values: tuple[str, ...]) -> Iterator[Text]:
    for value in values:
        if test.method == "reg":
            yield Text("regex", value, test.ignore_case)
            continue
        if test.method not in _KINDS:
            raise _unknown(f"{test.name} -m {test.method}")
        bare = (
            value.strip("/") if test.method == "dir" else value.strip(".") if test.method == "dom" else value
        )
        for kind, before, behind in _KINDS[test.method]:
            yield Text(kind, f"{before}{bare}{behind}", test.ignore_case)


def _path(test: Test) -> Atom:
    values = test.values
    if test.method == "reg":  # it sees the path as it was sent
        values = tuple(map(as_characters, values))
    return Atom(tuple(Demand(path=text) for text in _texts(test, values)))


def _query(test: Test) -> Atom:
    return Atom(tuple(Demand(query=text) for text in _texts(test, test.values)))


def _header(test: Test) -> Atom:
    if test.of in ("host", "host,1", "host,-1"):
        return Atom(tuple(_host(text) for text in _texts(test, tuple(map(str.lower, test.values)))))
    return _field(test, "header")


def _host(text: Text) -> Demand:
    host, colon, port = text.text.rpartition(":")
    if text.kind == "exact" and colon and port.isdecimal():
        return Demand(host=Text("exact", host), port=port)
    return Demand(host=msgspec.structs.replace(text, ignore_case=False) if text.kind != "regex" else text)


def _field(test: Test, of: str) -> Atom:
    name = test.of.partition(",")[0]
    if test.method == "found":
        return Atom((Demand(when=(FieldCondition(name, None, of),)),))  # type: ignore[arg-type]
    if test.method != "str":
        raise PatternError(
            f"the condition looks for a part of the {of} {name}", "compare the whole value, or drop it"
        )
    return Atom((Demand(when=(FieldCondition(name, test.values, of),)),))  # type: ignore[arg-type]


def _method(test: Test) -> Atom:
    return Atom((Demand(methods=frozenset(test.values) & METHODS),))


def _tls(test: Test) -> Atom:
    if test.values in (("0",), ("false",)):
        return Atom((Demand(scheme="http"),))
    return Atom((Demand(scheme="https"),))


def _port(test: Test) -> Atom:
    known = {"80": Demand(scheme="http", port=""), "443": Demand(scheme="https", port="")}
    return Atom(tuple(known.get(value, Demand(port=value)) for value in test.values))


def _client(test: Test) -> Atom:
    try:
        networks = tuple(str(ip_network(value, strict=False)) for value in test.values)
    except ValueError as error:
        raise PatternError(f"no network: {error}", "write an address or a network") from None
    return Atom((Demand(when=(ClientCondition(networks),)),))


_ATOMS: dict[str, Callable[[Test], Atom]] = {
    "path": _path,
    "query": _query,
    "hdr": _header,
    "fhdr": _header,
    "cook": lambda test: _field(test, "cookie"),
    "url_param": lambda test: _field(test, "query"),
    "urlp": lambda test: _field(test, "query"),
    "method": _method,
    "ssl_fc": _tls,
    "dst_port": _port,
    "src": _client,
    "always_true": lambda _: _TRUE,
    "always_false": lambda _: _FALSE,
    "bool": lambda test: _TRUE if test.of in ("1", "true") else _FALSE,
    "proto_http": lambda _: _TRUE,
}


def predefined(name: str) -> Atom | None:
    """An ACL that nobody has to write."""
    if name in _METHOD_NAMES:
        return Atom((Demand(methods=frozenset(_METHOD_NAMES[name].split()) & METHODS),))
    return {"TRUE": _TRUE, "FALSE": _FALSE, "HTTP": _TRUE, "HTTP_1.1": None}.get(name)


class Acls:
    """The ACLs of a proxy, by name; each may be defined in several lines, one of which must hold."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._tests: dict[str, list[tuple[str, ...]]] = {}

    def add(self, words: tuple[str, ...]) -> None:
        """A line `acl NAME …`."""
        if len(words) > 2:
            self._tests.setdefault(words[1], []).append(words[2:])

    def alternatives(self, words: tuple[str, ...]) -> Alternatives:
        """The demands of a condition, `if …` or `unless …`; () where it never holds; `ANY` without one."""
        if not words:
            return (ANY,)
        terms = [[self._literal(*literal) for literal in term] for term in _terms(words[1:])]
        if words[0] == "if":
            return one_of(all_of(term) for term in terms)
        opposite = [
            [self._literal(not negated, test) for negated, test in term] for term in _terms(words[1:])
        ]
        return all_of([one_of(term) for term in opposite])

    def known(self, words: tuple[str, ...]) -> Alternatives:
        """The demands of a condition as far as it is known: what it holds for is among them."""
        if not words or words[0] != "if":
            return (ANY,)
        return one_of(all_of([*self._known(term)] or [(ANY,)]) for term in _terms(words[1:]))

    def _known(self, term: list[tuple[bool, tuple[str, ...]]]) -> Iterator[Alternatives]:
        for literal in term:
            try:
                yield self._literal(*literal)
            except PatternError:
                continue

    def _literal(self, negated: bool, test: tuple[str, ...]) -> Alternatives:
        found = self._atom(test)
        if found.sure is not None:
            return () if found.sure == negated else (ANY,)
        return denied(found.demands) if negated else found.demands

    def _atom(self, words: tuple[str, ...]) -> Atom:
        if words[0] == "{":
            return atom(parse_test(words[1:], self._texts))
        lines = self._tests.get(words[0])
        if lines is None:
            known = predefined(words[0])
            if known is None:
                raise _unknown(words[0])
            return known
        atoms = [atom(parse_test(line, self._texts)) for line in lines]
        if any(one.sure for one in atoms):
            return _TRUE
        demands = tuple(demand for one in atoms for demand in one.demands)
        return Atom(demands) if demands else _FALSE


def _terms(words: tuple[str, ...]) -> list[list[tuple[bool, tuple[str, ...]]]]:
    """Terms apart by `or`, of tests that may be negated: a name, or `{` and the words up to `}`."""
    terms: list[list[tuple[bool, tuple[str, ...]]]] = [[]]
    place, negated = 0, False
    while place < len(words):
        word = words[place]
        place += 1
        if word in ("or", "||"):
            terms.append([])
        elif word == "!":
            negated = not negated
        elif word.lstrip("!") == "{":
            end = words.index("}", place) if "}" in words[place:] else len(words)
            terms[-1].append((negated ^ word.startswith("!"), ("{", *words[place:end])))
            place, negated = end + 1, False
        else:
            terms[-1].append((negated ^ word.startswith("!"), (word.lstrip("!"),)))
            negated = False
    return terms
