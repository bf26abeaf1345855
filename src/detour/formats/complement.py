"""All that some texts are not, as a regular expression: RE2 has no lookahead to say it with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from detour.core.url import encode_octets
from detour.errors import PatternError

Ends = Literal["exact", "prefix", "suffix"]


def complement(texts: Iterable[tuple[str, Ends]], *, empty: bool = True) -> str:
    """A regular expression for all that none of some whole texts and beginnings, or ends, is.

    `empty`: whether nothing at all is among it. Raises `PatternError` where nothing is left.
    """
    known = tuple(texts)
    back = any(kind == "suffix" for _, kind in known)
    trie: _Node = {}
    for text, kind in known:
        node = trie
        value = encode_octets(text)
        for character in reversed(value) if back else value:
            node = node.setdefault(character, {})
        node["" if kind == "exact" else "*"] = {}
    found = _complement(trie, back, empty)
    if found is None:
        raise PatternError("nothing is left of what is asked for", "drop the rule: it answers nothing")
    return found


_Node = dict[str, "_Node"]


def _complement(node: _Node, back: bool, empty: bool) -> str | None:
    if "*" in node:
        return None
    letters = [letter for letter in node if letter]
    branches = []
    if letters:
        kept = "".join(re.sub(r"[\\\]^\[-]", r"\\\g<0>", letter) for letter in letters)
        branches.append(f".*[^{kept}]" if back else f"[^{kept}].*")
    else:
        branches.append(".+")
    for letter in letters:
        rest = _complement(node[letter], back, True)
        if rest is None:
            continue
        here = re.escape(letter)
        branches.append(f"{_bracketed(rest)}{here}" if back else f"{here}{_bracketed(rest)}")
    if "" not in node and empty:
        branches.append("")
    return "|".join(branches)


def _bracketed(branches: str) -> str:
    return f"(?:{branches})" if "|" in branches else branches
