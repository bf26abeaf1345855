"""YAML and JSON texts as nodes with lines."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detour.errors import NodeError
from detour.formats.draft import LineFault
from detour.formats.yaml_nodes import MAX_DEPTH, Node, documents
from tests.formats.dialect_data import DATA


def only(text: str) -> Node:
    (found,) = documents(text)
    assert isinstance(found, Node), found
    return found


def only_fault(text: str) -> LineFault:
    *_, last = documents(text)
    assert isinstance(last, LineFault), last
    return last


def plain(node: Node) -> Any:
    """A node as Python values, scalars as text."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return {key: plain(child) for key, child in node.value.items()}


def test_every_value_knows_its_line() -> None:
    node = only("a:\n  b:\n    - 1\n    - {c: 2}\n")
    listed = node.get("a", "b")
    assert listed is not None
    assert listed.line == 3
    assert [one.line for one in listed.sequence] == [3, 4]
    assert listed.sequence[1].integer_at("c") == 2


def test_a_json_value_knows_its_line() -> None:
    node = only('{\n\t"a": [\n\t\t1,\n\t\t"\\ud83d\\ude00"\n\t], "b\\/c": null}')
    assert [(one.line, one.value, one.plain) for one in node.list_at("a")] == [
        (3, "1", True),
        (4, "\U0001f600", False),
    ]
    assert node.get("b/c") is None
    assert node.mapping["b/c"].is_null


def test_documents_before_a_fault_are_yielded() -> None:
    first, second, wrong = documents("a: 1\n---\nb: 2\n---\nc: [\n")
    assert isinstance(first, Node)
    assert isinstance(second, Node)
    assert second.line == 3
    assert isinstance(wrong, LineFault)
    assert wrong.line == 6


def test_empty_documents_are_none() -> None:
    assert list(documents("")) == []
    assert [one.is_null for one in documents("---\n---\n") if isinstance(one, Node)] == [True, True]


def test_quotes_tell_text_from_numbers_but_each_may_be_asked_for() -> None:
    node = only("a: 308\nb: '308'\nc: on\nd: ~\ne: 'null'\n")
    assert [node.mapping[key].plain for key in "abc"] == [True, False, True]
    assert node.integer_at("a") == node.integer_at("b") == 308
    assert (node.text_at("a"), node.text_at("c"), node.boolean_at("c")) == ("308", "on", True)
    assert node.get("d") is None
    assert node.text_at("e") == "null"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda node: node.integer_at("a"), "'x' where a whole number belongs"),
        (lambda node: node.boolean_at("a"), "'x' where a boolean belongs"),
        (lambda node: node.list_at("a"), "'x' where a list belongs"),
        (lambda node: node.get("a", "b"), "'x' where a table belongs"),
        (lambda node: node.text_at("l"), "a list where text belongs"),
        (lambda node: node.text_at("t"), "a table where text belongs"),
        (lambda node: node.text_at("r"), "a value of !Ref, which only its own program knows, where text"),
    ],
)
def test_what_is_of_another_kind_is_an_error_with_its_line(ask: Any, said: str) -> None:
    node = only("\n\n# comment\n{a: x, l: [1], t: {b: 1}, r: !Ref Name}\n")
    with pytest.raises(NodeError) as raised:
        ask(node)
    assert (raised.value.line, raised.value.fact[: len(said)]) == (4, said)


def test_a_tag_is_a_name_and_never_a_type() -> None:
    node = only("a: !!python/object/apply:os.system [echo]\nb: !Sub 'x'\nc: !!str 1\nd: !!int '1'\ne: ! x\n")
    assert [one.tag for one in node.mapping.values()] == [
        "!!python/object/apply:os.system",
        "!Sub",
        "",
        "",
        "",
    ]
    assert [node.mapping[key].plain for key in "cd"] == [False, True]


def test_anchors_and_merge_keys_are_followed() -> None:
    node = only("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, y: 9}\nd:\n  <<: [*a, *b]\n")
    assert plain(node)["c"] == {"x": "1", "y": "9"}
    assert plain(node)["d"] == {"x": "1", "y": "2", "z": "4"}


def test_anchors_end_with_their_document() -> None:
    *_, last = documents("a: &a 1\n---\nb: *a\n")
    assert isinstance(last, LineFault)
    assert (last.line, last.fact) == (3, "the alias *a names no anchor before it")


def test_an_alias_within_itself_is_a_fault() -> None:
    assert only_fault("a: &a [*a]\n").fact == "the alias *a names no anchor before it"


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", '{"a": 1, "b": 2, "a": 3}'])
def test_of_a_key_that_comes_twice_the_last_counts(text: str) -> None:
    node = only(text)
    assert (node.integer_at("a"), node.repeated) == (3, ("a",))


def test_a_billion_laughs_are_a_fault_and_quick() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    before = time.process_time()
    assert only_fault(text).fact == "aliases that add more than 1000000 values"
    assert time.process_time() - before < 1


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, "{a: " * 300 + "}" * 300, "- " * 300])
def test_depth_is_bounded(text: str) -> None:
    assert only_fault(text).fact == f"nested more than {MAX_DEPTH} deep"
    assert only("[" * MAX_DEPTH + "]" * MAX_DEPTH).is_sequence


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b: c\n", 1),
        ("x: 1\n\ty: 2\n", 2),
        ('{"a": 1,, }', 1),
        ('{"a":\n "b', 2),
        ("a: \x00", 1),
        ("- [1, 2\n- 3: [\n", 2),
        ("? [a]\n: b\n", 1),
        ("%BAD\n", 1),
        ("a: {{ .Values.x }}\n", 1),
    ],
)
def test_a_text_that_is_neither_is_one_fault_with_its_line(text: str, line: int) -> None:
    (found,) = documents(text)
    assert isinstance(found, LineFault)
    assert found.line == line


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_reads_as_json_module_has_it(value: Any) -> None:
    if isinstance(value, list | dict):
        for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
            assert plain(only(text)) == _as_text(value)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return value if isinstance(value, str) else json.dumps(value)


@given(st.text() | st.text("[]{}:,-&*!<'\"|> \n\ta1#%?"))
def test_any_text_yields_nodes_and_at_most_one_fault(text: str) -> None:
    found = list(documents(text))
    assert all(isinstance(one, Node | LineFault) for one in found)
    assert all(isinstance(one, Node) for one in found[:-1])


def test_big_json_is_read_in_linear_time() -> None:
    seconds = []
    for count in (2_000, 20_000):
        text = json.dumps([{"source": f"/a/{n}", "destination": f"/b/{n}"} for n in range(count)], indent=2)
        before = time.process_time()
        assert len(only(text).sequence) == count
        seconds.append(time.process_time() - before)
    assert seconds[1] < 40 * seconds[0] + 0.5


def test_every_yaml_and_json_file_of_the_data_reads_as_their_own_modules_have_it() -> None:
    files = [file for kind in ("*.yaml", "*.yml", "*.json") for file in sorted(DATA.rglob(kind))]
    if not files:
        pytest.skip(f"no files in $DETOUR_DATA ({DATA})")
    for file in files:
        text = file.read_text("utf-8", "replace")
        if len(text) > 300_000:
            continue
        found = list(documents(text))
        faults = [one for one in found if isinstance(one, LineFault)]
        try:
            known = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
        except yaml.YAMLError:
            known = []
        assert faults == [] or known == [], file
        if file.suffix == ".json" and not faults:
            assert len(found) == 1, file
