"""The whole machinery, driven by planted liars: real programs, real sockets, every verdict theirs alone."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from detour.errors import LabError
from detour.lab import watch
from detour.lab.cases import CASES
from detour.lab.client import Client
from detour.lab.journal import Journal
from detour.lab.result import Results, schema
from detour.lab.run import Manner, Told
from detour.lab.trial import Trial
from tests.lab.asking import asked, cases, cell, liar

PUT = "same/307/PUT/json"
GET = "same/307/GET/none"
POST = "same/307/POST/json"
CHOICE = "status/300/POST/location"
THIRD = "credentials/307/GET/authorization/third-hop"

# Each lie, a case that catches it, and the verdicts on request and credentials.
CAUGHT = (
    ("honest", PUT, "kept", "none sent"),
    ("honest", CHOICE, "refused", "none sent"),
    ("honest", THIRD, "kept", "dropped"),
    ("drops content", PUT, "lost", "none sent"),
    ("doubles content", PUT, "altered", "none sent"),
    ("changes one byte", PUT, "altered", "none sent"),
    ("changes the method's case", PUT, "misrewritten", "none sent"),
    ("follows 300", CHOICE, "overfollowed", "none sent"),
    ("follows 300", PUT, "kept", "none sent"),
    ("claims success", PUT, "lost", "none sent"),
    ("leaks on the third hop", THIRD, "kept", "leaked"),
    ("leaks on the third hop", PUT, "kept", "none sent"),
    ("dies", PUT, "crashed", "none sent"),
    ("dies", GET, "kept", "none sent"),
    ("dies", POST, "kept", "none sent"),
    ("is fickle", PUT, "refused", "none sent"),
)


# All with the same case.
LYING = (
    *("drops content", "doubles content", "changes one byte", "changes the method's case"),
    *("claims success", "dies"),
)


@pytest.fixture(scope="module")
def caught() -> Results:
    """All liars, in one run."""
    names = dict.fromkeys(name for name, *_ in CAUGHT)
    return asked([liar(name) for name in names], cases(GET, PUT, POST, CHOICE, THIRD))


@pytest.mark.parametrize(("name", "case", "request_", "credentials"), CAUGHT)
def test_each_liar_gets_its_own_verdict(
    caught: Results, name: str, case: str, request_: str, credentials: str
) -> None:
    found = cell(caught, name, case)
    assert (found.request, found.credentials) == (request_, credentials), found.shown.judgement.why


def test_evidence_says_what_was_sent_at_each_hop_and_where_it_first_differed(caught: Results) -> None:
    shown = cell(caught, "changes one byte", PUT).shown
    first, second = shown.judgement.evidence
    assert first.difference is None
    assert second.difference is not None
    assert second.difference.offset == first.length // 2
    assert [one.head.split(" ")[0] for one in shown.seen] == ["PUT", "PUT"]
    assert shown.seen[0].sha256 != shown.seen[1].sha256


def test_lies_of_one_verdict_are_told_apart(caught: Results) -> None:
    whys = [cell(caught, name, PUT).shown.judgement.why for name in LYING]
    assert len(set(whys)) == len(LYING)


def test_a_crash_tells_the_last_words(caught: Results) -> None:
    assert cell(caught, "dies", PUT).shown.outcome.error == "exit 3: a PUT is more than I can bear"


def test_what_comes_out_the_same_twice_is_asked_twice(caught: Results) -> None:
    assert cell(caught, "honest", PUT).trials == 2
    assert not cell(caught, "honest", PUT).varying


def test_what_differs_is_asked_five_times_and_says_so(caught: Results) -> None:
    found = cell(caught, "is fickle", PUT)
    assert found.trials == 5
    assert {one.request for one in found.varying} == {"kept", "refused"}
    assert sum(one.times for one in found.varying) == 5


def test_a_program_that_hangs_is_ended_and_the_rest_is_asked_of_another() -> None:
    results = asked([liar("hangs")], cases(GET, PUT, POST, timeout=1.0), Manner(grace=0.2))
    found = {one.case: one.request for one in results.clients[0].cells}
    assert found == {GET: "kept", PUT: "hung", POST: "kept"}


def test_an_honest_client_has_no_fault_on_any_case() -> None:
    results = asked([liar("honest")], CASES, Manner(twice=1))
    found = results.clients[0].cells
    assert [one.case for one in found] == [case.id for case in CASES if "library" in case.runs_in]
    assert [(one.case, one.shown.judgement) for one in found if one.bold] == []
    only_unsupported = {one.case.split("/")[3] for one in found if one.request == "unsupported"}
    assert only_unsupported <= {"multipart", "expect"} | {"websocket"}, only_unsupported


def test_the_results_are_as_their_schema_says(caught: Results) -> None:
    document = msgspec.json.encode(caught)
    jsonschema.validate(msgspec.json.decode(document), schema())
    assert msgspec.json.decode(document, type=Results) == caught


def absent(**more: object) -> Client:
    return msgspec.structs.replace(liar("honest"), name="other", **more)


def test_a_client_that_is_not_there_is_listed_as_absent() -> None:
    gone = absent(version=("no-such-program-anywhere", "--version"))
    results = asked([gone, liar("honest")], cases(GET))
    assert results.clients[0].absent == "no-such-program-anywhere is not installed"
    assert results.clients[0].cells == ()
    assert cell(results, "honest", GET).request == "kept"


def test_a_client_whose_program_cannot_be_built_is_absent_and_says_why() -> None:
    broken = absent(prepare=(("{python}", "-c", "import sys; sys.exit('no compiler')"),))
    assert asked([broken], cases(GET)).clients[0].absent == "no compiler"


def test_what_a_client_cannot_send_is_not_asked_and_says_why() -> None:
    results = asked([absent(cannot={"json": "knows no JSON", "PUT": "never puts"})], cases(GET, PUT, POST))
    found = results.clients[0]
    assert [one.case for one in found.cells] == [GET]
    assert found.not_asked == {PUT: "knows no JSON", POST: "knows no JSON"}


def test_a_program_that_asks_for_nothing_is_given_up() -> None:
    silent = absent(command=("{python}", "-c", "print('what lab?')"))
    found = asked([silent], cases(GET, PUT)).clients[0]
    assert found.cells == ()
    assert found.gave_up == "started 2 times without asking for a case: exit 0: what lab?"
    assert set(found.not_asked) == {GET, PUT}


def test_a_program_that_neither_asks_nor_ends_is_ended() -> None:
    stuck = absent(command=("{python}", "-c", "import time; time.sleep(60)"), starts_in=0.3)
    assert "without asking for a case: silent" in asked([stuck], cases(GET)).clients[0].gave_up


def test_a_client_that_only_crashes_is_given_up_and_the_rest_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "MOST_BAD", 3)
    puts = [case for case in CASES if case.asked.method == "PUT" and case.group == "same"][:6]
    found = asked([liar("dies")], puts).clients[0]
    assert [one.request for one in found.cells] == ["crashed"] * 3
    assert found.gave_up.startswith("3 cases in a row hung or crashed: exit 3")
    assert len(found.not_asked) == 3


def test_progress_tells_how_many_to_expect_and_each_as_it_is_judged() -> None:
    expected: list[int] = []
    told: list[Trial] = []
    asked([liar("honest")], cases(GET, PUT), told=Told(expected.append, told.append))
    assert expected == [len(told)] == [4]
    assert {one.case for one in told} == {GET, PUT}


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    name = str(tmp_path / "journal")
    journal = Journal(name, CASES)
    whole = asked([liar("honest")], cases(GET, PUT), journal=journal)
    journal.close()
    cut = Path(name).read_bytes()[:-40]  # the last line was being written
    Path(name).write_bytes(cut)
    told: list[Trial] = []
    journal = Journal(name, CASES)
    again = asked([liar("honest")], cases(GET, PUT), told=Told(trial=told.append), journal=journal)
    journal.finish()
    assert len(told) == 1
    assert [(one.case, one.request, one.trials) for one in again.clients[0].cells] == [
        (one.case, one.request, one.trials) for one in whole.clients[0].cells
    ]
    assert not Path(name).exists()


def test_a_journal_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"), cases(GET))
    journal.close()
    with pytest.raises(LabError, match="cannot be written"):
        asked([liar("honest")], cases(GET, PUT), journal=journal)


def test_a_journal_counts_for_the_same_version_of_a_client_and_the_same_case(tmp_path: Path) -> None:
    name = str(tmp_path / "journal")
    journal = Journal(name, cases(GET))
    journal.add(cell(asked([liar("honest")], cases(GET)), "honest", GET).shown, "1.0")
    journal.close()
    again = Journal(name, cases(GET))
    assert [len(again.trials("honest", version)) for version in ("1.0", "1.1")] == [1, 0]
    assert again.trials("other", "1.0") == []
    again.close()
    changed = Journal(name, [msgspec.structs.replace(cases(GET)[0], timeout=1.0)])
    assert changed.trials("honest", "1.0") == []
    changed.close()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"client,verdict\n", "is no journal of detour lab"),
        (b'{"detour-lab-journal":1}\n{"trial":\n', "is damaged at octet 25"),
    ],
)
def test_a_journal_that_is_none_is_refused_and_left_alone(tmp_path: Path, octets: bytes, words: str) -> None:
    name = tmp_path / "journal"
    name.write_bytes(octets)
    with pytest.raises(LabError, match=words):
        Journal(str(name), CASES)
    assert name.read_bytes() == octets


def test_programs_find_no_proxy_no_home_and_the_labs_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    said = (
        "import os, sys; told = os.environ; same = told['SSL_CERT_FILE'] == told['DETOUR_LAB_CA']; "
        "sys.exit(f\"{told.get('HTTP_PROXY')} {os.listdir(told['HOME'])} {same}\")"
    )
    found = asked([absent(command=("{python}", "-c", said))], cases(GET)).clients[0]
    assert found.gave_up.endswith("exit 1: None [] True")
