"""The row of Go against Go: its client plays scripts of answers, and so does the row."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from detour.core.chain import Content, End, Outgoing
from detour.core.policy import GO
from detour.core.url import URL
from tests.core.following import Answer, follow
from tests.examples.running import plain_environment, program

SOURCE = Path(__file__).parent / "peers" / "follow.go"
CONTENT = "x=1"
FIELDS = (
    ("Authorization", "Bearer a"),
    ("Cookie", "c=1"),
    ("Cookie2", "$Version=1"),
    ("Proxy-Authorization", "Basic p"),
    ("Www-Authenticate", "Basic"),
    ("Proxy-Authenticate", "Basic"),
    ("X-Api-Key", "k"),
    ("Content-Type", "text/x"),
    ("Content-Encoding", "identity"),
    ("Content-Language", "en"),
    ("Content-Location", "/x"),
)
START = "http://h.example/form"
TO = {
    "same": "/done",
    "port": "http://h.example:8080/done",
    "subdomain": "http://sub.h.example/done",
    "likeness": "http://noth.example/done",
    "parent": "http://example/done",
    "https": "https://h.example:8443/done",
}
ASKED: tuple[tuple[str, Content], ...] = (
    ("GET", "none"),
    ("GET", "replayable"),
    ("HEAD", "none"),
    ("POST", "none"),
    ("POST", "replayable"),
    ("POST", "once"),
    ("PUT", "replayable"),
    ("PUT", "once"),
    ("DELETE", "none"),
    ("OPTIONS", "none"),
    ("QUERY", "replayable"),
)


class Plan:
    """One chain: the first request and what every answer says."""

    def __init__(
        self,
        name: str,
        *answers: Answer,
        method: str = "GET",
        url: str = START,
        content: Content = "none",
        fields: tuple[tuple[str, str], ...] = FIELDS,
    ) -> None:
        self.name, self.answers = name, answers
        self.request = Outgoing(method, URL.parse(url), fields, content)

    def told(self) -> dict[str, Any]:
        """As the program reads it."""
        answers = [
            {"Status": status, "Locations": [locations] if isinstance(locations, str) else locations}
            for status, locations in self.answers
        ]
        return {
            "Method": self.request.method,
            "URL": str(self.request.url),
            "Fields": self.request.fields,
            "Content": self.request.content,
            "Answers": answers,
        }


PLANS = (
    *(
        Plan(f"{status} {method} {content} {where}", (status, to), method=method, content=content)
        for status in (301, 302, 303, 307, 308)
        for method, content in ASKED
        for where, to in TO.items()
    ),
    *(Plan(f"{status} is not followed", (status, "/done")) for status in (300, 304, 305, 306, 399)),
    Plan("no Location", (302, ())),
    Plan("an empty Location", (302, "")),
    Plan("an empty Location first", (302, ("", "/b"))),
    Plan("two Locations", (302, ("/a", "/b"))),
    Plan("no URL", (302, "http://[::1/")),
    Plan("away and back", (307, "http://other.example/"), (307, START)),
    Plan("to a subdomain and back", (307, "http://sub.h.example/"), (307, START)),
    Plan("from a subdomain to its sibling", (307, "http://b.h.example/"), url="http://a.h.example/"),
    Plan("content that went does not return", (303, "/a"), (307, "/b"), method="POST", content="replayable"),
    Plan("a stream that went stops a 307", (303, "/a"), (307, "/b"), method="POST", content="once"),
    Plan("content twice", (307, "/a"), (308, "/b"), method="PUT", content="replayable"),
    Plan("ten requests", *[(307, f"/{number}") for number in range(9)]),
    Plan("eleven requests", *[(307, f"/{number}") for number in range(10)]),
    Plan("in a circle", *[(302, "/form")] * 12),
    Plan("a fragment is not inherited", (302, "/a"), url=f"{START}#f"),
    Plan("a fragment of the Location", (302, "/a#g"), url=f"{START}#f"),
    Plan("an empty fragment", (302, "/a#"), url=f"{START}#f"),
    Plan("a Referer that was written", (302, "/a"), (302, "/b"), fields=(("Referer", "https://p.example/"),)),
    Plan("down to http", (302, "http://h.example/b"), (302, "/c"), url="https://h.example/a"),
    Plan("up to https", (302, "https://h.example/b"), (302, "/c"), url="http://h.example/a"),
    Plan("a backslash is a letter", (302, "/a\\b")),
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What Go's client did with every plan."""
    binary = tmp_path_factory.mktemp("go") / "follow"
    environment = plain_environment()
    building = [program("go"), "build", "-o", str(binary), str(SOURCE)]
    subprocess.run(building, check=True, timeout=300, env=environment, cwd=binary.parent)
    told = json.dumps([plan.told() for plan in PLANS])
    done = subprocess.run([binary], input=told, capture_output=True, text=True, check=True, timeout=60)
    return dict(zip([plan.name for plan in PLANS], json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_go_does_what_its_row_says(played: dict[str, dict[str, Any]], plan: Plan) -> None:
    did = played[plan.name]
    sent, end = follow(plan.request, GO, plan.answers, stop_at_repeat=False)
    assert [_shown(request) for request in sent] == [
        (one["Method"], one["URL"], one["Content"], {k.lower(): v for k, v in one["Fields"].items()})
        for one in did["Sent"]
    ]
    assert (end.name if end else "arrived") in _ends(did), did


def _shown(request: Outgoing) -> tuple[str, str, str, dict[str, list[str]]]:
    content = "" if request.content == "none" else CONTENT
    names = {name.lower() for name, _ in request.fields}
    fields = {name: list(request.values(name)) for name in names}
    return request.method, str(request.url), content, fields


def _ends(did: dict[str, Any]) -> set[str]:
    if "stopped after 10 redirects" in did["Error"]:
        return {"too-many-hops"}
    if did["Error"]:
        return {"bad-location"}
    return {"arrived"} if did["Last"] in (200, 300, 304, 305, 306, 399) else {"not-followed", "no-location"}


def test_the_end_of_every_kind_is_among_the_plans() -> None:
    ends = {follow(plan.request, GO, plan.answers)[1] for plan in PLANS}
    named = {end.name for end in ends if isinstance(end, End)}
    assert named == {"arrived", "no-location", "not-followed", "bad-location", "too-many-hops", "loop"}
