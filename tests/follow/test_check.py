"""Claims as exchanges: results, retries of network faults only, and the journal. No sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.audit.report import Result
from detour.core.chain import End, Outgoing, Response
from detour.core.url import URL
from detour.errors import DetourError
from detour.follow.check import Manner, Nothing, Settled, settle
from detour.follow.claim import Claim, Expected, Unusable
from detour.follow.consent import Consent
from detour.follow.resume import Journal
from detour.net.exchange import Pause

HERE = "http://here.test"
FAULT = End("timeout", "too slow")


def claim(method: str = "GET", path: str = "/", expected: Expected | None = None, **more: object) -> Claim:
    request = Outgoing(method, URL.parse(HERE + path))
    consent = Consent(frozenset({HERE}))
    return Claim(f"{method} {path}", request, expected or Expected(), consent=consent, **more)  # type: ignore[arg-type]


def redirect(status: int, location: str) -> Response:
    return Response(status, fields=(("Location", location),), remote="192.0.2.1")


class Network:
    """Answers in the order given; keeps what was sent and how long was waited."""

    def __init__(self, *answers: Response | End) -> None:
        self.answers = [*answers]
        self.sent: list[str] = []
        self.pauses: list[float] = []

    def settle(self, asked: Claim | Unusable, manner: Manner | None = None) -> Settled:
        exchange = settle(0, asked, manner or Manner(), Nothing())
        answer: Response | End | None = None
        while True:
            try:
                wish = exchange.send(answer)
            except StopIteration as stop:
                settled = stop.value
                assert isinstance(settled, Settled)
                return settled
            if isinstance(wish, Pause):
                self.pauses.append(wish.seconds)
                answer = None
            else:
                self.sent.append(f"{wish.request.method} {wish.request.url}")
                answer = self.answers.pop(0)


def test_a_chain_that_arrives_passes_without_a_word() -> None:
    network = Network(redirect(307, "/new"), Response(200))
    assert network.settle(claim()).result == Result("GET /", "passed")
    assert network.sent == [f"GET {HERE}/", f"GET {HERE}/new"]


def test_what_fails_says_why_and_the_way_it_went() -> None:
    settled = Network(redirect(302, "/new"), Response(404)).settle(claim())
    assert settled.result.outcome == "failed"
    assert settled.result.detail == "ends with status 404"
    assert settled.result.way == f"GET {HERE}/ → 302 {HERE}/new → 404"


def test_an_error_among_the_findings_fails_unless_it_is_allowed_or_never_fails() -> None:
    def looped() -> Network:
        return Network(redirect(302, "/"))

    asked = claim(expected=Expected(status=(302,)))
    failed = looped().settle(asked)
    assert failed.result.outcome == "failed"
    errors = {one.check for one in failed.result.findings if one.severity == "error"}
    assert "self-redirect" in errors
    assert looped().settle(asked, Manner(fail_on=None)).result.outcome == "passed"
    allowed = claim(expected=Expected(status=(302,)), allow=frozenset(errors))
    assert looped().settle(allowed).result.outcome == "passed"


@pytest.mark.parametrize("fault", ["resolve", "connect", "timeout", "protocol"])
def test_a_network_fault_is_asked_again_each_time_later(fault: str) -> None:
    network = Network(End(fault), End(fault), Response(200))
    assert network.settle(claim()).result.outcome == "passed"
    assert network.pauses == [0.5, 1.0]


def test_attempts_end_and_the_last_one_counts() -> None:
    network = Network(FAULT, FAULT, FAULT)
    settled = network.settle(claim())
    assert settled.result.detail.splitlines()[0] == "timeout: too slow"
    assert len(network.sent) == 3
    assert len(Network(FAULT).settle(claim(), Manner(retries=0)).result.detail) > 0


@pytest.mark.parametrize(
    "answer",
    [Response(500), Response(429), End("tls", "x"), End("refused-address"), End("malformed-response")],
)
def test_an_answer_is_never_asked_for_again(answer: Response | End) -> None:
    network = Network(answer)
    network.settle(claim())
    assert len(network.sent) == 1


def test_a_fault_behind_a_redirect_begins_the_chain_again() -> None:
    network = Network(redirect(307, "/new"), FAULT, redirect(307, "/new"), Response(200))
    assert network.settle(claim()).result.outcome == "passed"
    assert len(network.sent) == 4


def test_an_unsafe_request_is_sent_again_only_when_nothing_of_it_was_sent() -> None:
    asked = claim("POST", expected=Expected(end_status=(200,)))
    refused = Network(End("connect"), Response(200))
    assert refused.settle(asked).result.outcome == "passed"
    lost = Network(FAULT)
    assert lost.settle(asked).result.outcome == "failed"
    behind = Network(redirect(307, "/new"), End("connect"))
    assert behind.settle(asked).result.outcome == "failed"
    assert (len(refused.sent), len(lost.sent), len(behind.sent)) == (2, 1, 2)


def test_an_unsafe_request_without_consent_is_skipped_and_not_sent() -> None:
    network = Network()
    settled = network.settle(Claim("POST /", Outgoing("POST", URL.parse(HERE))))
    assert settled.result.outcome == "skipped"
    assert "--send" in settled.result.detail
    assert network.sent == []


def test_an_unsafe_claim_about_the_first_answer_follows_nothing() -> None:
    network = Network(redirect(307, "http://else.test/"))
    asked = claim("POST", expected=Expected(status=(307,), location=URL.parse("http://else.test/")))
    assert network.settle(asked).result.outcome == "passed"
    assert network.sent == [f"POST {HERE}/"]


def test_what_cannot_be_asked_is_a_result() -> None:
    network = Network()
    assert network.settle(Unusable("x", "no URL")).result == Result("x", "failed", detail="no URL")
    assert network.settle(Unusable("x", "a time", skipped=True)).result.outcome == "skipped"


# -- the journal


def test_a_result_is_found_at_its_place_and_for_the_same_claim_only(tmp_path: Path) -> None:
    name = str(tmp_path / "journal")
    journal = Journal(name)
    journal.add(3, claim(path="/3"), Result("three", "failed", detail="é\n"))
    journal.add(0, claim(path="/0"), Result("zero", "passed"))
    journal.close()
    again = Journal(name)
    assert again.known == 2
    assert again.find(3, claim(path="/3")) == Result("three", "failed", detail="é\n")
    assert again.find(0, claim(path="/0")) == Result("zero", "passed")
    assert again.find(0, claim(path="/3")) is None
    assert again.find(1, claim(path="/3")) is None
    assert again.find(9, claim(path="/0")) is None
    assert again.find(3, claim(path="/3", expected=Expected(status=(307,)))) is None
    again.close()


def test_a_journal_of_another_manner_knows_nothing(tmp_path: Path) -> None:
    name = str(tmp_path / "journal")
    journal = Journal(name, "error")
    journal.add(0, claim(), Result("zero", "passed"))
    journal.close()
    other = Journal(name, "warning")
    assert other.find(0, claim()) is None
    other.close()


def test_a_line_cut_short_is_cut_off_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    for cut in range(1, 30):
        path.unlink(missing_ok=True)
        journal = Journal(str(path))
        journal.add(0, claim(path="/0"), Result("zero", "passed"))
        journal.add(1, claim(path="/1"), Result("one", "passed"))
        journal.close()
        path.write_bytes(path.read_bytes()[:-cut])
        again = Journal(str(path))
        assert again.find(0, claim(path="/0")) == Result("zero", "passed")
        assert again.find(1, claim(path="/1")) is None
        again.add(1, claim(path="/1"), Result("one", "failed"))
        assert again.find(1, claim(path="/1")) == Result("one", "failed")
        again.finish()
    assert not path.exists()


@pytest.mark.parametrize("content", [b"my precious notes\n", b"detour-journal 1\nnot a line\n"])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(DetourError, match="--resume"):
        Journal(str(path))
    assert path.read_bytes() == content


def test_a_head_cut_short_is_an_empty_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"detour-jou")
    journal = Journal(str(path))
    journal.add(0, claim(), Result("zero", "passed"))
    journal.close()
    again = Journal(str(path))
    assert again.known == 1
    again.close()
