"""Where things stand in a TOML text: the line of every table header and key.

tomllib reads values and forgets where they were. This scanner reads where and skips values, so the
two lie on top of each other: the same tables and the same keys, in the same order. It is run only
over text that tomllib has accepted.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]  # ("rule", 3, "expect", 0, "location")

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(
    r"""[ \t]*(?:(?P<bare>[A-Za-z0-9_-]+)|(?P<quoted>"(?:\\.|[^"\\])*"|'[^']*'))[ \t]*(?P<dot>\.?)"""
)
# One step inside a value: a string of any of the four kinds, a bracket, a comment, a line end, the rest.
_VALUE = re.compile(
    r'''"""(?:\\.|(?!""")[^\\])*"{3,5}|\'\'\'(?:(?!\'\'\').)*\'{3,5}'''
    r"""|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[\[{]|[\]}]|\#[^\n]*|\n|[^"'\[\]{}\#\n]+""",
    re.DOTALL,
)


def places(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, by its path, and of every key in it, by its path."""
    return _Scanner(text).found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.counted = (0, 1)  # a position and its line
        self.found: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}  # arrays of tables: how many so far
        self.table: Path = ()
        while self._skip_blank():
            if text.startswith("[", self.position):
                self._header()
            else:
                self._pair()

    def _skip_blank(self) -> bool:
        blank = _BLANK.match(self.text, self.position)
        assert blank is not None  # it matches the empty text
        self.position = blank.end()
        return self.position < len(self.text)

    def _line(self) -> int:
        at, line = self.counted
        line += self.text.count("\n", at, self.position)
        self.counted = (self.position, line)
        return line

    def _header(self) -> None:
        array = self.text.startswith("[[", self.position)
        line = self._line()
        self.position += 2 if array else 1
        names = self._names()
        self.position = self.text.index("]", self.position) + (2 if array else 1)
        *parents, last = names
        path = (*self._resolve(tuple(parents)), last)
        if array:
            number = self.arrays.get(path, 0)
            self.arrays[path] = number + 1
            path = (*path, number)
        self.table = path
        self.found[path] = line

    def _resolve(self, names: tuple[str, ...]) -> Path:
        """The path of a written table name: within arrays, their newest table."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self.arrays:
                path = (*path, self.arrays[path] - 1)
        return path

    def _pair(self) -> None:
        line = self._line()
        path = (*self.table, *self._names())
        self.found[path] = line
        for end in range(len(self.table) + 1, len(path)):
            self.found.setdefault(path[:end], line)  # a dotted key makes its tables where it stands
        self.position = self.text.index("=", self.position) + 1
        self._skip_value()

    def _names(self) -> list[str]:
        names = []
        while found := _KEY.match(self.text, self.position):
            self.position = found.end()
            names.append(found["bare"] or _unquote(found["quoted"]))
            if not found["dot"]:
                break
        return names

    def _skip_value(self) -> None:
        depth = 0
        while step := _VALUE.match(self.text, self.position):
            self.position = step.end()
            if step[0] in ("[", "{"):
                depth += 1
            elif step[0] in ("]", "}"):
                depth -= 1
            elif step[0] == "\n" and depth == 0:
                return


def _unquote(text: str) -> str:
    return next(iter(tomllib.loads(f"{text} = 1")))
