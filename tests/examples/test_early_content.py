"""Detour answers when the head is complete. Nothing that follows may be lost by that, or read as a request.

`python -m bench.serve.early` counts the same things at the length of the promise: 50 of 50.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.cases import Case, write_content
from tests.examples.counting_relay import CountingRelay
from tests.examples.early_content import (
    EARLY,
    INNER,
    RECIPE,
    SENDERS,
    UPGRADE,
    answers_to_an_upgrade_whose_content_is_a_request,
    client_named,
    octets_sent_to_the_redirecting_server,
    require_curl,
    whole_posts,
)
from tests.examples.running import Detour
from tests.examples.staging import Stage, staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("early"), recipes=[RECIPE]) as running:
        yield running


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("early"), recipes=[RECIPE], scheme="https") as running:
        yield running


@pytest.fixture(scope="module")
def detour(stage: Stage) -> Detour:
    return stage.detours[RECIPE.name]


def verdicts(stage: Stage, name: str, case: Case) -> list[str]:
    client = client_named(name)
    if reason := client.absent():
        pytest.skip(reason)
    return whole_posts(stage, client, case, 5, f"{name}-{case.key}".replace(" ", "-"))


@pytest.mark.parametrize(("name", "case", "how"), SENDERS)
def test_4_mib_answered_early_arrive_whole(stage: Stage, name: str, case: Case, how: str) -> None:
    assert verdicts(stage, name, case) == ["kept"] * 5, how


@pytest.mark.parametrize(("name", "case", "how"), SENDERS)
def test_over_tls_they_arrive_whole_too(secure: Stage, name: str, case: Case, how: str) -> None:
    assert verdicts(secure, name, case) == ["kept"] * 5, how


def test_content_that_waits_for_100_continue_is_never_sent(stage: Stage, detour: Detour) -> None:
    require_curl()
    file = write_content(EARLY, stage.folder)
    options = ("-H", "Expect: 100-continue")
    assert [octets_sent_to_the_redirecting_server(detour, file, *options) for _ in range(5)] == [0] * 5


def test_content_that_does_not_wait_is_counted(stage: Stage, detour: Detour) -> None:
    require_curl()
    file = write_content(EARLY, stage.folder)
    assert octets_sent_to_the_redirecting_server(detour, file, "-H", "Expect:") > 0


@pytest.mark.parametrize("split", [0, 1, UPGRADE.find(INNER), UPGRADE.find(b"inner"), len(UPGRADE) - 1])
def test_an_upgrade_whose_content_is_a_request_gets_one_answer(detour: Detour, split: int) -> None:
    assert answers_to_an_upgrade_whose_content_is_a_request(detour, split) == 1


def test_java_offers_h2c_and_its_content_arrives_all_the_same(stage: Stage, detour: Detour) -> None:
    java = client_named("java.net.http")
    if reason := java.absent():
        pytest.skip(reason)
    file = write_content(EARLY, stage.folder)
    with CountingRelay(detour.port) as relay:
        java.run([("POST", f"{relay.url}{RECIPE.path}?case=h2c.", "text", file)])
        (passage,) = relay.passages
    assert b"\r\nupgrade: h2c\r\n" in passage.first.lower()
    arrived = stage.origins["plain"].arrival("case=h2c.")
    assert (arrived["method"], arrived["length"]) == ("POST", EARLY.length)
