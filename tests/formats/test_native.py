from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from detour import RuleError, load, load_files
from detour.formats.dialects import NAMES
from detour.formats.tables import Dialect
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


def test_hosts_of_an_import_are_spelt_as_urls_spell_them() -> None:
    hosts = 'hosts = ["BÜCHER.test", "a.test:80", "b.test:443", "c.test:81", "[::1]:82"]'
    ruleset = rules(IMPORT.format(hosts), _redirects="/one /x\n")
    asked = (
        "http://xn--bcher-kva.test",
        "http://a.test",
        "https://b.test",
        "http://c.test:81",
        "http://[::1]:82",
    )
    assert [ask(ruleset, f"GET {origin}/one").status for origin in asked] == [301] * 5
    assert ask(ruleset, "GET http://c.test/one").status == 404


def test_a_faulty_line_that_passes_covers_what_it_matches_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("/one id=:id page=2 /x 302 Country=au\n/one /y\nhttp://h*t/ /z\n")
    file = tmp_path / "detours.toml"
    file.write_text(IMPORT.format('on_fault = "pass"'))
    loaded = load_files(file)
    assert ask(loaded.ruleset, "GET http://h/one?id=1&page=2").status == 404
    assert ask(loaded.ruleset, "GET http://h/one?id=1").location == "/y?id=1"
    first, second, count = loaded.warnings
    assert first.endswith("drop the condition or the line (until then /one{/}? answers 404 with id=… page=2)")
    assert second.endswith("(nothing stands in for it)")
    assert count.endswith("_redirects: 2 lines cannot be expressed; a 404 stands in for 1")


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


def test_an_unreadable_import_is_told_beside_all_other_faults(tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_bytes(b"/a /\xff\n")
    (tmp_path / "folder").mkdir()
    file = tmp_path / "detours.toml"
    folder = '[[rule]]\nname = "folder"\nimport = "folder"\ndialect = "ipfs"\n'
    nul = '[[rule]]\nname = "nul"\nimport = "a\\u0000b"\ndialect = "ipfs"\n'
    file.write_text(IMPORT.format("colour = 1") + folder + nul)
    with pytest.raises(RuleError) as caught:
        load(file)
    assert [(fault.span.line, fault.fact) for fault in caught.value.faults] == [
        (3, "cannot read _redirects: not UTF-8 (octet 4)"),
        (5, "unknown key `colour`"),
        (8, "cannot read folder: not a regular file"),
        (12, "cannot read a\\x00b: cannot be read: embedded null byte"),
    ]


def test_the_lines_of_an_import_are_read_although_its_rule_has_faults() -> None:
    with pytest.raises(RuleError) as caught:
        rules(IMPORT.format("share = 2"), _redirects="/one /x Country=au\n")
    assert [str(fault.span) for fault in caught.value.faults] == ["_redirects:1", "rules.toml:5"]


def test_faults_of_defaults_are_told_once_also_without_rules() -> None:
    text = '[defaults]\nheaders = { Date = "x" }\ncache = 5\nstatus = 308\n'
    rule = '[[rule]]\nname = "r{}"\npattern = "/a"\nlocation = "/b"\n'
    for more in ("", rule.format(1) + rule.format(2)):
        with pytest.raises(RuleError) as caught:
            rules(text + more)
        assert [fault.span.line for fault in caught.value.faults] == [2, 3]


def test_defaults_do_not_make_pass_rules_ignore_case() -> None:
    rule = '[[rule]]\nname = "stop"\npattern = "/Stop"\npass = true\nstatus = 410\n'
    text = f"[defaults]\nignore_case = true\n{rule}"
    assert ask(rules(text), "GET http://h/Stop").status == 410
    assert ask(rules(text), "GET http://h/stop").status == 404


def test_every_dialect_has_a_reader() -> None:
    assert set(get_args(Dialect)) == set(NAMES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "not UTF-8"),
        (b"a = ", "not TOML"),
        (None, "cannot be read"),
        (b"a = " + b"9" * 5000, "not TOML: Exceeds the limit"),
        (b"a = " + b"[" * 20_000, "nested too deep"),
        (b"a = 1\na = 2", "written twice"),
        (b"[rule]\n[rule]", "written twice"),
        (b'[[rule]]\nname = "a"\ncache = "' + b"9" * 400 + b'd"', "write a duration"),
        (b"[[rule]]\nname" + b".a" * 3000 + b" = 1", "`name` cannot be a table"),
    ],
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


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("/one /x\n", encoding="utf-8-sig")
    file = tmp_path / "detours.toml"
    file.write_text(IMPORT.format(""), encoding="utf-8-sig")
    assert ask(load(file), "GET http://h/one").location == "/x"
