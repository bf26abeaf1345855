"""Reports of a run: every format tells the same, and shows what a peer wrote without obeying it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import jsonschema
import msgspec
import pytest

from detour.lab.case import Outcome
from detour.lab.evidence import told
from detour.lab.known import known
from detour.lab.report import FORMATS
from detour.lab.report_markdown import markdown, top
from detour.lab.report_text import listed
from detour.lab.result import Cell, Results, schema
from tests.lab.simulated_run import LIBRARY, Forgetful, four_and_one_absent, played, results

ROOT = Path(__file__).parent.parent.parent
HOSTILE = "</script><script>alert(1)</script> | `x` \x1b[31m\n# @everyone"


@pytest.fixture(scope="module")
def run() -> Results:
    return four_and_one_absent()


def cell(run: Results, client: str, case: str) -> Cell:
    found = next(one for one in run.clients if one.name == client)
    return next(one for one in found.cells if one.case == case)


def test_json_is_as_its_schema_says_and_reads_back(run: Results) -> None:
    document = FORMATS["json"](run)
    jsonschema.validate(msgspec.json.decode(document), schema())
    assert msgspec.json.decode(document, type=Results) == run


def test_the_list_has_a_line_for_each_fault_and_each_cell_that_varies(run: Results) -> None:
    told = listed(run).splitlines()
    cells = [(one.name, found) for one in run.clients for found in one.cells if found.bold or found.varying]
    assert len(told) == len(cells)
    for line, (name, found) in zip(told, cells, strict=True):
        assert line.startswith(f"{name} {found.case}: {found.request}, {found.credentials}: ")
        assert bool(found.varying) == ("(varying: " in line)


def test_markdown_begins_with_who_keeps_and_who_leaks(run: Results) -> None:
    page = markdown(run)
    keeps, crosses = (page.index(f"## Who {word}") for word in ("keeps", "takes"))
    assert keeps < crosses < page.index("## Every fault")
    assert "| forgetful 1.0 | kept | kept | kept | kept | **lost** |" in page
    assert "| trusting 1.0 | **leaked** | **leaked** | **leaked** | forwarded |" in page
    assert "- gone was absent: gone is not installed" in page


def test_markdown_tells_each_fault_and_each_cell_that_varies(run: Results) -> None:
    page = markdown(run)
    faults = page[page.index("## Every fault") : page.index("## What varies")]
    lost = sum(one.request == "lost" for one in run.clients[1].cells)
    assert f"### forgetful 1.0\n\nby hand\n\n- **lost** ({lost}): `same/301/PUT/stream`, " in faults
    assert "### honest" not in faults
    varying = page[page.index("## What varies") : page.index("## What is not in it")]
    cells = [one for client in run.clients for one in client.cells if one.varying]
    assert "- fickle: kept 3×, refused 2×: `same/30" in varying
    assert "These are a race" in varying
    varying = "\n".join(line for line in varying.splitlines() if line.startswith("- "))
    named, more = varying.count("`") // 2, sum(map(int, re.findall(r"and (\d+) more", varying)))
    assert named + more == len(cells) > 0


def test_the_tables_of_markdown_have_a_row_for_each_client_and_as_many_cells_as_columns(run: Results) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", markdown(run), re.MULTILINE)
    assert len(blocks) == 9
    for block in blocks:
        rows = block.splitlines()
        assert len(rows) == 2 + 4
        assert len({row.count("|") for row in rows}) == 1


def test_evidence_says_what_arrived_and_where_it_differed(run: Results) -> None:
    shown = told("forgetful", cell(run, "forgetful", "same/307/POST/stream"))
    first, second = shown.requests
    assert (first.form, first.difference, second.form) == ("first", None, "missing")
    assert second.difference is not None
    assert (second.difference.offset, second.difference.arrived_length) == (0, 0)
    assert first.length == second.difference.expected_length > 0
    assert second.head.startswith("POST /t0123456789abcde/1/here HTTP/1.1\r\n")
    assert shown.said == "status 200, at http://127.0.0.1:8001/t0123456789abcde/1/here"


def test_of_a_request_that_was_sent_again_the_last_is_the_one_that_was_judged(run: Results) -> None:
    found = cell(run, "honest", "same/307/POST/json")
    seen = (found.shown.seen[0], *found.shown.seen)
    shown = told(
        "honest", msgspec.structs.replace(found, shown=msgspec.structs.replace(found.shown, seen=seen))
    )
    assert [one.form for one in shown.requests] == ["", "first", "kept"]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome("error", error="reset"), "error: reset"),
        (Outcome("hung"), "hung"),
        (Outcome("answered", 307), "status 307"),
    ],
)
def test_what_a_client_said_of_itself_is_one_line(run: Results, outcome: Outcome, words: str) -> None:
    found = cell(run, "honest", "same/307/POST/json")
    shown = msgspec.structs.replace(found.shown, outcome=outcome)
    assert told("honest", msgspec.structs.replace(found, shown=shown)).said == words


def hostile() -> Results:
    """A client that lies about its name, its version and why."""
    client = played("x", Forgetful, LIBRARY)
    shown = []
    for one in client.cells:
        judgement = msgspec.structs.replace(one.shown.judgement, why=HOSTILE)
        shown.append(
            msgspec.structs.replace(one, shown=msgspec.structs.replace(one.shown, judgement=judgement))
        )
    bad = msgspec.structs.replace(client, name=HOSTILE, version=HOSTILE, follows=HOSTILE, cells=tuple(shown))
    gone = msgspec.structs.replace(client, name="gone", absent=HOSTILE, cells=())
    stuck = msgspec.structs.replace(client, name="stuck", gave_up=HOSTILE, cells=())
    return results(bad, gone, stuck)


@pytest.mark.parametrize("name", ["text", "list", "markdown", "html"])
def test_what_a_peer_wrote_is_shown_and_not_obeyed(name: str) -> None:
    report = FORMATS[name](hostile())
    assert "\x1b" not in report
    assert "\n# @everyone" not in report
    if name == "html":
        assert "<script>alert" not in report
    if name == "markdown":
        rows = re.findall(r"^\| .*alert.*$", report, re.MULTILINE)
        assert rows
        columns = {"`": 0}
        for row in rows:
            outside = re.sub(r"(`+)(?:(?!\1).)*\1", "", row)
            columns[row] = outside.count("|")
        assert "<script>" not in re.sub(r"(`+).*?\1", "", report)


def test_html_loads_nothing_and_runs_its_own_script_alone(run: Results) -> None:
    page = FORMATS["html"](run)
    assert "default-src &#x27;none&#x27;" in page
    assert "unsafe-inline" not in page.partition("script-src")[2].partition(">")[0]
    assert not re.search(
        r"""(?:src|href)\s*=|@import|url\(|https?://(?!127\.0\.0\.)""", page.split("<script")[0]
    )


def test_html_stays_small(run: Results) -> None:
    page = FORMATS["html"](run)
    cells = sum(len(client.cells) for client in run.clients)
    assert len(page) / cells < 150  # octets: 35 clients × 570 cases stay under 3 MB


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_make_clients", ROOT / "docs" / "make_clients.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_and_what_explain_quotes_are_of_one_run() -> None:
    assert top(known()) in (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def test_the_page_and_the_matrix_are_written_together(
    run: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = maker()
    monkeypatch.setattr(module, "PAGE", tmp_path / "clients.md")
    monkeypatch.setattr(module, "SUMMARY", tmp_path / "matrix.json")
    with pytest.raises(SystemExit, match="not every case was asked of stuck"):
        module.write(results(msgspec.structs.replace(run.clients[0], name="stuck", gave_up="it hung")))
    assert not (tmp_path / "clients.md").exists()
    module.write(run)
    assert "<!-- Made by docs/make_clients.py" in (tmp_path / "clients.md").read_text()
    assert b'"date":"2026-11-22T10:00:00+00:00"' in (tmp_path / "matrix.json").read_bytes()
