from __future__ import annotations

from pathlib import Path

import pytest

from detour import RuleError, load, load_files
from tests.core.rules import ask, rules

GOLDEN = sorted((Path(__file__).parent / "faults").glob("*.toml"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_every_fault_is_reported_at_its_line(file: Path) -> None:
    """A faulty line is marked `#! words of the message`; nothing else may be reported."""
    text = file.read_text()
    expected = [
        (number, wanted.strip())
        for number, line in enumerate(text.splitlines(), 1)
        for wanted in line.split("#!")[1:]
    ]
    with pytest.raises(RuleError) as caught:
        rules(text)
    left = [(fault.span.line, f"{fault.fact}; {fault.remedy}") for fault in caught.value.faults]
    for line, wanted in expected:
        found = next((one for one in left if one[0] == line and wanted in one[1]), None)
        assert found is not None, f"line {line}: {wanted!r} is not among {left}"
        left.remove(found)
    assert left == []
    assert all("\n" not in str(fault) for fault in caught.value.faults)


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 5


def test_defaults_apply_to_native_redirects_only() -> None:
    text = """
[defaults]
status = 308
cache = "1h"
query = "drop"
ignore_case = true
headers = { X-Team = "a" }
[[rule]]
name = "stop"
pattern = "/Stop"
pass = true
[[rule]]
name = "r"
pattern = "/a"
location = "/b"
"""
    decision = ask(rules(text), "GET http://h/A?x=1")
    assert (decision.status, decision.location) == (308, "/b")
    assert dict(decision.fields)["Cache-Control"] == "max-age=3600"
    assert dict(decision.fields)["X-Team"] == "a"
    stop = ask(rules(text), "GET http://h/stop")
    assert stop.status == 404
    assert "X-Team" not in dict(stop.fields)


IMPORT = '[[rule]]\nname = "legacy"\nimport = "_redirects"\ndialect = "netlify"\n{}\n'


def test_an_import_keeps_its_place_in_the_order() -> None:
    text = (
        '[[rule]]\nname = "a"\npattern = "/one"\nlocation = "/native"\n'
        + IMPORT.format("")
        + '[[rule]]\nname = "z"\npattern = "/*"\nlocation = "/last"\n'
    )
    ruleset = rules(text, _redirects="/one /no\n/two /imported 302\n")
    assert ask(ruleset, "GET http://h/one").location == "/native"
    found = ask(ruleset, "GET http://h/two")
    assert (found.status, found.location) == (302, "/imported")
    assert found.rule is not None
    assert (found.rule.name, found.rule.series, str(found.rule.span)) == (
        "legacy:2",
        "legacy",
        "_redirects:2",
    )
    assert ask(ruleset, "GET http://h/three").location == "/last"


def test_the_status_of_a_line_beats_the_imports_which_beats_the_dialects() -> None:
    lines = "/one /x 302\n/two /x\n"
    assert ask(rules(IMPORT.format(""), _redirects=lines), "GET http://h/two").status == 301
    ruleset = rules(IMPORT.format("status = 307"), _redirects=lines)
    assert [ask(ruleset, f"GET http://h/{path}").status for path in ("one", "two")] == [302, 307]


def test_lines_without_a_host_apply_to_the_imports_hosts() -> None:
    ruleset = rules(IMPORT.format('hosts = ["a.test", "b.test"]'), _redirects="/one /x\n")
    statuses = [ask(ruleset, f"GET http://{host}/one").status for host in ("a.test", "b.test", "c.test")]
    assert statuses == [301, 301, 404]
    assert len(ruleset.series) == 1


def test_a_line_that_cannot_be_expressed_refuses_the_file_unless_it_may_pass(tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("/one /x Country=au\n/one /y\n/two /z\n")
    file = tmp_path / "detours.toml"
    file.write_text(IMPORT.format(""))
    with pytest.raises(RuleError, match=r"_redirects:1: .*Country"):
        load(file)
    file.write_text(IMPORT.format('on_fault = "pass"'))
    loaded = load_files(file)
    assert len(loaded.warnings) == 1
    assert ask(loaded.ruleset, "GET http://h/one").status == 404
    assert ask(loaded.ruleset, "GET http://h/two").status == 301
    assert loaded.files == (str(file), str(tmp_path / "_redirects"))


def test_a_missing_import_is_a_fault_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "detours.toml"
    file.write_text(IMPORT.format(""))
    with pytest.raises(RuleError, match=r"detours\.toml:3: cannot read _redirects"):
        load(file)


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff", "not UTF-8"), (b"a = ", "not TOML"), (None, "cannot be read")]
)
def test_a_file_that_is_no_text_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "detours.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RuleError, match=said):
        load(file)


def test_an_empty_file_has_no_rules() -> None:
    assert len(rules("").rules) == 0


def test_a_folder_is_no_rule_file(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="not a regular file"):
        load(tmp_path)
