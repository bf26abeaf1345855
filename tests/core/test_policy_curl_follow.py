"""The row of `curl --follow` against libcurl: both are given the same answers."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pycurl
import pytest

from detour.core.chain import Content, Outgoing
from detour.core.policy import CURL_FOLLOW
from tests.core.following import Answer
from tests.core.stage import CHAINS, CONTENT, TO, Sent, Stage, as_many, staged

OBEYCODE = 2  # CURLFOLLOW_OBEYCODE, what --follow sets (curl 8.16), without a name in pycurl
ASKED: tuple[tuple[str, Content], ...] = (
    ("GET", "none"),
    ("GET", "replayable"),
    ("HEAD", "none"),
    ("POST", "none"),
    ("POST", "replayable"),
    ("PUT", "none"),
    ("PUT", "replayable"),
    ("DELETE", "none"),
    ("DELETE", "replayable"),
    ("OPTIONS", "none"),
    ("QUERY", "replayable"),
)
ENDS = {0: "", 1: "refused-scheme", 8: "many-locations", 47: "too-many-hops", 65: "not-replayable"}

pytestmark = pytest.mark.skipif(
    pycurl.version_info()[2] < 0x081000, reason="libcurl is older than 8.16, which has no --follow"
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


def perform(stage: Stage, request: Outgoing, answers: list[Answer]) -> tuple[list[Sent], str, str]:
    """What libcurl sent, how it ended, and the URL it came to."""
    stage.play(answers)
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, str(request.url))
    curl.setopt(pycurl.FOLLOWLOCATION, OBEYCODE)
    curl.setopt(pycurl.MAXREDIRS, 50)  # the default of the command, not of the library
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.TIMEOUT, 20)
    curl.setopt(pycurl.RESOLVE, [f"localhost:{stage.port}:127.0.0.1"])
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in request.fields])
    curl.setopt(pycurl.WRITEFUNCTION, len)
    _type(curl, request)
    error = 0
    try:
        curl.perform()
    except pycurl.error as failed:
        error = failed.args[0]
    came_to = curl.getinfo(pycurl.EFFECTIVE_URL)
    curl.close()
    return stage.sent, ENDS[error], came_to


def _type(curl: pycurl.Curl, request: Outgoing) -> None:
    """Method and content, as `-X`, `-I` and `-d` set them."""
    if request.content == "replayable":
        curl.setopt(pycurl.POSTFIELDS, CONTENT)
    elif request.content == "once":
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.READFUNCTION, io.BytesIO(CONTENT).read)
    if request.method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif (request.method, request.content == "none") not in (("GET", True), ("POST", False)):
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 306, 307, 308, 399])
@pytest.mark.parametrize("where", TO)
@pytest.mark.parametrize(("method", "content"), ASKED)
def test_libcurl_does_what_the_row_says(
    stage: Stage, status: int, where: str, method: str, content: Content
) -> None:
    request, answers = stage.asked(method, content), [(status, (TO[where],))]
    sent, _, came_to = perform(stage, request, answers)
    said, _, url = stage.told(CURL_FOLLOW, request, answers)
    assert (sent, came_to) == (said, url)


@pytest.mark.parametrize("name", [*CHAINS, "fifty", "fifty-one"])
def test_libcurl_ends_where_the_row_ends(stage: Stage, name: str) -> None:
    answers = CHAINS.get(name) or as_many(50 if name == "fifty" else 51)
    request = stage.asked(path="/form#f")
    sent, ended, came_to = perform(stage, request, answers)
    said, end, url = stage.told(CURL_FOLLOW, request, answers)
    assert sent == said
    assert ended == (end.name if end and end.name not in ("not-followed", "no-location") else "")
    assert came_to == url or ended


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_stream_is_not_sent_twice(stage: Stage, status: int) -> None:
    request, answers = stage.asked("POST", "once"), [(status, ("/done",))]
    sent, ended, _ = perform(stage, request, answers)
    said, end, _ = stage.told(CURL_FOLLOW, request, answers)
    assert [method for method, _, _, _ in sent] == [method for method, _, _, _ in said]
    assert ended == (end.name if end else "")


def test_a_backslash_names_no_other_host(stage: Stage) -> None:
    request, answers = stage.asked(), [(302, ("\\\\localhost:{port}\\x",))]
    sent, ended, _ = perform(stage, request, answers)
    said, _, _ = stage.told(CURL_FOLLOW, request, answers)
    hosts = [[url.split("/")[2] for _, url, _, _ in one] for one in (sent, said)]
    assert hosts == [[f"127.0.0.1:{stage.port}"] * 2] * 2
    assert ended == ""
