"""Vercel's bulk redirects, on Vercel's own fixtures and in all three forms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.rule import Terms
from detour.formats.draft import Draft, LineFault
from detour.formats.imports import Import
from detour.formats.vercel_bulk import detect, read
from tests.formats.dialect_data import Site, data_file, imported, read_job

H = "https://h.example"
FILES = "vercel-routing-utils/files/packages"


def drafts(text: str) -> list[Draft]:
    found = list(read(text))
    assert all(isinstance(each, Draft) for each in found), found
    return [each for each in found if isinstance(each, Draft)]


def faults(text: str) -> list[LineFault]:
    return [each for each in read(text) if isinstance(each, LineFault)]


@pytest.mark.parametrize(
    ("file", "answers"),
    [
        (
            "+client+tests+fixtures+bulk-redirects-dir+redirects+redirects1.json",
            {"/old-path-1": (308, "/new-path-1"), "/OLD-path-1?a=1": (308, "/new-path-1"), "/x": None},
        ),
        (
            "+client+tests+fixtures+bulk-redirects-dir+redirects+redirects2.json",
            {"/old-path-2": (307, "/new-path-2")},
        ),
        ("+client+tests+fixtures+bulk-redirects-path+redirects.json", {"/old-path": (308, "/new-path")}),
        (
            "+config+example+bulkRedirectsDemo.json",
            {
                "/old-blog/x": None,
                "/old-blog/:slug": (307, "/blog/:slug"),
                "/docs/v1/:page": (301, "/docs/v2/:page"),
            },
        ),
        (
            "+cli+test+fixtures+unit+commands+redirects+sample.csv",
            {
                "/old-home": (301, "/"),
                "/api/v1/x": None,
                "/api/v1/*": (308, "/api/v2/$1"),
                "/temp-offer?a=1": (302, "https://example.com/offer"),
                "/CASE-sensitive": (307, "/new-case"),
            },
        ),
        (
            "+cli+test+fixtures+unit+commands+redirects+sample.json",
            {
                "/old-home?a=1": (301, "/"),
                "/blog/old-post?a=1": (301, "/blog/new-post?a=1"),
                "/case-sensitive": (307, "/new-case"),
                "/CASE-sensitive": None,
            },
        ),
    ],
)
def test_vercels_own_files_answer_as_they_say(file: str, answers: dict[str, tuple[int, str] | None]) -> None:
    site = Site("vercel-bulk", data_file(*(FILES + file).split("/")).read_text("utf-8"))
    for target, answer in answers.items():
        if answer is not None and answer[1].startswith("/"):
            answer = (answer[0], H + answer[1])
        assert site.answer(H + target) == answer, target


def test_what_looks_like_a_wildcard_stands_for_itself_with_a_warning() -> None:
    read_in = imported("vercel-bulk", "source,destination\n/a/*,/b\n/c/:d,/e\n/f:g,/h")
    assert read_in.warnings == (
        "_redirects:2: bulk redirects have no wildcards: an asterisk or `:name` stands for itself "
        "(and 1 more such lines)",
    )


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        (",", None),
        ("true,", 308),
        ("t,", 308),
        ("false,", 307),
        ("f,", 307),
        ("TRUE,302", 302),
        ("f,301", 301),
        (",303", 303),
    ],
)
def test_a_status_code_goes_before_permanent(cells: str, status: int | None) -> None:
    assert drafts(f"source,destination,permanent,statusCode\n/a,/b,{cells}")[0].status == status


def test_older_names_are_read_as_todays() -> None:
    one, other = drafts("source,destination,sensitive,preserveQueryParams\n/a,/b,t,t\n/c,/d,,f")
    assert (one.ignore_case, one.query) == (False, "keep")
    assert (other.ignore_case, other.query) == (True, "drop")
    assert drafts('[{"source":"/a","destination":"/b","sensitive":true,"preserveQueryParams":true}]') == [
        Draft(1, "/a", "/b", query="keep")
    ]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(
                ["/a", "/A/b", "/a b", "/é", "/a,b", '/a"b', "//a", "/a/../b", "/x:y*"]
            ),
            "destination": st.sampled_from(
                ["/", "/é", "https://h.example", "https://H.example/a b?c={d}#e", "/a,b"]
            ),
        },
        optional={
            "permanent": st.booleans(),
            "statusCode": st.sampled_from([301, 302, 303, 307, 308]),
            "caseSensitive": st.booleans(),
            "query": st.booleans(),
        },
    ),
    min_size=1,
    max_size=5,
)
NAMES = ["query", "source", "permanent", "destination", "statusCode", "caseSensitive"]


def as_csv(rows: list[dict[str, Any]]) -> str:
    def cell(value: Any) -> str:
        text = (
            {None: "", True: "t", False: "false"}[value]
            if value is None or value in (True, False)
            else str(value)
        )
        return '"' + text.replace('"', '""') + '"'

    lines = [",".join(cell(row.get(name)) for name in NAMES) for row in rows]
    return "\r\n".join([",".join(NAMES), *lines])


@given(ROWS, st.sampled_from([None, 2]), st.booleans())
def test_the_three_forms_say_the_same(
    rows: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    def essence(text: str) -> list[tuple[object, ...]]:
        return [(d.pattern, d.location, d.status, d.query, d.ignore_case, d.note) for d in drafts(text)]

    listed = essence(json.dumps(rows, indent=indent, ensure_ascii=ascii_only))
    assert listed == essence("\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows))
    assert listed == essence(as_csv(rows))
    assert len(listed) == len(rows)


def test_lines_are_counted_in_every_form() -> None:
    row = '{"source": "/a",\n "destination": "/b"}'
    assert [draft.line for draft in drafts(f"\n[\n{row},\n\n{row}]\n")] == [3, 6]
    flat = row.replace("\n", "")
    assert [draft.line for draft in drafts(f"\ufeff{flat}\n\n{flat}")] == [1, 3]
    assert [draft.line for draft in drafts("\nsource,destination\n\n/a,/b")] == [4]


@pytest.mark.parametrize(
    ("text", "line", "fact"),
    [
        ("/a,/b", 1, "names no `source`"),
        ('"source,destination\n/a,/b', 1, "not CSV"),
        ("source,destination,has\n/a,/b,", 1, "unknown column `has`"),
        ("source,destination,query,preserveQueryParams\n/a,/b,,", 1, "comes twice"),
        ("source,destination\n/a,/b,c", 2, "3 cells"),
        ("source,destination,query\n/a,/b,1", 2, "`query` is '1'"),
        ("source,destination,statusCode\n/a,/b,x", 2, "`statusCode` is 'x'"),
        ("source,destination,statusCode\n/a,/b,200", 2, "200 is no redirect"),
        ("source,destination\na,/b", 2, "is not a path"),
        ("source,destination\nhttps://h.example/a,/b", 2, "is not a path"),
        ("source,destination\n/a?b=c,/b", 2, "has a '?'"),
        ("source,destination\n/a,mailto:a@b", 2, "has the scheme 'mailto'"),
        ("source,destination\n/a,b", 2, "is not a URL"),
        ("source,destination\n/a", 2, "is not a URL"),
        (f"source,destination\n/{'a' * 2048},/b", 2, "2049 characters"),
        (f"source,destination\n/a,/{'a' * 2048}", 2, "2049 characters"),
        ('[\n{"source":"/a"}]', 2, "missing required field `destination`"),
        ('[{"source":"/a","destination":"/b","permanent":"true"}]', 1, "`permanent`: "),
        ('[{"source":"/a","destination":"/b","has":[]}]', 1, "`has`"),
        ("[\n1]", 2, "Expected `object`"),
        ('[{"source":"/a","destination":"/b"}\n{}]', 2, "not JSON"),
        ('[{"source":"/a","destination":"/b"},]', 1, "not JSON"),
        ('[{"source":"/a","destination":"/b"}', 1, "not JSON"),
        ('[{"source":"/a","destination":"/b"}]\n\nx', 3, "behind the list's end"),
        ('{"source":"/a","destination":"/b"},', 1, "not JSON"),
        ("[" * 200_000, 1, "nested too deep"),
        ('{"a":' * 200_000, 1, "nested too deep"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_at_its_line(text: str, line: int, fact: str) -> None:
    [found] = faults(text)
    assert found.line == line
    assert fact in found.fact
    assert found.remedy


def test_a_bad_row_of_json_lines_hides_no_other() -> None:
    good = '{"source":"/a","destination":"/b"}'
    outcomes = list(read(f"{good}\n{{\n{good}"))
    assert [type(each) for each in outcomes] == [Draft, LineFault, Draft]


def test_an_empty_list_and_an_empty_file_hold_nothing() -> None:
    assert list(read("[ ]")) == list(read("")) == list(read("\n \n")) == []


def test_a_row_that_passes_ignores_case_like_the_row_it_stands_for() -> None:
    job = Import("legacy", "bulk.csv", "vercel-bulk", (), None, True, (), False, None, Terms())
    read_in = read_job(job, "source,destination,caseSensitive\n/a,b,\n/c,d,t")
    assert [rule.ignore_case for rule in read_in.rules] == [True, False]
    assert [rule.status for rule in read_in.rules] == [404, 404]
    assert len(read_in.warnings) == 3  # each, and the count
    assert read_in.faults == ()


@given(st.text(st.sampled_from('[]{}",:\\ \n\r/abtf?*#é1'), max_size=40))
def test_no_text_raises(text: str) -> None:
    for each in read(text):
        assert each.line >= 1


@pytest.mark.parametrize(
    ("text", "is_vercel"),
    [
        ("source,destination,permanent\n/a,/b,true\n", True),
        ("source,destination,statusCode\n/a,/b,301\n", True),
        ('[\n  {"source": "/a", "destination": "/b"}\n]', True),
        ('{"source": "/a", "destination": "/b"}\n{"source": "/c", "destination": "/d"}\n', True),
        ("source,destination\n/a,/b\n", False),  # plain CSV
        ("source,destination,status\n/a,/b,301\n", False),
        ('{"redirects": [{"source": "/a", "destination": "/b"}]}', False),  # vercel.json
        ("", False),
    ],
)
def test_it_is_known_by_its_content(text: str, is_vercel: bool) -> None:
    assert detect(text) == is_vercel
