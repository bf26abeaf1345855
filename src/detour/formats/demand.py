"""What the conditions of a server's configuration ask of a request, joined, as one native pattern.

HAProxy's ACLs and Apache's RewriteConds each look at one thing; a rule asks for several at once. A
`Demand` is such a conjunction. What cannot be said of host, path or query by one pattern (two regular
expressions of the same path, the complement of one) is refused, never approximated.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from detour.core.pattern import Pattern
from detour.core.rule import Condition
from detour.errors import PatternError
from detour.formats.complement import Ends, complement
from detour.formats.redirects_file import literal
from detour.formats.regex import Expression, expression, expressions

Kind = Literal["exact", "prefix", "suffix", "part", "between", "regex", "none"]

_LITERAL_REGEX = re.compile(r"(\^?)((?:[A-Za-z0-9/_~%@,:;=&!\"'<> -]|\\[^A-Za-z0-9])*)(\$?)")


class Text(msgspec.Struct, frozen=True):
    """What a host, a path or a query must be. `none`: nothing that one of `others` says; `between`: what
    begins with `text` and ends as the one of `others`."""

    kind: Kind
    text: str = ""
    ignore_case: bool = False
    others: tuple[Text, ...] = ()
    slash: bool = True  # of a regular expression: whether it sees the first slash of the path
    whole: bool = False  # of a regular expression: whether it is anchored at both ends


class Demand(msgspec.Struct, frozen=True):
    """What a request must be like, all at once; what is None may be anything."""

    scheme: str = ""
    host: Text | None = None
    port: str | None = None
    path: Text | None = None
    query: Text | None = None
    methods: frozenset[str] | None = None
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """A demand as a native pattern. `path` and `host` map what their regular expressions capture to text of a
    template; `rest` is the slot of what an open end of the path took."""

    pattern: str
    ignore_case: bool
    path: Mapping[int | str, str]
    host: Mapping[int | str, str]
    rest: str = ""


ANY = Demand()


def both(one: Demand, other: Demand) -> Demand | None:
    """What asks for both; None where nothing can be both. Raises `PatternError` where no pattern says it."""
    if one.scheme and other.scheme and one.scheme != other.scheme:
        return None
    if one.port is not None and other.port is not None and one.port != other.port:
        return None
    methods = one.methods if other.methods is None else other.methods
    if one.methods is not None and other.methods is not None:
        methods = one.methods & other.methods
        if not methods:
            return None
    joined = [_both_texts(getattr(one, name), getattr(other, name), name) for name in _TEXTS]
    if _NEVER in joined:
        return None
    return Demand(
        one.scheme or other.scheme,
        joined[0],
        one.port if other.port is None else other.port,
        joined[1],
        joined[2],
        methods,
        _joined(one.when, other.when),
        _joined(one.unless, other.unless),
    )


_TEXTS = ("host", "path", "query")
_NEVER = Text("none", "never")


def _joined(one: tuple[Condition, ...], other: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return one + tuple(condition for condition in other if condition not in one)


def _both_texts(one: Text | None, other: Text | None, name: str) -> Text | None:
    if one is None or other is None or one == other:
        return one or other
    for first, second in ((one, other), (other, one)):
        if first.kind == "exact":
            holds = matches(second, first.text)
            if holds is not None:
                return first if holds else _NEVER
    if one.kind == other.kind == "none":
        return Text("none", others=one.others + other.others)
    return _both_open(one, other, name)


def _both_open(one: Text, other: Text, name: str) -> Text:
    for first, second in ((one, other), (other, one)):
        if first.kind == second.kind == "prefix" and first.text.startswith(second.text):
            return first
        if first.kind == second.kind == "suffix" and first.text.endswith(second.text):
            return first
        if (
            first.kind == "regex"
            and first.text in ("", "^", ".*", "^.*", "(.*)", "^(.*)$")
            and not first.slash
        ):
            continue
        if first.kind == "none" and second.kind == "prefix":
            kept = tuple(text for text in first.others if _meet(text, second.text))
            if not kept:
                return second
            if any(text.kind == "prefix" and second.text.startswith(text.text) for text in kept):
                return _NEVER
        if (first.kind, second.kind) == ("prefix", "suffix") and not _overlap(first.text, second.text):
            return Text("between", first.text, first.ignore_case or second.ignore_case, (second,))
    if one.kind == other.kind == "prefix":
        return _NEVER
    raise PatternError(
        f"the {name} must be two things at once, which no one pattern says",
        "write the two as one expression, or a rule for each",
    )


def _overlap(prefix: str, suffix: str) -> bool:
    """Whether an end of `prefix` is a beginning of `suffix`: one text could be both without a gap."""
    return any(suffix.startswith(prefix[place:]) for place in range(len(prefix)))


def _meet(excluded: Text, prefix: str) -> bool:
    """Whether something can begin with `prefix` and be what is excluded."""
    if excluded.kind not in ("exact", "prefix"):
        return True
    if excluded.kind == "exact":
        return excluded.text.startswith(prefix)
    return excluded.text.startswith(prefix) or prefix.startswith(excluded.text)


def matches(text: Text, value: str) -> bool | None:
    """Whether `value` is what `text` asks for; None where that cannot be told here."""
    fold = str.lower if text.ignore_case else str
    wanted, given = fold(text.text), fold(value)
    match text.kind:
        case "exact":
            return given == wanted
        case "prefix":
            return given.startswith(wanted)
        case "suffix":
            return given.endswith(wanted)
        case "part":
            return wanted in given
        case "between":
            both_ends = [given.startswith(wanted), matches(text.others[0], value)]
            return all(both_ends) and len(value) >= len(wanted) + len(text.others[0].text)
        case "none":
            found = [matches(other, value) for other in text.others]
            return None if None in found else not any(found)
        case _:
            return None


def excluded(texts: Iterable[Text]) -> Text:
    """What none of `texts` says; raises `PatternError` where no pattern says it."""
    others = tuple(texts)
    kinds = {text.kind for text in others}
    if not (kinds <= {"exact", "prefix"} or kinds <= {"exact", "suffix"}):
        raise PatternError(
            "all that an expression does not match, which no pattern says",
            "exclude whole texts, beginnings or ends; or put a rule for what is excluded in front",
        )
    return Text("none", others=others, ignore_case=any(text.ignore_case for text in others))


def of_regex(regex: str, *, ignore_case: bool = False, slash: bool = True) -> tuple[Text, ...]:
    """A regular expression as texts, one of which must hold: as plain ones where it is one."""
    branches = _branches(regex)
    plain = [_LITERAL_REGEX.fullmatch(branch) for branch in branches]
    if not all(plain):
        return (Text("regex", regex, ignore_case, slash=slash),)
    texts = []
    for found in plain:
        assert found is not None
        text = re.sub(r"\\(.)", r"\1", found[2])
        kind: Kind = _KINDS[bool(found[1]), bool(found[3])]
        if not slash:
            text, kind = _slashed(text, kind)
        texts.append(Text(kind, text, ignore_case))
    return tuple(texts)


_KINDS: dict[tuple[bool, bool], Kind] = {
    (True, True): "exact",
    (True, False): "prefix",
    (False, True): "suffix",
    (False, False): "part",
}
_ALTERNATIVES = re.compile(r"(\^?)\((?:\?:)?((?:[^()\\|]|\\.)*(?:\|(?:[^()\\|]|\\.)*)+)\)((?:[^()\\|]|\\.)*)")


def _branches(regex: str) -> list[str]:
    """`^(a|b)c` as `^ac` and `^bc`; other expressions as they are."""
    found = _ALTERNATIVES.fullmatch(regex)
    if found is None:
        whole = regex.split("|")
        return whole if "(" not in regex and "\\|" not in regex and len(whole) > 1 else [regex]
    return [f"{found[1]}{branch}{found[3]}" for branch in found[2].split("|")]


def _slashed(text: str, kind: Kind) -> tuple[str, Kind]:
    """Of a path without its first slash, as of the path."""
    return (f"/{text}", kind) if kind in ("exact", "prefix") else (text, kind)


# ---- as a pattern


def ask(
    demand: Demand, used: Collection[int | str] = (), host_used: Collection[int | str] = ()
) -> list[Asked]:
    """The native patterns of a demand, the first that matches counts: one, unless a regular expression of the
    path whose captures are `used` takes several. Raises `PatternError` where there is none."""
    if demand.path is None or demand.path.kind != "regex":
        return [_asked(demand, None, host_used)]
    found = expressions(
        demand.path.text,
        ignore_case=demand.path.ignore_case,
        whole=demand.path.whole,
        slash=demand.path.slash,
        used=used,
    )
    return [_asked(demand, one, host_used) for one in found]


def _asked(demand: Demand, path: Expression | None, host_used: Collection[int | str]) -> Asked:
    writer = _PatternWriter(host_used)
    origin = writer.origin(demand)
    text = writer.path(demand.path) if path is None else path.pattern
    if path is not None:
        writer.count += _unnamed(text)
    query = writer.query(demand.query)
    if not origin and text.startswith("//"):
        text = "/\\/" + text[2:]
    cases = [text.ignore_case for text in (demand.path, demand.query) if text is not None]
    fold = any(cases) or (path is not None and path.ignore_case)
    return Asked(
        origin + text + query, fold, {} if path is None else path.captures, writer.host_captures, writer.rest
    )


class _PatternWriter:
    def __init__(self, host_used: Collection[int | str]) -> None:
        self.count = 0  # groups without a name so far
        self.host_used = host_used
        self.host_captures: Mapping[int | str, str] = {}
        self.rest = ""

    def _group(self) -> str:
        self.count += 1
        return str(self.count - 1)

    def origin(self, demand: Demand) -> str:
        if not (demand.scheme or demand.host or demand.port):
            return ""
        scheme = f"{demand.scheme}:" if demand.scheme else ""
        host = "*"
        if demand.host is None:
            self._group()
        else:
            host = self._text("host", demand.host)
        port = "" if demand.port is None else f":{demand.port}"
        if demand.port is None and (demand.host is None or demand.host.kind not in ("exact", "suffix")):
            self._group()
            port = ":*"
        return f"{scheme}//{host}{port}"

    def path(self, path: Text | None) -> str:
        if path is None:
            self.rest = self._group()
            return "/*"
        if path.kind == "none":
            rest = [_behind_slash(text) for text in path.others]
            self.rest = self._group()
            return f"/({complement(map(_ended, rest))})"
        return self._plain_path(path)

    def _plain_path(self, path: Text) -> str:
        text = path.text
        if path.kind in ("exact", "prefix", "between") and not text.startswith("/"):
            raise PatternError(f"no path begins with {text!r}", f"write `/{text}`")
        start = literal(text)
        if path.kind == "exact":
            return start
        if path.kind in ("prefix", "between"):
            self.rest = self._group()
            return f"{start}*{literal(path.others[0].text) if path.others else ''}"
        end = ""
        if text.startswith("/"):
            start = f"/{{*/}}?{literal(text[1:])}" if text != "/" else "/{*/}?"
        else:
            start = f"/*{start}"
        self._group()
        if path.kind == "part":
            self._group()
            end = "*"
        return start + end

    def query(self, query: Text | None) -> str:
        if query is None:
            return ""
        return "\\?" + self._text("query", query)

    def _text(self, name: str, text: Text) -> str:
        if text.kind == "regex":
            return self._regex(name, text)
        if text.kind == "none":
            self._group()
            return f"({complement(map(_ended, text.others), empty=name != 'host')})"
        start = end = ""
        if text.kind in ("suffix", "part"):
            start = "*"
            self._group()
        if text.kind in ("prefix", "part", "between"):
            end = "*" + "".join(literal(other.text) for other in text.others)
            self._group()
        return start + literal(text.text) + end

    def _regex(self, name: str, text: Text) -> str:
        if name == "query":
            raise PatternError(
                "an expression of the query", "ask for single parameters: `(^|&)name=value(&|$)`"
            )
        found = expression(text.text, component="hostname", ignore_case=True, used=self.host_used)
        # the path's expression may have groups of the same names
        self.host_captures = {key: _renamed(value, "{") for key, value in found.captures.items()}
        self.count += _unnamed(found.pattern)
        return _renamed(found.pattern, ":")


def _renamed(text: str, mark: str) -> str:
    return re.sub(re.escape(mark) + r"p(?=[0-9])", f"{mark}host", text)


def _unnamed(pattern: str) -> int:
    """How many groups without a name a component's pattern has."""
    text = pattern if pattern.startswith("/") else f"//{pattern}/"
    return sum(1 for group in Pattern.parse(text).groups if group.name.isdigit())


def _behind_slash(text: Text) -> Text:
    if text.kind == "suffix":
        return text
    return msgspec.structs.replace(text, text=text.text.removeprefix("/"))


def _ended(text: Text) -> tuple[str, Ends]:
    assert text.kind in ("exact", "prefix", "suffix")
    return text.text, text.kind
