"""The expression of a `redirectRegex`, which goes by a whole URL, taken apart: scheme, host, path, query.

Traefik replaces what matches in `scheme://host[:port]/path?query` and keeps what is left over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

import msgspec
import re2

from detour.errors import PatternError

Rest = Literal["nothing", "kept", "captured"]


class Token(msgspec.Struct, frozen=True):
    """One part of an expression at its top level, with its quantifier."""

    text: str
    group: int = 0  # the number of the group that it is; 0: none
    groups: int = 0  # how many groups are in it


class Address(msgspec.Struct, frozen=True):
    """An expression of URLs of one scheme, in parts that are expressions of their own."""

    scheme: str
    captures: Mapping[int, str]  # what is captured of the scheme: text
    host: str  # "" for any
    host_group: int  # the group that holds host, port and what follows; 0: none
    port: str  # as in a pattern: "" for the default, "*" for any, "([0-9]+)" for one that is written
    port_group: int
    path: str  # without anchors; "" for any
    path_starts: int  # groups before those of the path
    open_group: int  # the group that holds the end of the path, and the query; 0: none
    end: Literal["open", "closed", "left"]  # any query, none; or whatever is left over is kept
    query: Literal["", "any", "value"] = ""  # how the query is asked for: with its mark, or without it
    query_group: int = 0
    fold: bool = False
    first_of_host: int = 0  # groups before those of the host
    holds_port: int = 0  # the group of the host that may end with the port
    count: int = 0


_QUIET = re2.Options()
_QUIET.log_errors = False
_QUANTIFIER = re.compile(r"(?:[*+?]|\{[0-9,]+\})\??")
_ANY_HOST = re.compile(r"(?:\[\^[/:?]+\][*+]|\.\+|\.\*)\??")
_PORT = re.compile(r":(?:\(\?:|\()?:?(?:\\d|\[0-9\])[+*]\)?\??$")
_PORT_TOKEN = re.compile(r"\((?:\?:)?:(?:\\d|\[0-9\])(?:[+*]|\{[0-9,]+\})\)\??")
_QUERIES = {
    r"(\?.*)?": "any", r"(\?.+)?": "any", r"(\?.*)": "any", r"(?:\?.*)?": "any", r"(?:\?.+)?": "any",
    r"(\?.+)?\??": "any", r"\?(.+)": "value", r"\?(.*)": "value",
}  # fmt: skip


@lru_cache(maxsize=256)
def _compiled(regex: str) -> re2._Regexp[str]:
    return re2.compile(regex, _QUIET)


def fullmatch(regex: str, text: str) -> re.Match[str] | None:
    """Whether a whole text matches; raises `PatternError` for what is no expression."""
    try:
        found: re.Match[str] | None = _compiled(regex).fullmatch(text)
    except re2.error as error:
        raise PatternError(f"not a regular expression: {error}", "correct it") from None
    return found


def addresses(regex: str) -> Iterator[Address]:
    """The expression for each scheme that it matches; raises `PatternError`."""
    fullmatch(regex, "")
    fold = regex.startswith("(?i)")
    tokens = list(_tokens(regex.removeprefix("(?i)")))
    if tokens and tokens[0].text == "^":
        tokens = tokens[1:]
    ends = bool(tokens) and tokens[-1].text == "$"
    tokens = tokens[:-1] if ends else tokens
    if len(tokens) == 1 and re.fullmatch(r"\(?\.[*+]\)?", tokens[0].text):
        yield Address("", {}, "", 0, "*", 0, "", 0, 0, "open", fold=fold, count=tokens[0].groups)
        return
    found = [_of_scheme(tokens, scheme, ends, fold) for scheme in ("http", "https")]
    known = [one for one in found if one is not None]
    if not known:
        raise PatternError(
            f"{regex!r} does not begin with a scheme", "begin it with `^https?://`, as Traefik's URLs do"
        )
    yield from known


class Cut(msgspec.Struct, frozen=True):
    """An expression with text behind what takes the query, as two: for URLs with a query, which that text
    is not in front of, and for those without. `open_group` takes the query; `groups`: those of `asked`."""

    asked: str
    bare: str
    open_group: int
    groups: int


def cut_tail(regex: str) -> Cut | None:
    """The two expressions of `…(.*?)/?$`; None where nothing stands behind what takes the query."""
    if not regex.endswith("$"):
        return None
    tokens = list(_tokens(regex))[:-1]
    at = len(tokens)
    while at > 1 and tokens[at - 1].text == "/?":
        at -= 1
    if at == len(tokens) or not _holds_query(tokens[at - 1]):
        return None
    head, count = _joined(tokens[:at]), _count(tokens)
    opened = _count(tokens[: at - 1]) + 1 if tokens[at - 1].group else 0
    return Cut(f"{head}\\?(.+)$", f"{_joined(tokens)}\\??$", opened, count + 1)


def _tokens(regex: str) -> Iterator[Token]:
    place, groups = 0, 0
    while place < len(regex):
        end, group, inner = _token(regex, place, groups)
        if regex[place] in "|^" and place:
            raise PatternError(f"`{regex[place]}` in the middle of an expression of URLs", "write several")
        if (found := _QUANTIFIER.match(regex, end)) is not None:
            end = found.end()
        yield Token(regex[place:end], group, inner)
        groups, place = groups + inner, end


def _token(regex: str, place: int, groups: int) -> tuple[int, int, int]:
    """Where a token ends, the number of the group that it is, and how many groups it holds."""
    if regex[place] == "\\":
        return place + 2, 0, 0
    if regex[place] == "[":
        return _class_end(regex, place), 0, 0
    if regex[place] != "(":
        return place + 1, 0, 0
    depth, inner, at = 0, 0, place
    while at < len(regex):
        if regex[at] == "\\":
            at += 2
            continue
        if regex[at] == "[":
            at = _class_end(regex, at)
            continue
        if regex[at] == "(":
            depth += 1
            inner += regex[at + 1 : at + 2] != "?" or regex[at + 1 : at + 3] == "?P"
        elif regex[at] == ")":
            depth -= 1
            if depth == 0:
                break
        at += 1
    captures = regex[place + 1 : place + 2] != "?" or regex[place + 1 : place + 3] == "?P"
    return at + 1, groups + 1 if captures else 0, inner


def _class_end(regex: str, place: int) -> int:
    at = place + 1
    at += regex[at : at + 1] == "^"
    at += regex[at : at + 1] == "]"
    while at < len(regex) and regex[at] != "]":
        at += 2 if regex[at] == "\\" else 1
    return at + 1


def _joined(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def _count(tokens: list[Token]) -> int:
    return sum(token.groups for token in tokens)


def _of_scheme(tokens: list[Token], scheme: str, ends: bool, fold: bool) -> Address | None:
    for size in range(1, len(tokens) + 1):
        text = _joined(tokens[:size])
        if "://" not in text.replace("\\/", "/").replace("\\:", ":"):
            continue
        found = fullmatch(text, f"{scheme}://")
        if found is not None:
            said = {number: found[number] or "" for number in range(1, len(found.groups()) + 1)}
            return _behind_scheme(tokens[size:], scheme, said, ends, fold)
    return None


def _crosses(token: Token) -> bool:
    """Whether a token may hold the end of the host and the beginning of the path."""
    return fullmatch(token.text, "a/b") is not None


def _begins_path(token: Token) -> bool:
    return re.match(r"(?:\((?:\?:)?)?\\?/", token.text) is not None or (
        fullmatch(token.text, "/b") is not None and fullmatch(token.text, "a") is None
    )


def _behind_scheme(tokens: list[Token], scheme: str, said: dict[int, str], ends: bool, fold: bool) -> Address:
    size = next(
        (place for place, token in enumerate(tokens) if _crosses(token) or _begins_path(token)), len(tokens)
    )
    host, rest = tokens[:size], tokens[size:]
    before = len(said)
    total = before + _count(tokens)
    host, port, port_group = _port(host, before)
    text = _joined(host)
    if rest and _crosses(rest[0]) and not port:
        if rest[1:] and not _begins_path(rest[1]):  # the host goes on: it holds no slash
            inside = msgspec.structs.replace(rest[0], text=rest[0].text.replace(".", "[^/:]", 1))
            return _behind_scheme([*tokens[:size], inside, *rest[1:]], scheme, said, ends, fold)
        return _crossing(host, rest, scheme, said, ends, fold)
    if (scheme, port) in (("http", "80"), ("https", "443")):
        raise PatternError(f"the port {port}, which URLs of {scheme} leave out", f"write `(:{port})?`")
    if not rest and ends:
        raise PatternError("an expression that ends before the path: no URL is like that", "add `(.*)`")
    path = _path(rest, ends, before + _count(tokens[:size]))
    open_host = not rest and not port  # what follows may still belong to the host
    if open_host and text:
        text += "[^/:]*"
    holds_port = bool(host) and not port and fullmatch(host[-1].text, "a:80") is not None
    return Address(
        scheme, said, text, 0, "*" if open_host or holds_port else port, port_group, *path,
        fold=fold, first_of_host=before, count=total,
        holds_port=before + _count(host[:-1]) + 1 if holds_port and host[-1].group else 0,
    )  # fmt: skip


def _port(host: list[Token], before: int) -> tuple[list[Token], str, int]:
    """The host without its port, the port as in a pattern, the group that holds it."""
    if host and _PORT_TOKEN.fullmatch(host[-1].text):
        port = "*" if host[-1].text.endswith("?") else "([0-9]+)"
        return host[:-1], port, before + _count(host[:-1]) + 1 if host[-1].group else 0
    for place, token in enumerate(host):
        if token.text in (":", "\\:"):
            digits = _joined(host[place + 1 :])
            if digits in ("\\d+", "[0-9]+"):
                return host[:place], "([0-9]+)", 0
            if digits.isdecimal():
                return host[:place], digits, 0
            raise PatternError(f"the port {digits!r}", "write digits, or `(:[0-9]+)?`")
    return host, "", 0


def _crossing(
    host: list[Token], rest: list[Token], scheme: str, said: dict[int, str], ends: bool, fold: bool
) -> Address:
    """A `.*` that begins in the host: it is the host's end and, where more follows, the path's beginning."""
    first, *more = rest
    if re.fullmatch(r"\(?\.[*+]\)?|\(\.[*+]\)|\(?\.[*+]\?\)?", first.text) is None:
        raise PatternError(f"{first.text!r} may be host and path", "write `[^/]+` for the host")
    before = len(said)
    starts = before + _count(host)
    total = before + _count([*host, *rest])
    lazy = "?" in first.text
    text = _joined(host) + ("[^/:]*" if host else "")
    if not more:
        if lazy and not ends:
            raise PatternError(f"{first.text!r} at the end matches nothing", "write it without `?`")
        return Address(
            scheme, said, text, first.group and starts + 1, "*", 0, "", total, 0, "open",
            fold=fold, first_of_host=before, count=total,
        )  # fmt: skip
    if lazy and (more[0].text not in ("/", "\\/") or _joined(more[1:]) not in ("(.*)", ".*")):
        raise PatternError(f"{first.text!r} may be host and path", "write `[^/]+` for the host")
    if lazy:
        path = _path(more, ends, starts + first.groups)
    else:
        opened = Token("(.*)" if first.group else ".*", first.group, first.groups)
        path = _path([opened, *more], ends, starts)
    return Address(
        scheme, said, text, first.group and starts + 1, "*", 0, *path,
        fold=fold, first_of_host=before, count=total,
    )  # fmt: skip


_Path = tuple[str, int, int, Literal["open", "closed", "left"], Literal["", "any", "value"], int]


def _path(tokens: list[Token], ends: bool, before: int) -> _Path:
    """The parts of an `Address` from `path` to `query_group`."""
    if not tokens:
        return "", before, 0, "left", "", 0
    asked = next((place for place, token in enumerate(tokens) if _asks_query(token)), None)
    if asked is not None:
        text, query = _joined(tokens[:asked]), _joined(tokens[asked:])
        if query == "\\??" and ends:
            return text, before, 0, "closed", "", 0
        kind = _QUERIES.get(query)
        if kind is None or not (ends or query.endswith(("*)?", "*)", "+)", "+)?"))):
            raise PatternError(f"the query is asked for {query!r}", "end the expression with `(.*)`")
        group = before + _count(tokens[:asked]) + 1 if _count(tokens[asked:]) else 0
        return text, before, 0, "open", kind, group  # type: ignore[return-value]
    at = len(tokens) - 1
    while at > 0 and not _holds_query(tokens[at]) and fullmatch(tokens[at].text, "") is not None:
        at -= 1
    if _holds_query(tokens[at]):
        group = before + _count(tokens[:at]) + 1 if tokens[at].group else 0
        return _joined(tokens), before, group, "open", "", 0
    return _joined(tokens), before, 0, "closed" if ends else "left", "", 0


def _holds_query(token: Token) -> bool:
    return any(fullmatch(token.text, text) is not None for text in ("a?b", "/a?b"))


def _asks_query(token: Token) -> bool:
    return token.text in ("\\?", "\\??") or re.match(r"\((?:\?:)?\\\?", token.text) is not None
