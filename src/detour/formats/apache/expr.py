"""The expressions of `<If>`, as far as one request tells (httpd.apache.org/docs/2.4/expr.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.errors import PatternError
from detour.formats.apache.conditions import read
from detour.formats.demand import ANY, Demand, both

_TERM = re.compile(
    r"""\s*(?P<not>!)?\s*(?:(?P<true>true)|(?P<false>false)
    |%\{(?P<variable>[^}]+)\}\s*(?P<operator>==|=|!=|=~|!~)\s*
     (?:'(?P<text>[^']*)'|"(?P<quoted>[^"]*)"|(?:/(?P<regex>(?:[^/\\]|\\.)*)/|m\#(?P<hashed>[^#]*)\#)(?P<flags>i?)))
    \s*""",
    re.VERBOSE,
)
_REMEDY = "write it as RewriteCond and RewriteRule"


def demands(text: str) -> tuple[Demand, ...]:
    """The demands of which one must hold: terms with `&&` and `||`, without parentheses around them.

    Raises `PatternError` for all else.
    """
    return tuple(one for branch in text.split("||") for one in _branch(branch))


def _branch(text: str) -> Iterator[Demand]:
    found: list[Demand] = [ANY]
    for term in text.split("&&"):
        choices = _term(term)
        joined = (both(one, choice) for one in found for choice in choices)
        found = [one for one in joined if one is not None]
    yield from found


def _term(text: str) -> tuple[Demand, ...]:
    found = _TERM.fullmatch(text)
    if found is None:
        raise PatternError(f"the condition `{text.strip()}` is more than a variable and a text", _REMEDY)
    negated = bool(found["not"])
    if found["variable"] is None:
        return (ANY,) if bool(found["true"]) != negated else ()
    negated ^= found["operator"].startswith("!")
    regex = found["regex"] if found["regex"] is not None else found["hashed"]
    if found["operator"].endswith("~") != (regex is not None):
        raise PatternError(f"the condition `{text.strip()}` compares a text as an expression", _REMEDY)
    value = found["text"] if found["text"] is not None else found["quoted"]
    pattern = f"={value}" if regex is None else regex.replace("\\/", "/")
    return read(found["variable"].upper(), pattern, negated, found["flags"] == "i")
