"""Requests that a rule's pattern matches: what shows that something is so, and not only seems so.

A witness of a pattern with keys stands for all that it matches; those of a regular expression are samples,
and each is held against the pattern before it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from itertools import islice

from detour.core.keys import FOLDED, ONE, REST, Key
from detour.core.message import Request
from detour.core.pattern import Pattern
from detour.core.pattern_syntax import Part, PartKind
from detour.core.rule import ClientCondition, Rule
from detour.core.url import encode_octets
from detour.errors import PatternError, URLError
from detour.formats import regex_syntax as syntax

HOST = "host.example"  # RFC 6761 §6.5: of a pattern that names none
_WORD = "x"
_MOST = 12  # samples of one pattern
_MOST_OF_A_PART = 4
_READABLE = b"xa0-_."  # octets to take from a set, best first


def urls(rule: Rule, scheme: str, keys: Sequence[Key]) -> Iterator[str]:
    """URLs that the pattern of `rule` matches, likeliest first; none where no sample fits."""
    schemes = (scheme,) if scheme else ("https", "http")
    if keys:
        texts: Iterator[str] = (_of_key(key) for key in keys)
        query = _query(rule)
        yield from (f"{schemes[0]}://{text}{query}" for text in texts)
        return
    try:
        pattern = Pattern.parse(rule.pattern, ignore_case=rule.ignore_case)
        samples = list(islice(_samples(pattern), _MOST))
    except PatternError:
        return
    for text in samples:
        for one in schemes:
            try:
                request = Request.of("GET", f"{one}://{text}")
            except URLError:
                continue
            if pattern.match(request) is not None:
                yield f"{one}://{text}"
                break


def fields(rule: Rule) -> tuple[tuple[tuple[str, str], ...], str]:
    """The fields, and the client's address, that meet the conditions of `rule`."""
    found: list[tuple[str, str]] = []
    client = ""
    for condition in rule.terms.when:
        if isinstance(condition, ClientCondition):
            client = str(ip_network(condition.networks[0])[0])
            continue
        value = condition.values[0] if condition.values else _WORD
        if condition.of == "header":
            found.append((condition.name, value))
        elif condition.of == "cookie":
            found.append(("cookie", f"{condition.name}={value}"))
    return tuple(found), client


def _of_key(key: Key) -> str:
    text = key.text.removeprefix(FOLDED)
    host = "" if key.named else HOST
    return host + text.replace(ONE, _WORD).replace(REST, _WORD)


def _query(rule: Rule) -> str:
    asked = [(one.name, one.value if one.value is not None else _WORD) for one in rule.parameters]
    for condition in rule.terms.when:
        if not isinstance(condition, ClientCondition) and condition.of == "query":
            asked.append((condition.name, condition.values[0] if condition.values else _WORD))
    return "?" + "&".join(f"{name}={encode_octets(value)}" for name, value in asked) if asked else ""


def _samples(pattern: Pattern) -> Iterator[str]:
    host = HOST if pattern.hostname.implied else next(_of_parts(pattern.hostname.parts), HOST)
    ports = ("",) if pattern.port.implied else _of_parts(pattern.port.parts)
    port = next((text for text in ports if text.isdigit()), "")  # any: none
    query = "" if pattern.query.implied else next(_of_parts(pattern.query.parts), "")
    authority = f"{host}:{port}" if port else host
    paths = iter(("/",)) if pattern.path.implied else _of_parts(pattern.path.parts)
    for path in paths:
        whole = path if path.startswith("/") else f"/{path}"
        yield f"{authority}{whole}{'?' + query if query else ''}"


def _of_parts(parts: Sequence[Part]) -> Iterator[str]:
    """Texts that the parts match, each part's first text before its others."""
    choices = [list(islice(_of_part(part), _MOST_OF_A_PART)) or [""] for part in parts]
    for turn in range(max((len(one) for one in choices), default=0)):
        yield "".join(one[min(turn, len(one) - 1)] for one in choices)
    for place, one in enumerate(choices):
        for other in one[1:]:
            yield "".join(other if at == place else each[0] for at, each in enumerate(choices))


def _of_part(part: Part) -> Iterator[str]:
    if part.kind is PartKind.FIXED:
        yield part.value
    elif part.kind is PartKind.REGEXP:
        for text in _of_node(syntax.parse(part.value).node):
            yield part.prefix + text + part.suffix
    else:
        yield part.prefix + _WORD + part.suffix
    if part.modifier in ("?", "*"):
        yield ""


def _of_node(node: syntax.Node) -> Iterator[str]:
    match node:
        case syntax.Char(char):
            yield char
        case syntax.Octets(octets):
            best = next((octet for octet in _READABLE if octet in octets), min(octets, default=0))
            yield chr(best)
            others = (octet for octet in b"9Zz/" if octet in octets)
            yield from map(chr, others)
        case syntax.Sequence(nodes):
            choices = [list(islice(_of_node(one), _MOST_OF_A_PART)) or [""] for one in nodes]
            for turn in range(max((len(one) for one in choices), default=1)):
                yield "".join(one[min(turn, len(one) - 1)] for one in choices)
            if not choices:
                yield ""
        case syntax.Choice(nodes):
            for one in nodes:
                yield from islice(_of_node(one), _MOST_OF_A_PART)
        case syntax.Repeat():
            for text in islice(_of_node(node.node), _MOST_OF_A_PART):
                yield text * max(node.least, 1)
            if node.least == 0:
                yield ""
        case syntax.Capture():
            yield from _of_node(node.node)
        case _:
            yield ""
