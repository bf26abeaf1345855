"""A run summed up: the questions hold the cases they say, a mark is the worst of them, a screen holds all."""

from __future__ import annotations

import re

import msgspec
import pytest

from detour.cli.explain import WIDTH as EXPLAINED
from detour.lab.cases import BY_ID, CASES
from detour.lab.known import known, quoted
from detour.lab.matrix import LETTERS, Matrix, legend, matrix
from detour.lab.question import BY_KEY, GROUPS, QUESTIONS
from detour.lab.remarks import REMARKS
from detour.lab.report_text import WIDTH, text
from detour.lab.result import Results
from detour.lab.verdict import VERDICTS
from tests.lab.simulated_run import four_and_one_absent


@pytest.fixture(scope="module")
def run() -> Results:
    return four_and_one_absent()


@pytest.fixture(scope="module")
def found(run: Results) -> Matrix:
    return matrix(run)


def marks(found: Matrix, client: str) -> dict[str, str]:
    row = next(row for row in found.rows if row.name == client)
    return {key: mark.verdict for key, mark in row.marks.items()}


def test_every_question_is_about_some_cases_and_has_a_key_of_its_own() -> None:
    assert len(BY_KEY) == len(QUESTIONS)
    for question in QUESTIONS:
        assert any(question.is_about(case.id) for case in CASES), question.key
        assert question.group in GROUPS


@pytest.mark.parametrize(
    ("key", "case", "about"),
    [
        ("POST 307", "same/307/POST/json", True),
        ("POST 307", "same/307/POST/stream", False),
        ("content stream", "same/308/PUT/stream", True),
        ("content stream", "same/301/PUT/stream", False),
        ("early close", "early/307/POST/4-mib/close", True),
        ("early close", "early/307/POST/4-mib-stream/close", False),
        ("secrets auth", "credentials/307/GET/authorization/other-host", True),
        ("secrets auth", "credentials/307/GET/proxy-authorization/other-host", False),
        ("secrets auth", "credentials/307/GET/authorization/same", False),
        ("secrets cookie", "credentials/307/GET/doubled-cookie/bounce", True),
    ],
)
def test_which_case_is_part_of_which_question(key: str, case: str, about: bool) -> None:
    assert case in BY_ID
    assert BY_KEY[key].is_about(case) is about


def test_each_verdict_has_a_letter_and_only_faults_have_capitals() -> None:
    assert LETTERS.keys() == VERDICTS.keys()
    for name, letter in LETTERS.items():
        assert letter.isupper() == VERDICTS[name].bold
    for axis in ("request", "credentials"):
        letters = [LETTERS[one.name] for one in VERDICTS.values() if one.axis == axis]
        assert len(set(letters)) == len(letters)


def test_a_mark_is_the_worst_of_its_cases_and_counts_the_others(found: Matrix) -> None:
    honest, forgetful = marks(found, "honest"), marks(found, "forgetful")
    assert (honest["POST 307"], honest["POST 302"], honest["PUT 302"]) == ("kept", "rewritten", "kept")
    assert honest["content stream"] == "kept"
    assert forgetful["content stream"] == "lost"
    assert forgetful["POST 307"] == "kept"
    assert marks(found, "trusting")["secrets auth"] == "leaked"
    assert honest["secrets auth"] == "dropped"
    assert marks(found, "trusting")["secrets key"] == honest["secrets key"] == "forwarded"
    chain = found.rows[0].marks["else chain"]  # loops are refused, and what is longer than its limit
    assert (chain.verdict, chain.cases) == ("refused", 20)
    assert 0 < chain.otherwise < chain.cases


def test_faults_and_what_varies_are_counted(run: Results, found: Matrix) -> None:
    honest, forgetful, _, fickle = found.rows
    assert (honest.faults, honest.varying, honest.worst) == (0, 0, "")
    assert forgetful.faults == sum(cell.bold for cell in run.clients[1].cells) > 0
    assert forgetful.worst == "lost"
    assert fickle.varying > 0
    assert fickle.marks["PUT 307"].varying == fickle.marks["PUT 307"].cases


def test_who_is_absent_has_no_row(found: Matrix) -> None:
    assert [row.name for row in found.rows] == ["honest", "forgetful", "trusting", "fickle"]
    assert found.absent == {"gone": "gone is not installed"}


def test_clients_by_what_they_make_of_a_question_come_best_first(found: Matrix) -> None:
    assert found.by_verdict("content stream") == {
        "kept": ["honest", "trusting"],
        "refused": ["fickle"],
        "lost": ["forgetful"],
    }
    assert found.by_verdict("no such question") == {}


def test_the_matrix_survives_being_written_down(found: Matrix) -> None:
    assert msgspec.json.decode(msgspec.json.encode(found), type=Matrix) == found


def test_the_legend_tells_what_occurs(found: Matrix) -> None:
    told = legend(found)
    assert "L lost" in told
    assert "X leaked" in told
    assert "H hung" not in told


def test_thirty_five_clients_and_all_cases_fit_a_screen(run: Results) -> None:
    many = tuple(
        msgspec.structs.replace(run.clients[number % 4], name=f"client-with-long-name-{number}")
        for number in range(35)
    )
    shown = text(msgspec.structs.replace(run, clients=many)).splitlines()
    assert max(map(len, shown)) <= WIDTH == 80
    assert sum(line.startswith("client-with-long-name") for line in shown) == 4  # alike: one line
    assert len(shown) <= 20


@pytest.mark.parametrize("lines", [24, 40, 50])
def test_on_a_terminal_it_is_never_longer_than_the_screen(run: Results, lines: int) -> None:
    """The most faulty are shown, the others counted."""
    several = [msgspec.structs.replace(run.clients[2], name=f"leaks-{number}") for number in range(60)]
    unlike = [
        msgspec.structs.replace(one, cells=one.cells[number * 5 :]) for number, one in enumerate(several)
    ]
    shown = text(msgspec.structs.replace(run, clients=tuple(unlike)), lines=lines).splitlines()
    assert max(map(len, shown)) <= WIDTH
    assert len(shown) < lines
    assert sum(line.startswith("leaks-") for line in shown) >= 8
    assert any("with fewer faults" in line for line in shown) == (lines == 24)


def test_colour_changes_no_letter(run: Results) -> None:
    plain, coloured = text(run), text(run, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31mL\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain


def test_one_client_is_told_at_length(run: Results) -> None:
    told = text(msgspec.structs.replace(run, clients=run.clients[1:2]))
    assert told.startswith("forgetful 1.0: ")
    assert (
        "  same/307/POST/stream: lost, none sent: request 2, POST: the method is kept, the content is" in told
    )


def test_every_remark_is_about_some_case() -> None:
    for remark in REMARKS:
        assert any(re.fullmatch(remark.cases, case.id) for case in CASES), remark.words
        assert remark.verdicts <= VERDICTS.keys()


def test_what_explain_quotes_is_of_this_matrix(found: Matrix) -> None:
    told = [text for _, text in quoted(found, 307)]
    assert told[0].startswith("by `detour lab` on 2026-11-22, 4 clients")
    assert "a stream: 2 kept; refused: fickle; lost: forgetful" in told
    assert "a PUT from memory: 3 kept; refused: fickle" in told
    assert "Authorization, to another origin: leaked by trusting" in told
    assert "X-Api-Key, to another origin: forwarded by 4 of 4" in told
    assert not [text for _, text in quoted(found, 302) if text.startswith("a stream")]


def test_the_packaged_matrix_knows_each_of_its_questions() -> None:
    assert len(known().rows) > 0
    assert known().cases <= len(CASES)
    for row in known().rows:
        assert row.marks.keys() <= BY_KEY.keys()
        assert {mark.verdict for mark in row.marks.values()} <= VERDICTS.keys()
    assert EXPLAINED <= 88
