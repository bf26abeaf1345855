"""Trees of regular expressions as native pattern text: parts where they can be told apart, else one group."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.errors import PatternError
from detour.formats.redirects_file import literal
from detour.formats.regex_syntax import (
    ALL,
    ANYTHING,
    Capture,
    Char,
    Choice,
    Edge,
    Node,
    Octets,
    Repeat,
    Sequence,
)

# RFC 3986 §2.3: a normalized URL never holds them encoded.
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What a path holds as it is besides (WHATWG URL §1.3, "path percent-encode set"; a `\` becomes a slash).
_RAW = _UNRESERVED | frozenset(b"!$&'()*+,/:;=@[]|")
_HEX = frozenset(b"0123456789ABCDEFabcdef%")
_SEGMENT = Repeat(Octets(ALL - {ord("/")}), 1, None)
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_DIGITS = frozenset(b"0123456789")


class Renderer:
    """One tree as the pattern text of a component, with what its captures are in a template."""

    def __init__(self, is_path: bool, fold: bool, wanted: frozenset[int]) -> None:
        self.is_path = is_path
        self.fold = fold
        self.wanted = wanted
        self.captures: dict[int, str] = {}
        self._unnamed = 0

    def pattern(self, node: Node) -> str:
        """The text of a whole component; in a path, what follows its first slash."""
        settled = aligned(node, self.fold) if self.is_path else node
        return self._parts(list(self._flat(settled)), last=True)

    def _flat(self, node: Node) -> Iterator[Node]:
        if isinstance(node, Sequence):
            for one in node.nodes:
                yield from self._flat(one)
        elif isinstance(node, Capture) and node.number not in self.wanted:
            yield from self._flat(node.node)
        else:
            yield node

    def _parts(self, nodes: list[Node], last: bool) -> str:
        pieces: list[str] = []
        fixed = pending = ""
        for at, node in enumerate(nodes):
            part = self._part(node, nodes[at + 1] if at + 1 < len(nodes) else None, last)
            if part is None or (part == "*" and pending):
                pieces, fixed = [*pieces, _guarded(fixed)], ""
                pending += self.group(node, inside=True)
                continue
            pieces, pending = [*pieces, _unnamed(pending)], ""
            if part == "*" and not fixed and "".join(pieces)[-1:] in _MODIFIABLE:
                part = "(.*)"
            if isinstance(node, Char):
                fixed += part
            else:
                pieces, fixed = [*pieces, _guarded(fixed), part], ""
        return "".join((*pieces, _unnamed(pending), _guarded(fixed)))

    def _part(self, node: Node, behind: Node | None, last: bool) -> str | None:
        """A node as parts of its own, None where it must stand in a group."""
        if isinstance(node, Char):
            return literal(self.encoded(node.char))
        if node == ANYTHING:
            return "*"
        if isinstance(node, Capture):
            return self._capture(node, behind, last)
        if isinstance(node, Repeat) and (node.least, node.most, node.lazy) == (0, 1, False):
            return self._optional(node)
        return None

    def _capture(self, node: Capture, behind: Node | None, last: bool) -> str:
        inner = self._wanted_in(node.node)
        if inner and isinstance(node.node, Sequence | Capture):
            return self._composed(node)
        return self._named(node, self._is_whole_segment(node, behind, last))

    def _named(self, node: Capture, segment: bool = False) -> str:
        inside = self.group(node.node)
        front = self._said(node.front)
        if not inside:
            self.captures[node.number] = front
            return ""
        name = f"{'p' if self.is_path else 'h'}{node.number}"
        self.captures[node.number] = f"{front}{{{name}}}"
        return f"{{:{name}}}" if segment else f"{{:{name}({inside})}}"

    def _said(self, text: str) -> str:
        """Fixed text as it stands in a template."""
        return "".join(map(self.encoded, text)).replace("{", "{{").replace("}", "}}")

    def _is_whole_segment(self, node: Capture, behind: Node | None, last: bool) -> bool:
        if not self.is_path or node.node != _SEGMENT:
            return False
        return (last and behind is None) or behind == Char("/")

    def _composed(self, node: Capture) -> str:
        """A group around groups: what it holds is what its pieces hold, one after the other."""
        text, said = "", self._said(node.front)
        for number, one in enumerate(self._flat(node.node)):
            if isinstance(one, Char) and not self.fold:
                encoded = self.encoded(one.char)
                text += "(\\.)" if encoded == "." else literal(encoded)
                said += self._said(one.char)
                continue
            if isinstance(one, Capture):
                text += self._capture(one, None, False)
                said += self.captures[one.number].removeprefix(self._said(one.front))  # it is in ours
                continue
            name = f"{'p' if self.is_path else 'h'}{node.number}_{number}"
            text += f"{{:{name}({self.group(one)})}}"
            said += f"{{{name}}}"
        self.captures[node.number] = said
        return text

    def _wanted_in(self, node: Node) -> bool:
        if isinstance(node, Sequence | Choice):
            return any(map(self._wanted_in, node.nodes))
        if isinstance(node, Capture):
            return node.number in self.wanted or self._wanted_in(node.node)
        return isinstance(node, Repeat) and self._wanted_in(node.node)

    def _optional(self, node: Repeat) -> str | None:
        """`{…}?`: fixed text, with at most one group in it."""
        nodes = list(self._flat(node.node))
        if not nodes:
            return ""
        groups = [one for one in nodes if not isinstance(one, Char)]
        if not groups:
            fixed = "".join(self.encoded(one.char) for one in nodes if isinstance(one, Char))
            return None if _DOT.search(fixed) else f"{{{literal(fixed)}}}?"
        if len(groups) > 1 or not isinstance(groups[0], Capture) or not self.group(groups[0].node):
            return None
        at = nodes.index(groups[0])
        before, after = (
            literal("".join(self.encoded(one.char) for one in some if isinstance(one, Char)))
            for some in (nodes[:at], nodes[at + 1 :])
        )
        return f"{{{before}{self._named(groups[0])[1:-1]}{after}}}?"

    # --- inside of a group: regular expression text for RE2 ----------------------------------------------

    def group(self, node: Node, *, inside: bool = False) -> str:
        """A node as text of a regular expression that captures nothing; `inside`: among others."""
        if isinstance(node, Char):
            return "".join(map(_escaped, self.encoded(node.char)))
        if isinstance(node, Octets):
            return self._octets(node.octets, inside=inside)
        if isinstance(node, Capture):
            return self.group(node.node, inside=inside)
        if isinstance(node, Sequence):
            parts = len(node.nodes) > 1 or inside
            return "".join(self.group(one, inside=parts) for one in node.nodes)
        if isinstance(node, Choice):
            text = "|".join(self.group(one) for one in node.nodes)
            return f"(?:{text})" if inside else text
        if isinstance(node, Repeat):
            return self._repeat(node)
        assert isinstance(node, Edge)
        raise PatternError("`^` or `$` in the middle", "write one expression for each case")

    def _repeat(self, node: Repeat) -> str:
        inner = node.node
        while isinstance(inner, Capture) or (isinstance(inner, Sequence) and len(inner.nodes) == 1):
            inner = inner.node if isinstance(inner, Capture) else inner.nodes[0]
        if isinstance(inner, Octets):
            text = self._octets(
                inner.octets, inside=True, endless=node.most is None and node.least < 2 and not node.exact
            )
        else:
            text = self.group(inner, inside=True)
            if not text:
                return ""
            if not (isinstance(inner, Char) and len(self.encoded(inner.char)) == 1):
                text = f"(?:{text})"
        return text + _quantifier(node) + ("?" if node.lazy else "")

    def _octets(self, octets: frozenset[int], *, inside: bool, endless: bool = False) -> str:
        if not self.is_path:
            return _class(octets & frozenset(range(128)), ALL - octets)
        if octets <= _RAW:
            return _class(octets, ALL - octets)
        excluded = ALL - octets
        negated = bool(octets & frozenset(range(128, 256)))
        if negated and endless and excluded <= _RAW - _HEX:
            return f"[^{_ranges(excluded)}]" if excluded else "."
        raw = _class(frozenset(), excluded & _RAW | {ord("%")}) if negated else _class(octets & _RAW, ALL)
        triplets = _triplets(octets | _UNRESERVED if negated else octets - _RAW)
        text = "|".join(filter(None, (triplets, raw)))
        return f"(?:{text})" if inside and "|" in text else text

    def encoded(self, char: str) -> str:
        """A character as the component holds it."""
        if not self.is_path or (char.isascii() and ord(char) in _RAW):
            return char
        return "".join(f"%{octet:02X}" for octet in char.encode())


def aligned(node: Node, fold: bool, safe: bool = True) -> Node:
    """The tree whose `.*` and `[^/]+` end where an octet ends; `safe`: no hex digit can follow."""
    if isinstance(node, Sequence):
        done: list[Node] = []
        for one in reversed(node.nodes):
            done.append(aligned(one, fold, safe))
            safe = _begins_safely(one, fold) and (safe or not _nullable(one))
        return Sequence(tuple(reversed(done)))
    if isinstance(node, Choice):
        return Choice(tuple(aligned(one, fold, safe) for one in node.nodes))
    if isinstance(node, Capture):
        return Capture(aligned(node.node, fold, safe), node.number, node.name, node.front)
    if isinstance(node, Repeat):
        again = safe and (node.most == 1 or _begins_safely(node.node, fold))
        inner = node.node if isinstance(node.node, Octets) else aligned(node.node, fold, again)
        return Repeat(inner, node.least, node.most, node.lazy, exact=not safe)
    return node


def _begins_safely(node: Node, fold: bool) -> bool:
    if isinstance(node, Char):
        return not (node.char in "0123456789ABCDEF" or (fold and node.char in "abcdef"))
    if isinstance(node, Octets):
        return not node.octets & (_HEX if fold else _HEX - frozenset(b"abcdef%"))
    if isinstance(node, Sequence):
        for one in node.nodes:
            if not _begins_safely(one, fold):
                return False
            if not _nullable(one):
                return True
        return True
    if isinstance(node, Choice):
        return all(_begins_safely(one, fold) for one in node.nodes)
    return not isinstance(node, Capture | Repeat) or _begins_safely(node.node, fold)


def _nullable(node: Node) -> bool:
    if isinstance(node, Sequence):
        return all(map(_nullable, node.nodes))
    if isinstance(node, Choice):
        return any(map(_nullable, node.nodes))
    if isinstance(node, Capture):
        return _nullable(node.node)
    return isinstance(node, Repeat) and (node.least == 0 or _nullable(node.node))


def _quantifier(node: Repeat) -> str:
    known = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (node.least, node.most) in known:
        return known[node.least, node.most]
    if node.most is None:
        return f"{{{node.least},}}"
    return f"{{{node.least}}}" if node.least == node.most else f"{{{node.least},{node.most}}}"


def _unnamed(inside: str) -> str:
    return f"({inside})" if inside else ""


_MODIFIABLE = tuple(")}?")  # a `*` directly behind would be a modifier
_DOT = re.compile(r"(^|/)(\.{1,2})(?=/|$)")


def _guarded(text: str) -> str:
    """Fixed text with what the URL parser would take for a dot segment in a group of its own."""
    return _DOT.sub(lambda found: f"{found[1]}({_dots(found[2])})", text) if "." in text else text


def _dots(text: str) -> str:
    return text.replace(".", "\\.")


def _escaped(char: str) -> str:
    return char if char.isalnum() or char in "_%-~!@&=,:;'" else f"\\{char}"


def _class(octets: frozenset[int], excluded: frozenset[int]) -> str:
    """A class of ASCII octets, named by what is in it, or by what is not where nothing is."""
    if not octets:
        if excluded == ALL:
            return ""
        return f"[^{_ranges(excluded)}]" if excluded else "."
    if octets == _DIGITS:
        return "\\d"
    if octets == _WORD:
        return "\\w"
    if len(excluded) < 128:
        return f"[^{_ranges(excluded)}]" if excluded else "."
    return f"[{_ranges(octets)}]"


def _ranges(octets: frozenset[int]) -> str:
    """The inside of a class; a hyphen last, as the pattern matcher likes it."""
    text, left = "", sorted(octets - {ord("-")})
    while left:
        end = 1
        while end < len(left) and left[end] == left[0] + end and _kind(left[end]) == _kind(left[0]) != 0:
            end += 1
        run, left = left[:end], left[end:]
        text += "".join(_in_class(one) for one in run) if end < 3 else f"{chr(run[0])}-{chr(run[-1])}"
    return text + ("-" if ord("-") in octets else "")


def _kind(octet: int) -> int:
    return (chr(octet).isdigit() and 1) or (65 <= octet <= 90 and 2) or (97 <= octet <= 122 and 3) or 0


def _in_class(octet: int) -> str:
    char = chr(octet)
    if octet > 126 or octet < 33:
        return f"\\x{octet:02x}"
    return char if char.isalnum() or char in "_%~/" else f"\\{char}"


def _triplets(octets: frozenset[int]) -> str:
    """Encoded octets out of a set, as one expression."""
    rows: dict[str, list[str]] = {}
    for high in "0123456789ABCDEF":
        lows = "".join(low for low in "0123456789ABCDEF" if int(high + low, 16) in octets)
        if lows:
            rows.setdefault(lows, []).append(high)
    parts = [f"{_hex_class(''.join(highs))}{_hex_class(lows)}" for lows, highs in rows.items()]
    if not parts:
        return ""
    return f"%{parts[0]}" if len(parts) == 1 else f"%(?:{'|'.join(parts)})"


def _hex_class(digits: str) -> str:
    return digits if len(digits) == 1 else f"[{_ranges(frozenset(digits.encode()))}]"
