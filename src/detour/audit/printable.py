"""Text of a peer made visible: what a terminal or an XML parser would obey or refuse is spelled out."""

from __future__ import annotations


def one_line(text: str) -> str:
    """`text` with each character that is not printable as an escape: `\\x1b`, `\\n`, `\\u202e`, `\\udc80`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spelled(char) for char in text)


def lines(text: str) -> str:
    """`text` as `one_line` shows it, line ends kept."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def _spelled(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
