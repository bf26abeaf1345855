"""A rule taken apart for those who write it in another language: what it matches, in pieces.

URL Pattern says more than most languages do, so a pattern comes as one or more ways to match, each of
pieces that nearly every language has: a scheme, a host, fixed text, one segment, whatever follows. What is
more than that comes as a regular expression, which reads the same to RE2, PCRE and Go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Literal

import msgspec

from detour.core.keys import FOLDED, ONE, REST, Key, keys
from detour.core.pattern import Pattern
from detour.core.pattern_component import Component
from detour.core.pattern_syntax import SHAPES, Part, PartKind
from detour.core.rule import Rule
from detour.core.template import Slot, Template

NO_QUERY = "(?:)"  # the expression of a pattern that asks for a request without a query
_SPECIAL = re.compile(r"[.^$*+?()\[\]{}|\\]")


def quoted(text: str) -> str:
    """`text` as a regular expression that matches it alone, to every engine alike."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class Gap(msgspec.Struct, frozen=True):
    """What a path leaves open: one segment that is not empty, or whatever follows."""

    name: str
    kind: Literal["segment", "rest"]


Piece = str | Gap


class Way(msgspec.Struct, frozen=True):
    """One way in which a request can match a rule; percent-encoded as it stands in a URL."""

    rule: Rule
    scheme: str  # "" for any
    host: str  # "" for any; `example.com`; `*.example.com` for every host below
    port: str  # "" for the scheme's
    path: tuple[Piece, ...]  # () where only `regex` says it
    regex: str  # of the whole path, and
    groups: tuple[str, ...]  # the names of its groups, in their order
    host_regex: str = ""  # of the whole host, where `host` cannot say it
    host_groups: tuple[str, ...] = ()
    query_regex: str = ""  # of the whole query, where the pattern has one
    query_groups: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()  # groups that take no part: they capture ""

    @property
    def exact(self) -> str | None:
        """The one path that it matches."""
        return "".join(map(str, self.path)) if self.path and self._is_fixed(self.path) else None

    @property
    def prefix(self) -> str | None:
        """What the paths that it matches begin with, where that is all it asks."""
        if not self.path or not isinstance(self.path[-1], Gap) or self.path[-1].kind != "rest":
            return None
        return "".join(map(str, self.path[:-1])) if self._is_fixed(self.path[:-1]) else None

    @property
    def fixed_start(self) -> str:
        """Fixed text that every path it matches begins with."""
        start = ""
        for piece in self.path:
            if not isinstance(piece, str):
                break
            start += piece
        if self.path:
            return start
        return _fixed_start(Pattern.parse(self.rule.pattern).path)

    @staticmethod
    def _is_fixed(pieces: tuple[Piece, ...]) -> bool:
        return all(isinstance(piece, str) for piece in pieces)


def _fixed_start(path: Component) -> str:
    return "" if path.implied else path.prefix


def ways(rule: Rule) -> Iterator[Way]:
    """The ways to match a rule, none of which matches what another does."""
    pattern = Pattern.parse(rule.pattern, ignore_case=rule.ignore_case)
    scheme = _scheme(pattern)
    host, host_regex, host_groups = (
        ("", "", ()) if _is_any(pattern.hostname, rule) else _host(pattern.hostname)
    )
    port = "" if pattern.port.implied or pattern.port.literal is None else pattern.port.literal
    query, query_groups = _query(pattern.query)
    whole = Way(rule, scheme, host, port, (), "", (), host_regex, host_groups, query, query_groups)
    found = keys(pattern) if not query else None
    if found is None:
        regex, groups = (".*", ()) if pattern.path.implied else expression(pattern.path)
        yield msgspec.structs.replace(whole, path=_pieces_of(pattern.path), regex=regex, groups=groups)
        return
    for key in found:
        path = tuple(_pieces(key))
        regex, groups = _of_pieces(path)
        yield msgspec.structs.replace(whole, path=path, regex=regex, groups=groups, unmatched=key.unmatched)


def _query(query: Component) -> tuple[str, tuple[str, ...]]:
    if query.implied:
        return "", ()
    regex, groups = expression(query)
    return regex or NO_QUERY, groups


def _scheme(pattern: Pattern) -> str:
    """The one scheme; "" where both will do."""
    if pattern.scheme.implied:
        return ""
    fits = [name for name in ("http", "https") if pattern.scheme.match(name) is not None]
    return fits[0] if len(fits) == 1 else ""


def _is_any(host: Component, rule: Rule) -> bool:
    """Whether every host will do, and the Location does not say which it was."""
    if host.implied or len(host.parts) != 1:
        return host.implied
    [one] = host.parts
    free = (one.kind, one.modifier, one.prefix, one.suffix) == (PartKind.WILDCARD, "", "", "")
    return free and (rule.template is None or all(slot.name != one.name for slot in rule.template.slots))


def _host(host: Component) -> tuple[str, str, tuple[str, ...]]:
    """The host as text, else as a regular expression with its groups."""
    if host.literal is not None:
        return host.literal, "", ()
    *before, last = host.parts
    if (
        len(before) == 1
        and (before[0].kind, before[0].modifier) == (PartKind.WILDCARD, "")
        and not (before[0].prefix or before[0].suffix)
        and last.kind is PartKind.FIXED
        and not last.modifier
        and last.value.startswith(".")
    ):
        return f"*{last.value}", f"(.*){quoted(last.value)}", (before[0].name,)
    regex, groups = expression(host)
    return "", regex, groups


def _pieces(key: Key) -> Iterator[Piece]:
    """The pieces of a key's path; its host is left aside."""
    text = key.text.removeprefix(FOLDED)
    text = text[text.index("/") :]
    names = iter(key.names)
    for piece in re.split(f"([{ONE}{REST}])", text):
        if piece == ONE:
            yield Gap(next(names), "segment")
        elif piece == REST:
            yield Gap(next(names), "rest")
        elif piece:
            yield piece


def _pieces_of(path: Component) -> tuple[Piece, ...]:
    """The pieces of a path that has no key for other reasons; () where pieces cannot say it."""
    if path.implied:
        return ("/", Gap("", "rest"))
    pieces: list[Piece] = []
    for place, part in enumerate(path.parts):
        if part.modifier or part.suffix or part.kind is PartKind.REGEXP:
            return ()
        pieces += [part.prefix or part.value] if part.prefix or part.kind is PartKind.FIXED else []
        if part.kind is PartKind.SEGMENT and part.prefix == "/":
            pieces.append(Gap(part.name, "segment"))
        elif part.kind is PartKind.WILDCARD and place == len(path.parts) - 1:
            pieces.append(Gap(part.name, "rest"))
        elif part.kind is not PartKind.FIXED:
            return ()
    joined = _joined(pieces)
    for gap, after in pairwise(joined):
        if isinstance(gap, Gap) and isinstance(after, str) and not after.startswith("/"):
            return ()
    return joined


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


_OF_GAPS = {"segment": "([^/]+)", "rest": "(.*)"}


def _of_pieces(path: tuple[Piece, ...]) -> tuple[str, tuple[str, ...]]:
    regex = "".join(quoted(piece) if isinstance(piece, str) else _OF_GAPS[piece.kind] for piece in path)
    return regex, tuple(piece.name for piece in path if isinstance(piece, Gap))


def expression(component: Component) -> tuple[str, tuple[str, ...]]:
    """A component as a regular expression of the whole text, and the names of its groups in their order."""
    regex = "".join(_of_part(part, SHAPES[component.name].segment) for part in component.parts)
    return regex, component.groups


def _of_part(part: Part, segment: str) -> str:
    """URL Pattern, "generate a regular expression and name list"."""
    if part.kind is PartKind.FIXED:
        return f"(?:{quoted(part.value)}){part.modifier}" if part.modifier else quoted(part.value)
    inner = {PartKind.SEGMENT: segment, PartKind.WILDCARD: ".*"}.get(part.kind, part.value)
    before, after = quoted(part.prefix), quoted(part.suffix)
    if part.modifier in ("", "?"):
        one = f"{before}({inner}){after}"
        return f"(?:{one})?" if part.modifier else one
    many = f"{before}((?:{inner})(?:{after}{before}(?:{inner}))*){after}"
    return many if part.modifier == "+" else f"(?:{many})?"


# --- the Location ------------------------------------------------------------------------------------


def spell(template: Template, literal: Callable[[str], str], slots: Mapping[str, str]) -> str | Slot:
    """The Location in another language, the query that is kept aside; or the slot it has no word for.

    `slots` has the words for captures by their name, and for `url.hostname` and such.
    """
    for slot in template.slots:
        if slot.name not in slots:
            return slot

    def said(parts: tuple[str | Slot, ...] | None) -> str:
        return "".join(literal(part) if isinstance(part, str) else slots[part.name] for part in parts or ())

    text = said(template.path)
    if template.authority:
        scheme = f"{template.scheme}:" if template.scheme else ""
        text = f"{scheme}//{said(template.authority)}{text}"
    if template.query is not None:
        text += f"?{said(template.query)}"
    return text if template.fragment is None else f"{text}#{said(template.fragment)}"


def keeps_query(rule: Rule) -> bool:
    """Whether the request's query is added to the Location."""
    return rule.template is not None and rule.terms.query == "keep" and not rule.takes_query


def widened(rule: Rule) -> Rule:
    """The rule in a language where what is below a path takes the path itself too: `/v1/*` as `/v1{/*}?`."""
    if not rule.pattern.endswith("/*") or not any(map(takes_itself, ways(rule))):
        return rule
    return msgspec.structs.replace(rule, pattern=f"{rule.pattern[:-2]}{{/*}}?")


def takes_itself(way: Way) -> bool:
    """Whether `widened` changes what is matched: a rest behind the slash of a longer path."""
    last = way.path[-1] if way.path else ""
    before = way.path[-2] if len(way.path) > 1 else ""
    if not isinstance(last, Gap) or last.kind != "rest" or not isinstance(before, str):
        return False
    return before.endswith("/") and (len(way.path) > 2 or before != "/")
