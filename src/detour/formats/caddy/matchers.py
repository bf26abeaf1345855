"""Caddy's request matchers as demands (modules/caddyhttp/matchers.go)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from itertools import product

import msgspec
import re2

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, FieldCondition
from detour.errors import PatternError
from detour.formats.alternatives import MOST_TERMS, denied
from detour.formats.caddy.celmatch import cases_of
from detour.formats.caddy.model import ALWAYS, Case, Cases, RegexOf, Unknown
from detour.formats.caddy.regexps import header_regexp, vars_regexp
from detour.formats.caddy.tokens import UNKNOWN
from detour.formats.complement import Ends, complement
from detour.formats.demand import Demand, Text, both

Values = Mapping[str, tuple[tuple[str, ...], ...]]  # of a matcher set: each matcher's lines of arguments

ANY_LABEL = "([^.]+)"  # what stands for `*` in a host
DOT = r"\."  # between the labels of a host that is a pattern
_QUIET = re2.Options()
_QUIET.log_errors = False
_PLACEHOLDER = re.compile(r"\{[\w.?%-]+\}")
_PRIVATE = (
    "192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.0/8", "fd00::/8", "::1/128",
)  # fmt: skip


def cases(matchers: Values) -> Cases:
    """What a matcher set asks for: all of its matchers."""
    found: list[Cases] = []
    try:
        for name, lines in matchers.items():
            found.append(_matcher(name, lines))
        return all_of(found)
    except PatternError as error:
        return Unknown(error.fact, error.remedy)


def all_of(found: Iterable[Cases]) -> Cases:
    """Cases of which one of each must hold; raises `PatternError` where no pattern says it."""
    known: list[tuple[Case, ...]] = []
    count = 1
    for one in found:
        if isinstance(one, Unknown):
            return one
        known.append(one)
        count *= len(one)
    if count > MOST_TERMS:
        raise PatternError(f"a matcher of {count} combinations", "write several")
    made = []
    for choice in product(*known):
        joined: Case | None = Case(Demand())
        for case in choice:
            joined = None if joined is None else together(joined, case)
        if joined is not None:
            made.append(joined)
    return tuple(made)


def together(one: Case, other: Case) -> Case | None:
    """What both ask for; None where nothing can. Raises `PatternError` where no pattern says it."""
    regexes = {**one.regexes, **other.regexes}
    known = {**one.known, **other.known}
    demands = [one.demand, other.demand]
    parts: tuple[RegexOf, RegexOf] = ("host", "path")
    for name in parts:
        texts = [getattr(demand, name) for demand in demands]
        kinds = [None if text is None else text.kind for text in texts]
        if sorted(map(str, kinds)) == ["exact", "regex"]:
            place = kinds.index("regex")
            found = _found(texts[place], texts[1 - place].text)
            if found is None:
                return None
            kept = {each: of for each, of in regexes.items() if _text_of(of) != name}
            known |= {each: _captured(found, of) for each, of in regexes.items() if each not in kept}
            regexes = kept
            demands[place] = msgspec.structs.replace(demands[place], **{name: None})
        elif name == "host" and kinds == ["regex", "regex"] and (label := _of_label(*texts)) is not None:
            demands = [msgspec.structs.replace(demand, host=label) for demand in demands]
        elif sorted(map(str, kinds)) == ["none", "prefix"]:
            place = kinds.index("none")
            left = _left(texts[1 - place], texts[place])
            demands[1 - place] = msgspec.structs.replace(demands[1 - place], **{name: left})
            demands[place] = msgspec.structs.replace(demands[place], **{name: None})
    joined = both(*demands)
    return None if joined is None else Case(joined, regexes, known)


_LABEL = re.compile(
    r"\^(?P<label>\(?(?:\[[\w-]+\]|\\[dw])(?:[+*]|\{[0-9,]+\})?\)?)(?P<rest>(?:\\\.|[\w-])*)\$?"
)


def _of_label(one: Text, other: Text) -> Text | None:
    """A host with a wildcard whose first label an expression looks at, as one expression; else None."""
    for wild, regex in ((one, other), (other, one)):
        found = _LABEL.fullmatch(regex.text)
        behind = wild.text.removeprefix(f"^{ANY_LABEL}").removesuffix("$")
        if found is None or len(behind) + len(ANY_LABEL) + 2 != len(wild.text):
            continue
        if behind.startswith(found["rest"]) and (not regex.text.endswith("$") or behind == found["rest"]):
            return Text("regex", f"^{found['label']}{behind}$", ignore_case=True)
    return None


def _found(regex: Text, text: str) -> re.Match[str] | None:
    expression = f"(?i){regex.text}" if regex.ignore_case else regex.text
    try:
        found: re.Match[str] | None = re2.search(expression, text, _QUIET)
    except re2.error as error:
        raise PatternError(f"not a regular expression: {error}", "correct it") from None
    return found


def _text_of(of: RegexOf) -> str:
    return "path" if of == "uri" else of


def _captured(found: re.Match[str], of: RegexOf) -> dict[int | str, str]:
    groups = (found[0], *found.groups()) if of == "uri" else found.groups()
    numbered: dict[int | str, str] = {number: text or "" for number, text in enumerate(groups, 1)}
    named: dict[int | str, str] = {name: text or "" for name, text in found.groupdict().items()}
    return {0: found[0], **numbered, **named}


def _left(prefix: Text, excluded: Text) -> Text:
    """What begins with a text and is none of some others; raises `PatternError`."""
    start = prefix.text.lower()
    kept = [one for one in excluded.others if one.text.lower().startswith(start)]
    if any(one.kind not in ("exact", "prefix") for one in excluded.others):
        raise PatternError("the path must be two things at once", "exclude whole paths or beginnings")
    if not kept:
        if any(one.kind == "prefix" and start.startswith(one.text.lower()) for one in excluded.others):
            raise PatternError("a path of which nothing is left", "drop it")
        return prefix
    rest: list[tuple[str, Ends]] = [
        (one.text[len(start) :], "exact" if one.kind == "exact" else "prefix") for one in kept
    ]
    return Text("regex", f"^{re.escape(prefix.text)}(?:{complement(rest)})$", prefix.ignore_case, whole=True)


def _matcher(name: str, lines: tuple[tuple[str, ...], ...]) -> Cases:
    values = tuple(value for line in lines for value in line)
    if any(UNKNOWN in value for value in values):
        raise PatternError("a variable of the environment that is not known", "write its value")
    match name:
        case "path":
            return _of(Demand(path=path_text(value)) if value != "*" else Demand() for value in values)
        case "path_regexp":
            return _path_regexp(values)
        case "host":
            return _of(Demand(host=text) for value in values if (text := host_text(value)) is not None)
        case "method":
            return (Case(Demand(methods=frozenset(value.upper() for value in values) & METHODS)),)
        case "protocol":
            return _protocol(values[-1] if values else "")
        case "query":
            return _query(values)
        case "header":
            return _header(lines)
        case "header_regexp":
            return _header_regexps(lines)
        case "remote_ip" | "client_ip":
            return _client(values)
        case "vars_regexp":
            return vars_regexp(lines)
        case "expression":
            return cases_of(" ".join(lines[-1]), _matcher, all_of, negated)
    fact = f"the matcher `{name}` looks at what Detour does not know"
    raise PatternError(fact, "match the path, host, method, header, query, protocol or client")


def _of(demands: Iterable[Demand]) -> tuple[Case, ...]:
    return tuple(Case(demand) for demand in demands)


def path_text(value: str) -> Text:
    """A pattern of the path matcher, which minds no case; raises `PatternError`."""
    if _PLACEHOLDER.search(value):
        raise PatternError("a path with a placeholder", "write the path")
    stars = value.count("*") - value.count("\\*")
    inner = value.strip("*")
    if "*" not in inner and not re.search(r"[?\[\]\\]", inner):
        if stars == 0:
            return Text("exact", value, ignore_case=True)
        before, behind = value.startswith("*"), value.endswith("*")
        if stars == before + behind and inner:
            kind = "part" if before and behind else "suffix" if before else "prefix"
            return Text(kind, inner, ignore_case=True)  # type: ignore[arg-type]
    return Text("regex", f"^{_globbed(value)}$", ignore_case=True, whole=True)


def _globbed(value: str) -> str:
    """A pattern of Go's path.Match as a regular expression."""
    made = ""
    for found in re.finditer(r"\*|\?|\[\^?(?:\\.|[^\]\\])+\]|\\(.)|.", value, re.DOTALL):
        token = found[0]
        if token == "*":
            made += "[^/]*"
        elif token == "?":
            made += "[^/]"
        elif token.startswith("[") and len(token) > 1:
            made += token
        else:
            made += re.escape(found[1] or token)
    return made


def host_text(value: str) -> Text | None:
    """A pattern of the host matcher; None for any host. Raises `PatternError`."""
    value = value.lower()
    if "{" in value:
        raise PatternError(f"the host {value!r} is a placeholder", "write the host")
    if value in ("", "*"):
        return None
    if "*" in value:
        labels = [ANY_LABEL if label == "*" else re.escape(label) for label in value.split(".")]
        if any("*" in label and label != "*" for label in value.split(".")):
            raise PatternError(f"the host {value!r}", "write `*` for a whole label")
        return Text("regex", f"^{DOT.join(labels)}$", ignore_case=True)
    return Text("exact", value.strip("[]") if value.count(":") < 2 else value)


def _path_regexp(values: tuple[str, ...]) -> Cases:
    if not values:
        raise PatternError("`path_regexp` without an expression", "write one")
    name = values[0] if len(values) > 1 else ""
    regexes: dict[str, RegexOf] = {"": "path", name: "path"}
    return (Case(Demand(path=Text("regex", values[-1])), regexes),)


def _protocol(value: str) -> Cases:
    if value in ("http", "https"):
        return (Case(Demand(scheme=value)),)
    if value.startswith("http/"):
        raise PatternError(f"the protocol {value}", "match `http` or `https`")
    raise PatternError(f"the protocol {value}, which no condition says", "match a header")


def _query(values: tuple[str, ...]) -> Cases:
    wanted: dict[str, list[str]] = {}
    for value in values:
        for pair in value.split("&"):
            name, _, text = pair.partition("=")
            wanted.setdefault(name, []).append(text)
    when = tuple(
        FieldCondition(name, None if "*" in texts else tuple(texts), "query")
        for name, texts in wanted.items()
        if name
    )
    if not when:
        raise PatternError("a request without a query", "write another matcher")
    return (Case(Demand(when=when)),)


def _header(lines: tuple[tuple[str, ...], ...]) -> Cases:
    """Of one field any of the values, of several all; `!Field` for one that is not there."""
    wanted: dict[str, list[str]] = {}
    for line in lines:
        if line:
            wanted.setdefault(line[0].lower(), []).extend(line[1:] or ("*",))
    demand = Demand()
    for name, texts in wanted.items():
        if name.startswith("!"):
            one = Demand(unless=(FieldCondition(name[1:], None, "header"),))
        elif name == "host":
            return _of(Demand(host=host_text(text)) for text in texts)
        elif "*" in texts:
            one = Demand(when=(FieldCondition(name, None, "header"),))
        elif any("*" in text or _PLACEHOLDER.search(text) for text in texts):
            raise PatternError(f"the header {name} is matched by a part", "write its whole value")
        else:
            one = Demand(when=(FieldCondition(name, tuple(texts), "header"),))
        joined = both(demand, one)
        assert joined is not None  # conditions alone never contradict
        demand = joined
    return (Case(demand),)


def _header_regexps(lines: tuple[tuple[str, ...], ...]) -> Cases:
    """Of each field its last expression; all of them must match."""
    last = {line[-2].lower() if len(line) > 1 else "": line for line in lines}
    return all_of(header_regexp(line) for line in last.values())


def _client(values: tuple[str, ...]) -> Cases:
    ranges = [one for value in values for one in (_PRIVATE if value == "private_ranges" else (value,))]
    try:
        networks = tuple(str(ip_network(one.partition("%")[0], strict=False)) for one in ranges)
    except ValueError as error:
        raise PatternError(f"no network: {error}", "write an address or a network") from None
    return (Case(Demand(when=(ClientCondition(networks),))),)


def negated(inner: Cases) -> Cases:
    """What `inner` does not match; raises `PatternError` where no pattern says it."""
    if isinstance(inner, Unknown):
        return inner
    if inner == ALWAYS:
        return ()
    made: Cases = ALWAYS
    for case in inner:
        made = all_of(
            [made, tuple(Case(one) for demand in _single(case.demand) for one in denied((demand,)))]
        )
    return made


def _single(demand: Demand) -> Iterable[Demand]:
    """A demand as demands for one thing each: its opposite is that one of them does not hold."""
    parts = [
        Demand(**{name: getattr(demand, name)})
        for name in ("scheme", "host", "port", "path", "query", "methods")
        if getattr(demand, name)
    ]
    parts += [Demand(when=(one,)) for one in demand.when] + [Demand(unless=(one,)) for one in demand.unless]
    return parts


__all__ = ["all_of", "cases", "host_text", "negated", "path_text", "together"]
