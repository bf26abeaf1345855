"""Whole chains of curl, requests and httpx against their rows: several Locations, limits, streams, ends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import httpx
import pytest
import requests

from detour.core.chain import Outgoing
from detour.core.policy import CURL, HTTPX, REQUESTS, Policy
from tests.core.stage import CHAINS, CONTENT, Stage, as_many, staged
from tests.examples.running import plain_environment, program

Asked = Callable[[Outgoing], tuple[str, str]]  # how it ended ("": as it was told), and the URL it came to


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


def curl(request: Outgoing) -> tuple[str, str]:
    """As typed with `curl -L`."""
    typed = [part for name, value in request.fields for part in ("-H", f"{name}: {value}")]
    command = [program("curl"), "-q", "-s", "-L", "--noproxy", "*", "--max-time", "20", "-o", "-"]
    command += [*typed, "-w", "%{url_effective}", str(request.url)]
    done = subprocess.run(command, capture_output=True, timeout=30, env=plain_environment())
    return {0: "", 1: "refused-scheme", 47: "too-many-hops"}[done.returncode], done.stdout.decode()


def of_requests(request: Outgoing) -> tuple[str, str]:
    """A session that knows nothing but the request."""
    content = (octets for octets in (CONTENT,)) if request.content == "once" else None
    with requests.Session() as session:
        session.trust_env = False
        try:
            fields = dict(request.fields)
            answer = session.request(
                request.method,
                str(request.url),
                headers=fields,
                data=content,
                timeout=20,
                allow_redirects=True,
            )
        except requests.TooManyRedirects:
            return "too-many-hops", ""
        except requests.exceptions.InvalidSchema:
            return "refused-scheme", ""
        return "", answer.url


def of_httpx(request: Outgoing) -> tuple[str, str]:
    """A client that follows."""
    content = (octets for octets in (CONTENT,)) if request.content == "once" else None
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=20) as client:
        try:
            fields = dict(request.fields)
            answer = client.request(request.method, str(request.url), headers=fields, content=content)
        except httpx.TooManyRedirects:
            return "too-many-hops", ""
        except httpx.UnsupportedProtocol:
            return "refused-scheme", ""
        except httpx.StreamConsumed:
            return "not-replayable", ""
        return "", str(answer.url)


CLIENTS = [
    pytest.param(CURL, curl, id="curl"),
    pytest.param(REQUESTS, of_requests, id="requests"),
    pytest.param(HTTPX, of_httpx, id="httpx"),
]


@pytest.mark.parametrize(("policy", "ask"), CLIENTS)
@pytest.mark.parametrize("name", [*CHAINS, "as many as allowed", "one too many"])
def test_a_client_ends_where_its_row_ends(stage: Stage, policy: Policy, ask: Asked, name: str) -> None:
    answers = CHAINS.get(name) or as_many(policy.limit + (name == "one too many"))
    request = stage.asked(path="/form#f")
    stage.play(answers)
    ended, came_to = ask(request)
    said, end, url = stage.told(policy, request, answers)
    assert stage.sent == said
    assert ended == (end.name if end and end.name not in ("not-followed", "no-location") else "")
    assert came_to == url or ended


# curl reads what `-d` names before it sends anything: it has no such stream.
@pytest.mark.parametrize(("policy", "ask"), CLIENTS[1:])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_client_does_with_a_generator_what_its_row_says(
    stage: Stage, policy: Policy, ask: Asked, status: int, method: str
) -> None:
    request, answers = stage.asked(method, "once"), [(status, ("/done",))]
    stage.play(answers)
    ended, _ = ask(request)
    said, end, _ = stage.told(policy, request, answers)
    shown = [[(method, content) for method, _, _, content in one] for one in (stage.sent, said)]
    assert shown[0] == shown[1]
    assert ended == (end.name if end else "")
