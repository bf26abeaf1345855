"""Plain CSV: rows in native syntax, headers, queries, faults at their lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.rule import ParameterCapture, Terms
from detour.formats.bulk_rows import cells
from detour.formats.csv_file import read
from detour.formats.draft import Draft, LineFault
from detour.formats.imports import Import
from tests.formats.dialect_data import Site, imported, read_job

H = "https://h.example"


def one(row: str) -> Draft:
    [draft] = read(row)
    assert isinstance(draft, Draft), draft
    return draft


def fault(text: str) -> LineFault:
    [found] = [each for each in read(text) if isinstance(each, LineFault)]
    return found


@pytest.mark.parametrize(
    ("rows", "url", "answer"),
    [
        ("/old,/new", "/old", (307, "/new")),
        ("/old,/new,301", "/old?a=1", (301, "/new?a=1")),
        ("/users/:id/*,/people/{id}/{0},308", "/users/7/a/b", (308, "/people/7/a/b")),
        ("//h.example/old,https://x.example/new,302", "/old", (302, "https://x.example/new")),
        ("https://h.example/old,/new?x=1", "/old?a=1", (307, "/new?x=1&a=1")),
        ("http://h.example/old,/new", "/old", None),
        ('"/a,b","/c,d"', "/a,b", (307, "/c,d")),
        ("/old,/new\n/old,/other", "/old", (307, "/new")),
        ("/*,/new\n/old,/other", "/old", (307, "/new")),
        ("/gone,,410\n/*,/new", "/gone", (410, None)),
        ("/café,/thé", "/caf%c3%a9", (307, "/th%C3%A9")),
    ],
)
def test_the_first_row_that_matches_answers(
    rows: str, url: str, answer: tuple[int, str | None] | None
) -> None:
    if answer is not None and answer[1] is not None and answer[1].startswith("/"):
        answer = (answer[0], H + answer[1])
    assert Site("csv", rows).answer(H + url) == answer


@pytest.mark.parametrize(
    ("rows", "url", "location"),
    [
        ("/p?id=7,/seven", "/p?id=7", "/seven"),
        ("/p?id=7,/seven", "/p?utm=x&id=7", "/seven"),
        ("/p?id=7,/seven", "/p?id=8", None),
        ("/p?id=7,/seven", "/p", None),
        ("/p?id=7,/seven\n/p,/any", "/p?id=8", "/any?id=8"),
        ("/p?q=a%20b&r=1,/x", "/p?r=1&q=a+b", "/x"),
        ("/p\\?id=7,/seven", "/p?id=7", "/seven"),
        ("/p/:x/y?id=7,/{x}", "/p/1/y?z=1&id=7", "/1"),
        ("/p?id=:id,/n/{id}", "/p?id=9", "/n/9"),
        ("/p?id=:id,/n/{id}", "/p?a=1&id=9", None),
        ("/p?id=1,/p", "/p?id=1", "/p"),
        ("//[2001:db8::1]/p?id=1,/q", None, "/q"),
    ],
)
def test_a_query_in_a_source_is_a_condition_and_is_used_up(
    rows: str, url: str | None, location: str | None
) -> None:
    url = H + url if url is not None else "https://[2001:db8::1]/p?a=1&id=1"
    origin = url[: url.index("/", 8)]
    assert Site("csv", rows).answer(url) == (None if location is None else (307, origin + location))


def test_a_plain_query_becomes_parameters_and_the_pattern_loses_it() -> None:
    draft = one("/p?a=1&b=,/q")
    assert (draft.pattern, draft.query) == ("/p", "drop")
    assert draft.parameters == (ParameterCapture("a", "1"), ParameterCapture("b", ""))


@pytest.mark.parametrize(
    "header",
    ["source,target,status", "From,To,Code", "old,new", "\ufeffOld URL,New URL", "SOURCE, TARGET"],
)
def test_a_header_row_is_recognised_and_is_no_redirect(header: str) -> None:
    assert list(read(f"{header}\n/a,/b")) == [Draft(2, "/a", "/b")]


def test_a_header_names_the_columns_in_any_order() -> None:
    assert list(read("code,to,from\n301,/b,/a")) == [Draft(2, "/a", "/b", 301)]


def test_a_header_with_a_column_of_another_meaning_is_a_fault() -> None:
    assert "`regex`" in fault("source,target,regex\n/a,/b").fact


def test_blank_lines_comments_carriage_returns_and_commas_alone_are_skipped() -> None:
    text = "# why\r\n\r\n /a , /b \r\n,,\r\n  \n/c,/d,"
    assert list(read(text)) == [Draft(3, "/a", "/b"), Draft(6, "/c", "/d")]


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("/a", "no target"),
        ("/a;/b", "no target"),
        ("/a,", "no target"),
        ("/a,/b,200", "no redirect status"),
        ("/a,/b,moved", "no redirect status"),
        ("/a,/b,410", "leads nowhere"),
        ("/a,/b,301,x", "4 cells"),
        ('"/a,/b', "not CSV"),
        ('"/a"b,/c', "not CSV"),
        ("/:id?x=1,/b", "optional"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_at_its_line(row: str, fact: str) -> None:
    found = fault(f"/x,/y\n{row}\n/z,/w")
    assert found.line == 2
    assert fact in found.fact
    assert found.remedy


def test_a_quote_that_is_not_closed_swallows_no_further_row() -> None:
    outcomes = list(read('/a,"/b\n/c,/d\n'))
    assert isinstance(outcomes[0], LineFault)
    assert outcomes[1] == Draft(2, "/c", "/d")


@pytest.mark.parametrize("row", ["old,/b", "h.example/a,/b", "/a,b", "/a,/{id}", "/a,https://u@h.example/"])
def test_what_native_rules_refuse_is_a_fault_of_the_import(row: str) -> None:
    [found] = imported("csv", f"/x,/y\n{row}").faults
    assert found.span.line == 2


def test_a_row_that_cannot_be_expressed_passes_where_the_import_says_so() -> None:
    job = Import("legacy", "old.csv", "csv", (), None, True, (), False, None, Terms())
    read_in = read_job(job, "/a,/b,200\n/*,/c")
    assert [(rule.pattern, rule.status) for rule in read_in.rules] == [("/a", 404), ("/*", 307)]
    assert "(until then /a answers 404)" in read_in.warnings[0]
    many = read_job(job, "\n".join(f"/a{number},/b,200" for number in range(150)))
    assert len(many.rules) == 150
    assert many.warnings[-2].startswith("old.csv:101: and 50 more from here on")


def test_at_most_a_hundred_faults_are_listed_with_the_total() -> None:
    faults = imported("csv", "\n".join(["/ok,/fine", *(f"/a{number}" for number in range(250))])).faults
    assert [found.span.line for found in faults] == [*range(2, 102), 102]
    assert faults[-1].fact == "and 150 more from here on"


def test_a_hundred_faults_are_listed_without_a_closing_line() -> None:
    faults = imported("csv", "\n".join("/a" for _ in range(100))).faults
    assert len(faults) == 100
    assert "more" not in faults[-1].fact


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), min_size=1, max_size=4))
def test_cells_are_what_a_csv_writer_wrote(values: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow(values)
    assert cells(written.getvalue()) == [value.strip() for value in values]


@given(st.text(st.sampled_from('/ab?,:*{}\\"#; \t\n\r301&=é'), max_size=40))
def test_no_text_raises(text: str) -> None:
    assert all(outcome.line >= 1 for outcome in read(text))
    assert imported("csv", text).rules is not None
