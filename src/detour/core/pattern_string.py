"""A whole pattern into its components (URL Pattern, "constructor string parsing").

Detour's patterns are absolute, without user information and fragment, so the standard's states come
down to: where the scheme ends, where the authority ends, where the port begins, where the query
begins. What the standard would accept and nobody means is refused, with the spelling that works.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import ada_url

from detour.core.pattern_syntax import ComponentName, Token, TokenKind, shorten, tokenize
from detour.errors import PatternError

_Ends = Callable[[Sequence[Token], int], bool]

_IPV6 = re.compile(r"^([^/]*//)(\[[0-9A-Fa-f:.]+\])")


def split_pattern(text: str) -> dict[ComponentName, list[Token]]:
    """The tokens of each component that is written, in order; raises `PatternError`."""
    tokens = tokenize(_escape_ipv6(text))
    _refuse_optional_groups(tokens)
    written: dict[ComponentName, list[Token]] = {}
    start = 0
    if not text.startswith("/"):
        end = _scheme_end(text, tokens)
        written["scheme"] = _slice(tokens, 0, end)
        start = end + 1
    if written or text.startswith("//"):
        start = _split_authority(tokens, start + 2, written)
    _split_path(tokens, start, written)
    return written


def _split_authority(tokens: list[Token], start: int, written: dict[ComponentName, list[Token]]) -> int:
    """Host and port; returns where the path or the query begins."""
    end = _find(tokens, start, _ends_authority)
    if _find(tokens, start, _is("@")) < end:
        raise PatternError("user information in a pattern", "leave it out: it is not matched")
    colon = min(_port_prefix(tokens, start, end), end)
    if colon == start:
        raise PatternError("a pattern without a host", "write `//example.com/…`, or `/…` for any host")
    written["hostname"] = _slice(tokens, start, colon)
    written["port"] = _slice(tokens, colon + 1, end) if colon < end else _slice(tokens, end, end)
    return end


def _split_path(tokens: list[Token], start: int, written: dict[ComponentName, list[Token]]) -> None:
    """Path and query; what a pattern ends before is not written, a path before a query is `/`."""
    if _find(tokens, start, _is("#")) < len(tokens) - 1:
        raise PatternError("a fragment in a pattern", "leave it out: it reaches no server (`%23` for a `#`)")
    mark = _find(tokens, start, _is_query_prefix)
    has_query = mark < len(tokens) - 1
    if mark > start:
        written["path"] = _slice(tokens, start, mark)
        _check_dot_segments(written["path"])
    elif has_query:
        written["path"] = tokenize("/")
    if has_query:
        written["query"] = tokens[mark + 1 :]


def _slice(tokens: list[Token], start: int, end: int) -> list[Token]:
    return [*tokens[start:end], Token(TokenKind.END, tokens[end].index, "")]


def _find(tokens: Sequence[Token], start: int, ends: _Ends) -> int:
    """The first token from `start` on, outside of braces, at which `ends` holds; else END."""
    depth = 0
    for index in range(start, len(tokens) - 1):
        kind = tokens[index].kind
        if kind is TokenKind.OPEN:
            depth += 1
        elif kind is TokenKind.CLOSE:
            depth -= 1
        elif depth <= 0 and ends(tokens, index):
            return index
    return len(tokens) - 1


_PLAIN = (TokenKind.TEXT, TokenKind.ESCAPED, TokenKind.INVALID)


def _is(character: str) -> _Ends:
    """The standard's "is a non-special pattern char"."""

    def plain(tokens: Sequence[Token], index: int) -> bool:
        return tokens[index].value == character and tokens[index].kind in _PLAIN

    return plain


_is_slash = _is("/")
_is_colon = _is(":")
_is_question_mark = _is("?")
_GROUPS = (TokenKind.NAME, TokenKind.REGEXP, TokenKind.ASTERISK)


def _is_query_prefix(tokens: Sequence[Token], index: int) -> bool:
    """The standard's "is a search prefix"."""
    if _is_question_mark(tokens, index):
        return True
    if tokens[index].value != "?" or tokens[index].kind is not TokenKind.MODIFIER:
        return False
    return index == 0 or tokens[index - 1].kind not in (*_GROUPS, TokenKind.CLOSE)


def _ends_authority(tokens: Sequence[Token], index: int) -> bool:
    return _is_slash(tokens, index) or _is_query_prefix(tokens, index) or _is("#")(tokens, index)


def _port_prefix(tokens: Sequence[Token], start: int, end: int) -> int:
    """The `:` before the port: outside of an IPv6 host's brackets."""
    opened = _find(tokens[: end + 1], start, _is("["))
    closed = _find(tokens[: end + 1], start, _is("]"))
    colon = _find(tokens[: end + 1], start, _is_colon)
    return _find(tokens[: end + 1], closed, _is_colon) if opened < colon else colon


def _refuse_optional_groups(tokens: Sequence[Token]) -> None:
    for before, token in pairwise(tokens):
        if token.value == "?" and token.kind is TokenKind.MODIFIER and before.kind in _GROUPS:
            text = shorten(before.value)
            group = {TokenKind.NAME: f":{text}", TokenKind.REGEXP: f"({text})"}
            name = group.get(before.kind, "*")
            raise PatternError(
                f"`?` directly after `{name}` would make it optional",
                f"write `\\?` to begin a query (`\\\\?` between double quotes in TOML), "
                f"or `{{/{name}}}?` for an optional part",
            )


# As URL Pattern would glue "/a/.." and "/:id" into "//:id": resolved piece by piece, beside a group.
_DOTS = r"/(?:\.|%2[Ee]){1,2}"
_DOT_SEGMENT = re.compile(rf"{_DOTS}/?\0|\0.*{_DOTS}(?:[/\0]|$)")


def _check_dot_segments(tokens: Sequence[Token]) -> None:
    """Refuse a dot segment next to a group or after one; in plain text they are resolved."""
    kept = (TokenKind.TEXT, TokenKind.ESCAPED)
    text = "".join(token.value if token.kind in kept else "\0" for token in tokens[:-1])
    if "\0" in text and "." in text.replace("%2e", ".").replace("%2E", ".") and _DOT_SEGMENT.search(text):
        raise PatternError("a dot segment beside a group", "write the path without `.` and `..`")


def _escape_ipv6(text: str) -> str:
    """Let an IPv6 host be written plainly: in URL Pattern each of its colons would begin a name."""
    found = _IPV6.match(text)
    if not found:
        return text
    try:
        host = ada_url.URL(f"http://{found[2]}/").hostname
    except ValueError:
        return text
    return found[1] + host.replace(":", "\\:") + text[found.end() :]


# --- what begins a pattern ---------------------------------------------------------------------------


def _scheme_end(text: str, tokens: Sequence[Token]) -> int:
    """The `:` of `://`; raises `PatternError` with the spelling that was probably meant."""
    colon = _find(tokens, 0, _is_colon)
    after = [token.value for token in tokens[colon + 1 : colon + 3]]
    if colon and after == ["/", "/"]:
        return colon
    raise PatternError(*_relative(text))


def _relative(text: str) -> tuple[str, str]:
    if not text:
        return "an empty pattern", "write `/*` for every path"
    if text != text.strip():
        return f"{shorten(text)!r} has a space at an end", f"write `{shorten(text.strip()) or '/*'}`"
    if re.match(r"https?:/?[^/]", text):
        scheme, _, rest = text.partition(":")
        return f"`{scheme}:` without `//`", f"write `{scheme}://{shorten(rest.lstrip('/'))}`"
    first = re.split(r"[/?#]", text, maxsplit=1)[0]
    if re.fullmatch(r"[^:()\\]+\.[^:()\\]*[^:()\\.]|(?:[^:()\\]+\.[^:()\\]+|localhost)(?::\d+)?", first):
        return (
            f"`{shorten(text)}` begins with neither `/` nor a scheme",
            f"write `//{shorten(text)}` if `{shorten(first)}` is a host, `/{shorten(text)}` if it is a path",
        )
    path = "/*" if text == "*" else f"/{text}"
    return f"`{shorten(text)}` begins with neither `/` nor a scheme", f"write `{shorten(path)}`"
