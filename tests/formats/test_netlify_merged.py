"""The two files of a Netlify site: `_redirects` goes before netlify.toml, as Netlify's parser merges them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detour.formats.draft import Draft
from detour.formats.netlify import read
from detour.formats.netlify_toml import read as read_toml
from tests.formats.dialect_data import DATA, data_file

FOLDER = "netlify-redirect-parser"
TABLES: list[dict[str, Any]] = [
    one
    for name in ("expected_all.json", "expected_merge.json")
    if (DATA / FOLDER / name).exists()
    for one in json.loads((DATA / FOLDER / name).read_text("utf-8"))
]
CASES = [row for table in TABLES for row in table["table"]]
OF_FILES = [row for row in CASES if "configRedirects" not in row[1]]


def fixture(kind: str, name: str) -> str:
    return data_file(FOLDER, "tests", "fixtures", kind, name).read_text("utf-8")


@pytest.mark.parametrize("case", OF_FILES, ids=lambda case: case[0])
def test_the_files_of_a_site_are_read_one_behind_the_other(case: list[Any]) -> None:
    _, site, expected = case
    lines = [
        line for name in site.get("redirectsFiles", ()) for line in read(fixture("redirects_file", name))
    ]
    if "netlifyConfigPath" in site:
        lines += read_toml(fixture("netlify_config", site["netlifyConfigPath"] + ".toml"))
    assert [(_from(line), _to(line)) for line in lines] == [(one["from"], one["to"]) for one in expected]


def _from(line: object) -> str:
    assert isinstance(line, Draft)
    return line.pattern.replace("{/*}?", "/*").replace("{/}?", "")


def _to(line: object) -> str:
    assert isinstance(line, Draft)
    return (line.location or "").replace("{0}", ":splat")


def test_eight_of_the_fifteen_sites_are_files() -> None:
    data_file(FOLDER, "expected_all.json")
    assert (len(CASES), len(OF_FILES)) == (15, 8)
