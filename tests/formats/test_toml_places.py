from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from detour.formats.toml_places import Path, places

KEY = st.sampled_from(["a", "b-c", '"q.\\"x"', "'lit#='", "1"])
VALUE = st.sampled_from(
    [
        "1",
        '"a # b = [c]"',
        "'[x]'",
        '"""\n[not]\na = "1"\n\\""""',
        "'''\n[[no]]\n'''",
        "[1, # one\n 2,\n]",
        '{ x = "}" , y = [ { z = 1 } ] }',
        "1979-05-27T07:32:00Z",
        '""',
        '[\n"""\n]\n""",\n]',
    ]
)
PAIR = st.tuples(st.lists(KEY, min_size=1, max_size=2), VALUE, st.sampled_from(["", " # c", "  "]))
TABLE = st.tuples(
    st.sampled_from(["[{}]", "[[{}]]", "[ {} ] # c", "[[ {} ]]"]),
    st.sampled_from(["t", "t.u", "r", 'r."s t"', "r.x.y"]),
    st.lists(PAIR, max_size=4),
)


def keys(data: Any, path: Path = ()) -> set[Path]:
    """The path of every table and key that tomllib read, down to values that are not tables."""
    found = {path} if path else set()
    if isinstance(data, dict):
        for key, value in data.items():
            found |= keys(value, (*path, key))
    elif isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
        for number, item in enumerate(data):
            found |= keys(item, (*path, number))
    return found


@given(st.lists(PAIR, max_size=3), st.lists(TABLE, max_size=6))
def test_the_scanner_sees_the_same_tables_and_keys_as_tomllib(top: Any, tables: Any) -> None:
    lines = [f"{'.'.join(key)} = {value}{end}" for key, value, end in top]
    for shape, name, pairs in tables:
        lines.append(shape.format(name))
        lines += [f"  {'.'.join(key)} = {value}{end}" for key, value, end in pairs]
    text = "\n".join(lines)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = places(text)
    assert set(found) <= keys(data) | {path[:-1] for path in found}
    # what is missing is inside a value (an inline table), or a parent that no line names
    named = set(found)
    for path in keys(data) - named:
        assert any(path[:end] in named for end in range(len(path))) or any(
            p[: len(path)] == path for p in named
        )


def test_each_line_is_the_line_of_its_key() -> None:
    text = 'a = 1\n\n[[rule]]\nname = "x"\ns = """\n\n"""\nb = 2\n[[rule]]\n  [[rule.expect]]\n  r = 1\n'
    found = places(text)
    assert found[("a",)] == 1
    assert found[("rule", 0)] == 3
    assert found[("rule", 0, "b")] == 8
    assert found[("rule", 1, "expect", 0, "r")] == 11
    for path, line in found.items():
        name = next(part for part in reversed(path) if isinstance(part, str))
        assert name in text.splitlines()[line - 1]
