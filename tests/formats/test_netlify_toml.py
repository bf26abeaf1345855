"""netlify.toml, on every fixture of Netlify's own parser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.netlify_toml import detect, read
from tests.formats.dialect_data import DATA, data_file
from tests.formats.layers import decide, layer_of

FOLDER = DATA / "netlify-redirect-parser"
FIXTURES = FOLDER / "tests" / "fixtures" / "netlify_config"
EXPECTED = FOLDER / "expected_netlify-config-parser.json"
TABLES: list[dict[str, Any]] = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.exists() else []
CASES = [row for table in TABLES for row in table["table"] if row[0] != "non_existing"]

# Fixtures that Netlify's parser takes, and Detour refuses or reads otherwise.
DIFFERENCES = {
    "from_no_slash": "a `from` without a slash answers nothing, so it is refused",
}
UNKNOWN = ("conditions", "signed")  # depend on what Detour does not know: a fault


def fixture(name: str) -> str:
    return data_file(*FIXTURES.relative_to(DATA).parts, f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace(" ", "-"))
def test_the_parsers_own_cases(case: list[Any]) -> None:
    file, expected = case[1]["netlifyConfigPath"], case[2]
    found = list(read(fixture(file)))
    if file in DIFFERENCES or isinstance(expected, str):
        assert [type(one) for one in found] == [LineFault]
    else:
        assert len(found) == len(expected)
        for line, rule in zip(found, expected, strict=True):
            assert isinstance(line, LineFault) is any(key in rule for key in UNKNOWN)
            if isinstance(line, Draft) and line.location is not None:
                assert line.location == rule["to"]
                assert line.status == rule.get("status")
                assert {one.name for one in line.parameters} == set(rule.get("query", {}))


def test_every_fixture_is_a_case() -> None:
    data_file("netlify-redirect-parser", EXPECTED.name)
    named = {case[1]["netlifyConfigPath"] for case in CASES}
    # Their tests name no status above 599 and none below 0: both have a `to` that is no path.
    assert {file.stem for file in FIXTURES.iterdir()} - named == {
        "invalid_status_high",
        "invalid_status_negative",
    }
    assert len(CASES) == 32


def test_a_table_answers_as_the_line_would() -> None:
    layer = layer_of(
        "netlify-toml",
        """
[build]
publish = "x"
[[redirects]]
  from = "/blog/*"
  to = "/news/:splat"
  status = 302
  force = true
[[redirects]]
  origin = "/store"
  destination = "/shop/:id"
  params = { id = ":id" }
[[redirects]]
  from = "/en/*"
  to = "/uk/:splat"
  conditions = { Country = ["GB"] }
""",
    )
    assert decide(layer, "POST", "https://h.example/blog/a?b=1") == (302, "https://h.example/news/a?b=1")
    assert decide(layer, "GET", "https://h.example/store?id=7") == (301, "https://h.example/shop/7")
    assert [(one.span.line, one.fact) for one in layer.not_understood] == [
        (13, "the line depends on Country, which Detour does not know")
    ]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('from = "/a"\nto = "/b"\nstatus = true', "`status` is True"),
        ('from = "/a"\nto = 3', "`to` is 3, no text"),
        ('from = "/a"\nto = "b"', "`to` is 'b', neither a path nor a URL"),
        ('from = "/a"\nto = "/b"\nquery = "x"', "`query` is 'x', no table"),
        ('to = "/b"', "a redirect without `from`"),
    ],
)
def test_what_is_no_redirect_is_a_fault(text: str, fact: str) -> None:
    assert [
        (one.span.line, one.fact) for one in layer_of("netlify-toml", f"[[redirects]]\n{text}").not_understood
    ] == [(1, fact)]


def test_detection_looks_for_the_tables() -> None:
    assert detect("[[redirects]]\nfrom = '/a'")
    assert not detect("[redirects]\n# [[ redirects")


@given(st.text() | st.text("[]redicts =\"'/{}\n:*"))
def test_any_text_yields_drafts_and_faults(text: str) -> None:
    for one in (text, f'[[redirects]]\nfrom = "/a"\nto = "/b"\n{text}'):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
