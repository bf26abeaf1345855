"""The tables of cases: complete, consistent with themselves, and stable."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from ada_url import URL
from hypothesis import given
from hypothesis import strategies as st

import detour.lab.cases
from detour.core.policy import POLICIES
from detour.lab.carried import BORDERS
from detour.lab.case import KINDS, MANNERS, TOKEN, Case, address_of, filled, station_path
from detour.lab.cases import BY_ID, CASES, GROUPS, LEFT_OUT, SLICE, other_origin, same_origin
from detour.lab.cases.allowed import METHODS, STATUSES, clause
from detour.lab.cases.pairwise import pairwise
from tests.lab.simulated import ORIGINS, Honest
from tests.lab.simulated import TOKEN as ONE_TOKEN

IDS = Path(__file__).parent / "case_ids.txt"
LAB = Path(detour.lab.cases.__file__).parent.parent
PURE = ("case", "contents", "carried", "form", "judge", "verdict")


def test_ids_are_unique_and_none_was_renamed() -> None:
    assert len(BY_ID) == len(CASES)
    assert [case.id for case in CASES] == IDS.read_text().split(), (
        "baselines hold these; a new one is added here"
    )


def test_an_id_reads_well_in_a_path_and_names_its_group() -> None:
    for case in CASES:
        assert re.fullmatch(r"[a-z]+(/[a-zA-Z0-9-]+){2,4}", case.id)
        assert case.group == case.id.partition("/")[0]
    assert list(dict.fromkeys(case.group for case in CASES)) == list(GROUPS)


def test_every_case_says_where_its_expectation_stands() -> None:
    source = re.compile(r"RFC \d{4}|Fetch §|WHATWG|#\d+")
    assert [case.id for case in CASES if not source.search(case.clause) or not case.title] == []


def test_titles_are_unique_among_those_who_are_asked_the_same() -> None:
    for caller in ("library", "browser"):
        titles = Counter(case.title for case in CASES if caller in case.runs_in)
        assert [title for title, times in titles.items() if times > 1] == []


def test_the_grid_is_full_but_for_content_that_get_and_head_do_not_have() -> None:
    grid = {tuple(case.id.split("/")[1:]) for case in same_origin.CASES}
    full = {(str(status), method, kind) for status in STATUSES for method in METHODS for kind in KINDS}
    assert len(full) == 400
    assert len(grid) == 330
    assert {method for _, method, _ in full - grid} == {"GET", "HEAD"}


def test_every_relation_meets_every_status_method_and_content() -> None:
    met = {(case.id.split("/")[4], part) for case in other_origin.CASES for part in case.id.split("/")[1:4]}
    everything = {*map(str, STATUSES), *METHODS, *KINDS}
    assert met == {(relation.name, part) for relation in other_origin.RELATIONS for part in everything}


def test_every_manner_and_every_credential_is_asked_about() -> None:
    assert {answer.manner for case in CASES for answer in case.script} == set(MANNERS)
    assert {name.lower() for case in CASES for name, _ in case.asked.fields} >= set(BORDERS)


def test_what_is_left_out_has_a_reason() -> None:
    assert all(what and why for what, why in LEFT_OUT)
    assert len({what for what, _ in LEFT_OUT}) == len(LEFT_OUT)


def test_the_short_run_has_every_group_status_method_and_kind_of_content() -> None:
    assert 35 <= len(SLICE) <= 55
    assert {case.group for case in SLICE} == set(GROUPS)
    assert {answer.status for case in SLICE for answer in case.script} >= set(STATUSES)
    assert {case.asked.method for case in SLICE} == set(METHODS)
    assert {case.asked.content.kind for case in SLICE} == set(KINDS)
    assert all(case.runs_in == {"library", "browser"} for case in SLICE)


def test_every_placeholder_is_one_that_is_filled() -> None:
    for case in CASES:
        answers = [*case.script, *(answer.then for answer in case.script if answer.then)]
        written = [case.asked.target, *(place.place for route in case.expected.routes for place in route)]
        written += [text for answer in answers for text in answer.locations]
        written += [value for answer in answers for _, value in answer.fields]
        for text in written:
            assert not set("{}") & set(filled(text, ORIGINS, ONE_TOKEN)), (case.id, text)


def _whatwg(case: Case) -> list[str]:
    """Where a reader by WHATWG URL goes who follows every 3xx, until a place answers no redirect."""
    url = filled(f"{{{case.asked.origin}}}{case.asked.target}", ORIGINS, ONE_TOKEN)
    gone: list[str] = []
    for visit in range(1, 4):
        found = address_of(URL(url).pathname + URL(url).search)
        answer = case.answer(found[1] if found else 99, visit if len(set(gone)) < len(gone) else 1)
        if not 300 <= answer.status < 400 or len(answer.locations) != 1:
            break
        url = URL(filled(answer.locations[0], ORIGINS, ONE_TOKEN, found[1] if found else 0), base=url).href
        gone.append(url.partition("#")[0])
    return gone


def test_a_location_leads_where_whatwg_says_or_must_not_be_followed() -> None:
    """The expected places are written by hand; ada is asked whether it resolves the Locations to them."""
    for case in CASES:
        if case.asked.times > 1 or not case.expected.follow or case.id.endswith("userinfo"):
            continue
        gone = [_same(place) for place in _whatwg(case)][:3]
        gone = [place.replace("user:secret@", "") for place in gone]
        routes = [
            [_same(filled(stop.place, ORIGINS, ONE_TOKEN)) for stop in route]
            for route in case.expected.routes
        ]
        doubled = any(len(answer.locations) > 1 for answer in case.script)
        assert doubled or any(gone and gone == route[: len(gone)] for route in routes), (
            case.id,
            gone,
            routes,
        )


def _same(url: str) -> str:
    return re.sub(
        r"%[0-9a-fA-F]{2}", lambda found: found[0].upper(), quote(url, safe="/?:@%&=,;+~$!*'()[]\\")
    )


def test_every_script_is_played_to_its_end() -> None:
    """Whoever follows all that may be followed meets every answer, and then arrives."""
    for case in CASES:
        client = Honest(case, browser="library" not in case.runs_in)
        client.limit = 60
        record = client.record()
        stopped = record.outcome.kind == "error"
        met = {arrival.station for arrival in record.arrivals}
        assert stopped or case.preflight or set(range(len(case.script))) <= met, case.id
        if "kept" in case.expected.allowed and not stopped and case.script[0].status != 300:
            assert record.outcome.status == 200, case.id


@pytest.mark.parametrize("name", ["fetch", "rfc9110"])
def test_both_standards_as_policies_do_what_the_clauses_allow(name: str) -> None:
    """Two tables, each written from the standards: they may not contradict each other."""
    for status in STATUSES:
        for method in METHODS:
            rewriting = POLICIES[name].rewriting(status, method, has_content=False)
            form = "rewritten" if rewriting and rewriting.method != method else "kept"
            assert form in clause(status, method).forms, (status, method)


def test_pure_files_of_the_lab_import_nothing_that_acts_and_no_policy() -> None:
    files = [*(LAB / f"{name}.py" for name in PURE), *(LAB / "cases").glob("*.py")]
    acting = {
        "os",
        "io",
        "time",
        "random",
        "secrets",
        "socket",
        "pathlib",
        "subprocess",
        "threading",
        "asyncio",
        "sys",
    }
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] not in acting, file
                assert not name.startswith("detour.") or name.startswith("detour.lab."), file


@given(
    st.integers(0, 999),
    st.sampled_from(["", "?x=1", "?", "/and/more"]),
    st.sampled_from(["", "/127.0.0.2:8003"]),
)
def test_token_and_station_are_found_wherever_a_reading_has_put_them(
    station: int, after: str, before: str
) -> None:
    target = before + filled(station_path(station), {}, ONE_TOKEN) + after
    assert address_of(target) == (ONE_TOKEN, station)


@given(st.text())
def test_an_address_is_found_or_not_and_nothing_is_raised(target: str) -> None:
    found = address_of(target)
    assert found is None or TOKEN.fullmatch(f"/{found[0]}/")


AXES = st.lists(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True).map(tuple),
    min_size=2,
    max_size=4,
)


@given(AXES)
def test_pairwise_meets_every_pair_that_is_allowed_and_always_in_the_same_way(
    axes: list[tuple[str, ...]],
) -> None:
    def allowed(row: tuple[str, ...]) -> bool:
        return row[0] != row[-1]

    rows = pairwise(axes, [], allowed)
    assert rows == pairwise(axes, [], allowed)
    assert all(map(allowed, rows))
    met = {(at, row[0], value) for row in rows for at, value in enumerate(row) if at}
    last = len(axes) - 1
    asked = {(at, one, value) for at in range(1, last + 1) for one in axes[0] for value in axes[at]}
    possible = {
        (at, one, value)
        for at, one, value in asked
        if (one != value if at == last else any(end != one for end in axes[last]))
    }
    assert met == possible


def test_a_case_is_data() -> None:
    """It goes through JSON and comes back the same."""
    for case in CASES:
        assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case
