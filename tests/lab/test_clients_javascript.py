"""The clients of JavaScript: what each does with a handful of cases, and what is known of them."""

from __future__ import annotations

import pytest

from detour.lab.clients.javascript import CLIENTS
from detour.lab.result import Cell
from detour.lab.run import Manner
from tests.examples.running import REPOSITORY
from tests.lab.asking import asked, cases, present, verdicts

BY_NAME = {client.name: client for client in CLIENTS}
ONCE = Manner(twice=1)

# A GET, over TLS with the lab's authority, and twice by the same client: nobody has trouble with these.
KEY = "credentials/307/GET/x-api-key/http-to-https"
BY_ALL = ("same/307/GET/none", KEY, "cache/307/GET/nothing")

# What becomes of the content of a POST on 307, by kind; "-": the client has no means for it.
KINDS = ("form", "json", "multipart", "large", "file", "stream", "chunked", "expect")
POSTED = {
    "Node fetch": ("kept", "kept", "kept", "kept", "kept", "refused", "-", "-"),
    "undici": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "-"),
    "axios": ("kept", "kept", "kept", "kept", "kept", "kept", "-", "-"),
    "got": ("kept", "kept", "kept", "kept", "refused", "refused", "kept", "-"),
    "node-fetch": ("kept", "kept", "kept", "kept", "kept", "refused", "-", "-"),
    "follow-redirects": ("kept", "kept", "-", "kept", "kept", "kept", "kept", "-"),
    "superagent": ("kept", "kept", "hung", "kept", "lost", "lost", "-", "-"),
    "ky": ("kept", "kept", "kept", "kept", "kept", "refused", "-", "-"),
}


@pytest.fixture(autouse=True)
def peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Node and the packages of the tests."""
    monkeypatch.setenv("DETOUR_LAB_PEERS", str(REPOSITORY / "tests" / "peers"))


def cell(client: str, case: str, manner: Manner = ONCE) -> Cell:
    """What a client makes of one case."""
    (found,) = present(asked([BY_NAME[client]], cases(case), manner)).cells
    return found


@pytest.mark.parametrize("name", POSTED)
def test_what_becomes_of_each_kind_of_content(name: str) -> None:
    posted = [f"same/307/POST/{kind}" for kind in KINDS]
    done = present(asked([BY_NAME[name]], cases(*BY_ALL, *posted, timeout=2.0), ONCE))
    found = verdicts(done)
    assert [found[case] for case in BY_ALL] == ["kept"] * len(BY_ALL)
    assert tuple(found[case] for case in posted) == POSTED[name]
    assert [one.credentials for one in done.cells if one.case == KEY] == ["forwarded"]


def test_every_client_is_in_the_table() -> None:
    assert POSTED.keys() == BY_NAME.keys()


def test_fetch_fails_where_an_early_answer_closes() -> None:
    """What is written after the close is answered with a reset, which may come before the answer is read."""
    found = cell("Node fetch", "early/307/POST/4-mib/close", Manner(twice=12))
    assert found.request == "refused"
    assert "ECONNRESET" in found.shown.outcome.error or "EPIPE" in found.shown.outcome.error


def test_fetch_follows_an_early_answer_that_lingers() -> None:
    found = cell("Node fetch", "early/307/POST/4-mib/linger", Manner(twice=5))
    assert (found.request, found.varying) == ("kept", ())


def test_superagent_follows_307_with_a_stream_and_leaves_it_behind() -> None:
    found = cell("superagent", "same/307/POST/stream")
    assert found.request == "lost"
    first, second = found.shown.judgement.evidence
    assert (first.length, second.length, second.form) == (100_000, 0, "missing")
    assert found.shown.outcome.status == 200


def test_superagent_makes_a_get_of_a_put() -> None:
    found = cell("superagent", "same/301/PUT/json")
    assert found.request == "misrewritten"
    assert [one.head.split(" ")[0] for one in found.shown.seen] == ["PUT", "GET"]


def test_node_fetch_dies_of_the_second_redirect_of_a_post() -> None:
    found = cell("node-fetch", "chain/307x5/POST/json")
    assert found.request == "crashed"
    assert [one.station for one in found.shown.seen] == [0, 1]


def test_got_leaves_content_behind_where_301_leads_a_put_to_another_origin() -> None:
    found = cell("got", "origin/301/PUT/large/http-to-https")
    assert found.request == "lost"
    assert [one.head.split(" ")[0] for one in found.shown.seen] == ["PUT", "PUT"]
