"""The protocol: what is asked and answered under /lab, and the programs of the documentation for real."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from detour.lab.case import Asked, Case
from detour.lab.cases import BY_ID, CASES
from detour.lab.contents import CONTENTS, FORM, octets
from detour.lab.stage import Stage, open_stage
from tests.examples.running import plain_environment, program

DOCUMENT = Path(__file__).parents[2] / "docs" / "lab-protocol.md"
GET, POST, STREAM = "same/307/GET/none", "same/307/POST/json", "same/307/PUT/stream"
THREE = tuple(BY_ID[one] for one in (GET, POST, STREAM))


@pytest.fixture
def stage() -> Iterator[Stage]:
    with open_stage(THREE) as opened:
        yield opened


class Lab:
    """A client of the protocol."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._path, self._authority = parts.path, parts.netloc

    def raw(self, method: str, path: str, content: bytes | str = b"") -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection(self._authority, timeout=10)) as connection:
            connection.request(method, f"{self._path}{path}", content or None)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def get(self, path: str) -> Any:
        status, octets_ = self.raw("GET", path)
        return json.loads(octets_) if status == 200 else status

    def next(self, client: str = "me") -> Any:
        return self.get(f"/next?client={client}")

    def tell(self, case: dict[str, Any], **said: object) -> Any:
        status, octets_ = self.raw("POST", f"/outcome/{case['token']}", json.dumps(said))
        return json.loads(octets_) | ({} if status == 200 else {"http": status})


@pytest.fixture
def lab(stage: Stage) -> Lab:
    return Lab(stage.base)


def send(case: dict[str, Any], url: str = "", content: bytes = b"") -> int:
    """What a client would send, to `url` or where the case begins; nothing is followed."""
    parts = urlsplit(url or case["url"])
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        fields = {"Content-Type": case["content"]["type"]} if content else {}
        connection.request(case["method"], parts.path, content or None, fields)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def follow(case: dict[str, Any], content: bytes = b"") -> None:
    """As a client that keeps everything."""
    assert send(case, content=content) == 307
    assert send(case, case["url"].replace("/0/start", "/1/here"), content) == 200


def test_a_session_holds_every_case_once_and_then_nothing(lab: Lab) -> None:
    asked = []
    while (case := lab.next()) != 204:
        asked.append(case["case"])
        lab.tell(case, error="nothing was tried")
    assert asked == [GET, POST, STREAM]
    assert lab.next() == 204
    assert lab.next("another")["case"] == GET


def test_a_case_says_what_to_send(lab: Lab, stage: Stage) -> None:
    case = lab.get(f"/case?id={POST}&client=me")
    content = case.pop("content")
    assert case == {
        "case": POST,
        "title": BY_ID[POST].title,
        "token": case["token"],
        "method": "POST",
        "url": f"{stage.origins.bases['a']}/{case['token']}/0/start",
        "fields": [],
        "times": 1,
        "api": "http",
        "follow": True,
        "timeout": 5.0,
        "outcome": f"{stage.base}/outcome/{case['token']}",
    }
    assert (content["kind"], content["type"], content["length"]) == ("json", "application/json", 49)
    assert content["text"].encode() == Path(content["file"]).read_bytes() == octets(CONTENTS["json"])
    assert lab.raw("GET", content["href"].removeprefix(stage.base)) == (200, octets(CONTENTS["json"]))


@pytest.mark.parametrize("kind", CONTENTS)
def test_every_kind_of_content_is_described_and_lies_in_a_file(kind: Any) -> None:
    with open_stage([case_of(kind)]) as opened:
        content = Lab(opened.base).next()["content"]
    assert content["kind"] == kind
    assert content["length"] == CONTENTS[kind].length
    if kind == "form":
        assert content["pairs"] == [list(pair) for pair in FORM]
    if kind == "multipart":
        assert [(part["name"], part["filename"]) for part in content["parts"]] == [
            ("note", ""),
            ("upload", "upload.bin"),
        ]
        assert all("href" in part and "file" in part for part in content["parts"])


def case_of(kind: Any) -> Case:
    return Case("test", "", "", "", Asked("POST", CONTENTS[kind]), (), BY_ID[POST].expected)


def test_the_outcome_is_answered_with_the_verdict_and_its_evidence(lab: Lab) -> None:
    case = lab.next()
    case = lab.get(f"/case?id={POST}&client=me")
    content = octets(CONTENTS["json"])
    follow(case, content)
    verdict = lab.tell(case, status=200, url=case["url"])
    assert (verdict["case"], verdict["request"], verdict["credentials"]) == (POST, "kept", "none sent")
    assert [one["length"] for one in verdict["evidence"]] == [len(content)] * 2


def test_success_without_a_second_request_is_lost(lab: Lab) -> None:
    case = lab.next()
    send(case)
    assert lab.tell(case, status=200)["request"] == "lost"


def test_a_redirect_handed_back_is_refused(lab: Lab) -> None:
    case = lab.next()
    assert lab.tell(case, status=send(case))["request"] == "refused"


def test_what_a_client_cannot_send_is_left_out(lab: Lab) -> None:
    case = lab.next()
    verdict = lab.tell(case, unsupported="has no GET")
    assert (verdict["request"], verdict["why"]) == ("unsupported", "has no GET")


def test_a_client_driven_by_hand_says_nothing_and_what_was_answered_last_counts(lab: Lab) -> None:
    case = lab.next()
    follow(case)
    assert lab.tell(case)["request"] == "kept"
    case = lab.next()
    send(case, content=octets(CONTENTS["json"]))
    assert lab.tell(case)["request"] == "refused"


def test_a_case_without_an_outcome_counts_as_crashed_when_the_next_is_asked_for(lab: Lab) -> None:
    lab.next()
    lab.next()
    (verdict,) = lab.get("/verdicts?client=me")
    assert (verdict["case"], verdict["request"]) == (GET, "crashed")


def test_what_arrives_before_the_next_case_is_asked_for_counts(lab: Lab) -> None:
    case = lab.next()
    send(case)
    assert lab.tell(case, error="timeout")["request"] == "refused"
    send(case, case["url"].replace("/0/start", "/1/here"))
    lab.next()
    (verdict,) = lab.get("/verdicts?client=me")
    assert verdict["request"] == "kept"
    assert [note["name"] for note in verdict["notes"]] == ["error-after-arrival"]


def test_the_first_outcome_counts(lab: Lab) -> None:
    case = lab.next()
    send(case)
    assert lab.tell(case, status=307)["request"] == "refused"
    assert lab.tell(case, status=200)["request"] == "refused"


def test_all_cases_come_with_tokens_of_their_own_and_are_judged_one_by_one(lab: Lab) -> None:
    cases = lab.get("/cases.json?client=me")
    assert [case["case"] for case in cases] == [GET, POST, STREAM]
    assert len({case["token"] for case in cases}) == 3
    follow(cases[0])
    assert lab.tell(cases[0], status=200)["request"] == "kept"
    assert [one["case"] for one in lab.get("/verdicts?client=me")] == [GET]
    assert lab.tell(cases[0], status=200)["http"] == 404  # it is over


def test_a_browser_is_not_asked_what_no_page_can_do() -> None:
    with open_stage(CASES) as opened:
        cases = Lab(opened.base).get("/cases.json?client=page&caller=browser")
    assert [case["case"] for case in cases] == [case.id for case in CASES if "browser" in case.runs_in]


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "words"),
    [
        ("GET", "/next", "", 400, "say who asks"),
        ("GET", "/nothing", "", 404, "GET /lab/nothing is nothing"),
        ("DELETE", "/next?client=me", "", 404, "DELETE /lab/next is nothing"),
        ("GET", "/case?id=nope", "", 404, "is no case"),
        ("POST", "/outcome/t0123456789abcde", "", 404, "that token is over"),
        ("GET", "/content/..%2Fauthority.key", "", 404, "no such content"),
        ("GET", "/programs/lab.py", "", 404, "is no page"),
        ("GET", "/programs/..%2Fclient.py", "", 404, "is no page"),
    ],
)
def test_what_nobody_knows_is_refused_with_a_remedy(
    lab: Lab, method: str, path: str, content: str, status: int, words: str
) -> None:
    found, said = lab.raw(method, path, content)
    assert found == status
    assert words in json.loads(said)["error"]


@pytest.mark.parametrize("said", ["{", '"ok"', '{"status": "200"}', "[]"])
def test_an_outcome_that_cannot_be_read_is_refused_and_the_case_goes_on(lab: Lab, said: str) -> None:
    case = lab.next()
    status, told = lab.raw("POST", f"/outcome/{case['token']}", said)
    assert status == 400
    assert '{"status": 200}' in json.loads(told)["error"]
    follow(case)
    assert lab.tell(case, status=200)["request"] == "kept"


def test_every_origin_speaks_the_protocol_and_links_to_itself(stage: Stage) -> None:
    for letter in ("a", "p", "b"):
        base = f"{stage.origins.bases[letter]}/lab"
        assert Lab(base).next(letter)["outcome"].startswith(f"{base}/outcome/t")


def test_a_page_of_another_origin_may_speak_the_protocol(stage: Stage) -> None:
    parts = urlsplit(stage.base)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        asks = {"Origin": "http://127.0.0.1:1", "Access-Control-Request-Method": "POST"}
        connection.request("OPTIONS", f"{parts.path}/outcome/t0", headers=asks)
        answer = connection.getresponse()
        answer.read()
    assert (answer.status, answer.headers["Access-Control-Allow-Methods"]) == (204, "POST")


def test_the_page_for_people_names_origins_cases_and_clients(lab: Lab, stage: Stage) -> None:
    lab.next("by hand & <eye>".replace(" ", "%20").replace("&", "%26"))
    status, octets_ = lab.raw("GET", "/")
    page = octets_.decode()
    assert status == 200
    assert all(base in page for base in stage.origins.bases.values())
    assert all(case.id in page for case in THREE)
    assert "by hand &amp; &lt;eye&gt;" in page
    assert "<eye>" not in page


def test_the_authority_can_be_had(lab: Lab, stage: Stage) -> None:
    status, octets_ = lab.raw("GET", "/authority.pem")
    assert (status, octets_) == (200, stage.authority.certificate.read_bytes())


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_tcl_client_of_the_documentation_is_judged(tmp_path: Path) -> None:
    file = tmp_path / "client.tcl"
    file.write_text(block("tcl"))
    ids = (
        GET,
        POST,
        STREAM,
        "same/303/POST/json",
        "origin/307/POST/json/http-to-https",
        "location/307/POST/missing",
        "credentials/307/GET/authorization/other-host",
    )
    with open_stage([BY_ID[one] for one in ids]) as opened:
        told = {"DETOUR_LAB": opened.base, "DETOUR_LAB_CLIENT": "tcl"}
        done = subprocess.run(
            [program("tclsh"), str(file)],
            env=plain_environment(told),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        verdicts = Lab(opened.base).get("/verdicts?client=tcl")
    assert [(one["case"], one["request"], one["credentials"]) for one in verdicts] == [
        (GET, "kept", "none sent"),
        (POST, "kept", "none sent"),
        (STREAM, "unsupported", "none sent"),
        ("same/303/POST/json", "rewritten", "none sent"),
        ("origin/307/POST/json/http-to-https", "refused", "none sent"),
        ("location/307/POST/missing", "refused", "none sent"),
        ("credentials/307/GET/authorization/other-host", "kept", "leaked"),
    ]


def test_the_commands_by_hand_of_the_documentation_lead_to_a_verdict(stage: Stage) -> None:
    ask, send_, tell = block("sh").strip().splitlines()

    def run(line: str, **put: str) -> dict[str, Any]:
        for word, value in put.items():
            line = line.replace(word, value)
        words = shlex.split(line, comments=True)
        done = subprocess.run(
            [program("curl"), "-sS", *words[1:]],
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("{") else {}

    case = run(ask.replace("http://127.0.0.1:40117/lab", stage.page))
    assert run(send_, FILE=case["content"]["file"], URL=case["url"]) == {}
    assert run(tell, OUTCOME=case["outcome"])["request"] == "kept"


def test_the_example_of_a_case_in_the_documentation_has_the_keys_of_a_case(lab: Lab) -> None:
    written = json.loads(block("json"))
    told = lab.get(f"/case?id={written['case']}")
    assert set(written) == set(told)
    assert set(written["content"]) == set(told["content"])
    assert written["title"] == told["title"]


def test_an_outcome_waits_for_content_that_is_still_on_its_way(lab: Lab) -> None:
    lab.next()
    case = lab.next()
    content = octets(CONTENTS["json"])
    assert send(case, content=content) == 307
    parts = urlsplit(case["url"])
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        connection.putrequest("POST", parts.path.replace("/0/start", "/1/here"))
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content[:5])
        time.sleep(0.05)
        began = time.monotonic()
        assert lab.tell(case, error="gave up")["request"] == "refused"
        assert 0.2 < time.monotonic() - began < 3


def test_an_address_of_any_name_is_one_client(lab: Lab) -> None:
    name = quote("päge/1 & 2", safe="")
    assert lab.next(name)["case"] == GET
    assert lab.next(name)["case"] == POST
