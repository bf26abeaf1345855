"""`detour audit` as a user types it: exit statuses, layers, folders, baselines, reports, what is refused."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.cli.test_commands import detour
from tests.formats.dialect_data import data_file

LOOP = "/a /b 307\n/b /a 307\n"
LOSS = "/api/a /b 302\n"  # a warning: method-loss
DROWNED = "/a/* /b 307\n/a/c /d 307\n"  # a warning whose message names another line
CLEAN = "/a /b 307\n"


def written(folder: Path, text: str | bytes, name: str = "_redirects") -> str:
    file = folder / name
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(file)


def findings(done: CompletedProcess[str]) -> list[dict[str, Any]]:
    return [one for result in json.loads(done.stdout)["results"] for one in result["findings"]]


def checks(done: CompletedProcess[str]) -> set[str]:
    return {one["check"] for one in findings(done)}


def test_nothing_found_is_0_and_one_line_a_file(tmp_path: Path) -> None:
    file = written(tmp_path, CLEAN)
    done = detour("audit", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ok    {file}\n      netlify, 1 rule\n1 passed, 0 failed\n"


def test_a_finding_is_1_and_names_its_line_its_request_and_the_line_to_write(tmp_path: Path) -> None:
    file = written(tmp_path, LOSS)
    done = detour("audit", file)
    assert done.returncode == 1
    assert f"{file}:1: " in done.stdout
    assert "[method-loss]" in done.stdout
    assert "seen with: POST https://host.example/api/a" in done.stdout
    assert "/api/a /b 307" in done.stdout


@pytest.mark.parametrize(
    ("text", "severity", "status"),
    [
        (LOOP, "error", 1),
        (LOOP, "never", 0),
        (LOSS, "error", 0),
        (LOSS, "warning", 1),
        ("bad line\n", "warning", 0),
        ("bad line\n", "note", 1),
    ],
)
def test_fail_on_is_the_least_that_fails(text: str, severity: str, status: int, tmp_path: Path) -> None:
    done = detour("audit", written(tmp_path, text), "--fail-on", severity)
    assert done.returncode == status
    assert done.stdout.startswith("FAIL" if status else "ok")


def test_what_fails_is_shown_even_if_it_is_a_note(tmp_path: Path) -> None:
    done = detour("audit", written(tmp_path, "bad line\n"), "--fail-on", "note")
    assert "[not-understood]" in done.stdout


def test_what_was_not_understood_is_counted_and_listed_with_v(tmp_path: Path) -> None:
    file = written(tmp_path, CLEAN + "bad line\n")
    short, long = detour("audit", file), detour("audit", file, "-v")
    assert "netlify, 1 rule, 1 not understood (-v lists them)" in short.stdout
    assert "[not-understood]" not in short.stdout
    assert f"{file}:2: not understood: " in long.stdout
    assert {short.returncode, long.returncode} == {0}


def test_a_comment_with_a_reason_allows_and_one_without_does_not(tmp_path: Path) -> None:
    allowed = written(tmp_path, "# detour: allow method-loss: only read from\n" + LOSS)
    assert detour("audit", allowed).returncode == 0
    bare = detour("audit", written(tmp_path, "# detour: allow method-loss\n" + LOSS), "--json")
    assert bare.returncode == 1
    assert checks(bare) >= {"method-loss", "allow-without-reason"}


# ---- baselines


def test_a_baseline_knows_its_findings_when_lines_have_moved(tmp_path: Path) -> None:
    report = tmp_path / "known.json"
    file = written(tmp_path, LOSS + DROWNED)
    assert detour("audit", file, "--json", "-o", str(report)).returncode == 1
    written(tmp_path, "# new\n\n" + LOSS + "\n\n" + DROWNED)
    moved = detour("audit", file, "--baseline", str(report), "--json")
    assert (moved.returncode, findings(moved)) == (0, [])


def test_what_the_baseline_does_not_hold_is_new(tmp_path: Path) -> None:
    report = tmp_path / "known.json"
    file = written(tmp_path, LOSS)
    detour("audit", file, "--json", "-o", str(report))
    written(tmp_path, "/api/b /c 302\n" + LOSS)
    done = detour("audit", file, "--baseline", str(report), "--json")
    assert done.returncode == 1
    told = {one["witness"] for one in findings(done) if one["severity"] != "note"}
    assert told == {"POST https://host.example/api/b"}


def test_one_known_finding_stands_for_one(tmp_path: Path) -> None:
    report = tmp_path / "known.json"
    file = written(tmp_path, "/a /b 307\n/a /c 307\n")
    detour("audit", file, "--json", "-o", str(report))
    written(tmp_path, "/a /b 307\n/a /c 307\n/a /c 307\n")
    done = detour("audit", file, "--baseline", str(report), "--json")
    assert done.returncode == 1
    assert [one["check"] for one in findings(done)] == ["duplicate-rule"]


@pytest.mark.parametrize("text", ["", "[]", '{"results": 1}', '{"results": [{"findings": [1]}]}', b"\xff\0"])
def test_a_baseline_that_is_no_report_is_refused(text: str | bytes, tmp_path: Path) -> None:
    report = written(tmp_path, text, "known.json")
    done = detour("audit", written(tmp_path, CLEAN), "--baseline", report)
    assert done.returncode == 2
    assert done.stderr == f"detour: {report}: no report; name a report of --format json\n"


# ---- reports


def test_each_format_can_be_read_by_those_it_is_for(tmp_path: Path) -> None:
    file = written(tmp_path, LOOP + LOSS)

    def report(name: str) -> str:
        done = detour("audit", file, "--format", name)
        assert (done.returncode, done.stderr) == (1, "")
        return done.stdout

    assert json.loads(report("json"))["summary"]["failed"] == 1
    [run] = json.loads(report("sarif"))["runs"]
    assert {"redirect-loop", "method-loss"} <= {one["ruleId"] for one in run["results"]}
    assert "failed" not in {one["ruleId"] for one in run["results"]}
    [place] = run["results"][0]["locations"]
    assert place["physicalLocation"]["region"]["startLine"] == 1
    assert next(ElementTree.fromstring(report("junit")).iter("testcase")).find("failure") is not None
    assert re.search(r"^\|? ?.*method-loss", report("markdown"), re.MULTILINE)
    HTMLParser().feed(page := report("html"))
    assert page.startswith("<!DOCTYPE html>")
    assert "method-loss" in page


def test_a_report_is_written_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = detour("audit", written(tmp_path, LOSS), "--json", "-o", str(out))
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads(out.read_text())["summary"]["warnings"] == 1
    refused = detour("audit", written(tmp_path, LOSS), "-o", str(tmp_path / "absent" / "out"))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


# ---- several files


def test_a_loop_of_an_edge_and_the_nginx_behind_it_is_in_neither_alone(tmp_path: Path) -> None:
    edge = written(tmp_path, "http://a.example/* https://a.example/:splat 307\n")
    back = "return 307 http://a.example$request_uri;"
    nginx = f"events {{}}\nhttp {{\n server {{\n listen 443 ssl;\n server_name a.example;\n {back}\n }}\n}}\n"
    app = written(tmp_path, nginx, "nginx.conf")
    together = detour("audit", f"edge={edge}", f"app={app}", "--json")
    assert together.returncode == 1
    [first, second] = json.loads(together.stdout)["results"]
    assert (first["name"], second["name"]) == ("edge", "app")
    [loop] = [one for one in first["findings"] if one["check"] == "redirect-loop"]
    assert loop["span"]["line"] == 1
    assert loop["witness"].startswith("GET http://a.example/")
    assert "redirect-loop" not in checks(detour("audit", edge, app, "--json"))


def test_layers_are_all_named_or_none(tmp_path: Path) -> None:
    file = written(tmp_path, CLEAN)
    done = detour("audit", f"edge={file}", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "name all layers, as in LAYER=PATH, or none" in done.stderr


def test_every_file_of_a_folder_whose_dialect_is_known_is_read(tmp_path: Path) -> None:
    site = tmp_path / "site"
    written(site, LOSS)
    written(site / "deep", "/a,/b,307\n", "moved.csv")
    written(site, '[[rule]]\nname = "r"\npattern = "/a"\nlocation = "/b"\n', "rules.toml")
    written(site, "hello\n", "notes.txt")
    written(site, bytes(range(256)), "picture.png")
    done = detour("audit", str(site), "--json")
    told = {os.path.relpath(one["name"], site): one["outcome"] for one in json.loads(done.stdout)["results"]}
    assert told == {"_redirects": "failed", "deep/moved.csv": "passed", "rules.toml": "passed"}
    assert done.returncode == 1


def test_a_folder_in_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "hello\n", "notes.txt")
    done = detour("audit", str(tmp_path))
    assert done.returncode == 2
    assert "no file whose dialect is known" in done.stderr


def test_standard_input_is_read(tmp_path: Path) -> None:
    done = detour("audit", "-", "--dialect", "netlify", "--json", stdin=LOSS)
    assert done.returncode == 1
    assert "method-loss" in checks(done)


# ---- what cannot be read


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"/a /b\n\xff\xfe", "not UTF-8 (octet 6)"),
        (bytes(range(256)) * 40, "not UTF-8"),
        (b"a\0b\0c", "no dialect that is known by its content"),
        (b"", "no dialect that is known by its content"),
    ],
)
def test_what_cannot_be_read_is_2_and_one_line(text: bytes | None, fact: str, tmp_path: Path) -> None:
    file = str(tmp_path / "file") if text is None else written(tmp_path, text, "file")
    done = detour("audit", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"detour: {file}: {fact}")
    assert done.stderr.count("\n") == 1


def test_a_file_of_a_folder_that_goes_by_a_known_name_is_not_passed_over(tmp_path: Path) -> None:
    file = written(tmp_path, b"/a /b\n\xff")
    written(tmp_path, "/a,/b,307\n", "moved.csv")
    done = detour("audit", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"detour: {file}: not UTF-8")


@pytest.mark.parametrize(
    "flags", [("--fail-on", "bad"), ("--format", "bad"), ("--dialect", "bad"), ("--at", "x")]
)
def test_bad_values_are_2_and_one_line(flags: tuple[str, str], tmp_path: Path) -> None:
    done = detour("audit", written(tmp_path, CLEAN), *flags)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "dialect", ["netlify", "csv", "nginx", "apache", "haproxy", "envoy", "ingress", "vercel"]
)
def test_zeros_and_controls_are_no_traceback(dialect: str, tmp_path: Path) -> None:
    file = written(tmp_path, "".join(map(chr, range(128))) * 20, "file")
    done = detour("audit", file, "--dialect", dialect)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr


def test_45_000_lines_are_audited_in_time(tmp_path: Path) -> None:
    fixtures = "tests/fixtures/redirects_file"
    file = data_file("netlify-redirect-parser", f"{fixtures}/large_45000_redirects_file")
    before = os.times()
    done = detour("audit", str(file), "--json")
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert json.loads(done.stdout)["results"][0]["way"] == "netlify, 45000 rules"
    assert spent < 5
