"""What is known of these clients from elsewhere comes out by itself, with the evidence."""

from __future__ import annotations

from functools import cache

import pytest

from detour.lab.clients import CLIENTS
from detour.lab.result import Cell, ClientResult
from detour.lab.run import Manner
from tests.examples.running import REPOSITORY
from tests.lab.asking import asked, cases, present

BY_NAME = {client.name: client for client in CLIENTS}

STREAM, FILE = "same/307/POST/stream", "same/307/POST/file"
MOVED = "same/301/PUT/json"
KEY = "credentials/307/GET/x-api-key/other-host"
LEAK = "credentials/307/GET/authorization/other-host"
CHOICE = "status/300/POST/location"
PATCHED, POSTED = "same/308/PATCH/file", "same/307/POST/json"

# The second request has the method and no content.
LOST = (
    ("requests", STREAM, "POST"),  # the generator is used up, and 200 reported
    ("niquests", STREAM, "POST"),
    ("httpie", STREAM, "POST"),
    ("urllib3", FILE, "POST"),  # urllib3/urllib3#5181: the file stands at its end
    ("urllib3", STREAM, "POST"),
    ("tornado", STREAM, "POST"),
    ("curl", MOVED, "PUT"),  # -X is for every request, content only for the first
    ("libcurl", MOVED, "PUT"),
    ("httplib2", PATCHED, "PATCH"),  # httplib2/httplib2#236
    ("requests", MOVED, "PUT"),  # content is left behind unless it is 307 or 308
)

# Whoever follows a GET carries a field of the caller's own anywhere.
FORWARD = (
    "curl", "wget", "wget2", "httpie", "urllib.request", "urllib3", "requests", "niquests", "httpx",
    "aiohttp", "httplib2", "tornado", "treq", "scrapy", "pyreqwest", "primp", "libcurl", "libcurl --follow",
)  # fmt: skip

LEAKING = ("urllib.request", "wget", "wget2")  # these send every field that was given anywhere
CAREFUL = ("curl", "libcurl", "requests", "httpx", "urllib3", "aiohttp", "pyreqwest", "detour trace")

TRUTHS = cases(STREAM, FILE, PATCHED, MOVED, POSTED, KEY, LEAK, CHOICE)


@pytest.fixture(autouse=True)
def peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where niquests has an environment of its own."""
    monkeypatch.setenv("DETOUR_LAB_PEERS", str(REPOSITORY / "tests" / "peers"))


@cache
def results(client: str) -> ClientResult:
    """All that a client makes of the cases of this file, in one run."""
    return present(asked([BY_NAME[client]], TRUTHS, Manner(twice=1)))


def found(client: str, case: str) -> Cell:
    """What a client made of one of them."""
    return next(one for one in results(client).cells if one.case == case)


@pytest.mark.parametrize(("client", "case", "method"), LOST)
def test_content_is_lost_without_a_word(client: str, case: str, method: str) -> None:
    cell = found(client, case)
    assert cell.request == "lost"
    first, second = cell.shown.judgement.evidence
    assert first.length > 0
    assert (second.method, second.form, second.length) == (method, "missing", 0)
    assert [one.head.split(" ")[0] for one in cell.shown.seen] == [method, method]
    assert cell.shown.outcome.status == 200


@pytest.mark.parametrize("client", FORWARD)
def test_an_api_key_goes_to_any_host(client: str) -> None:
    cell = found(client, KEY)
    assert (cell.request, cell.credentials) == ("kept", "forwarded")
    assert "detour-key" in cell.shown.seen[1].head


@pytest.mark.parametrize("client", LEAKING)
def test_authorization_leaks_to_another_host(client: str) -> None:
    cell = found(client, LEAK)
    assert (cell.request, cell.credentials) == ("kept", "leaked")
    assert [("authorization:" in one.head.lower(), one.origin) for one in cell.shown.seen] == [
        (True, "a"),
        (True, "b"),
    ]


@pytest.mark.parametrize("client", CAREFUL)
def test_authorization_stays_behind(client: str) -> None:
    cell = found(client, LEAK)
    assert (cell.request, cell.credentials) == ("kept", "dropped")
    assert ["authorization:" in one.head.lower() for one in cell.shown.seen] == [True, False]


@pytest.mark.parametrize("client", ["urllib.request", "httplib2"])
def test_a_post_is_not_asked_for_again_and_307_handed_back(client: str) -> None:
    cell = found(client, POSTED)
    assert cell.request == "refused"
    assert (cell.shown.outcome.kind, cell.shown.outcome.status) == ("answered", 307)
    assert len(cell.shown.seen) == 1


@pytest.mark.parametrize("client", ["curl", "wget"])
def test_the_location_of_300_is_gone_to(client: str) -> None:
    cell = found(client, CHOICE)
    assert cell.request == "overfollowed"
    assert [one.station for one in cell.shown.seen] == [0, 1]


def test_curl_with_follow_makes_a_get_of_a_put() -> None:
    cell = found("libcurl --follow", MOVED)
    assert cell.request == "misrewritten"
    assert [one.head.split(" ")[0] for one in cell.shown.seen] == ["PUT", "GET"]
