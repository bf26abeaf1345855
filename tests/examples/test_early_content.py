"""Detour answers when the head is complete. Nothing that follows may be lost by that, or read as a request.

`python -m bench.serve.early` counts the same things at the length of the promise: 50 of 50.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.cases import Case, write_content
from tests.examples.early_content import (
    EARLY,
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
def detour(stage: Stage) -> Detour:
    return stage.detours[RECIPE.name]


@pytest.mark.parametrize(("name", "case", "how"), SENDERS)
def test_4_mib_answered_early_arrive_whole(stage: Stage, name: str, case: Case, how: str) -> None:
    client = client_named(name)
    if reason := client.absent():
        pytest.skip(reason)
    tag = f"{name}-{how}".translate({ord(mark): "-" for mark in " :(),"})
    assert whole_posts(stage, client, case, 5, tag) == ["kept"] * 5


def test_content_that_waits_for_100_continue_is_never_sent(stage: Stage, detour: Detour) -> None:
    require_curl()
    file = write_content(EARLY, stage.folder)
    options = ("-H", "Expect: 100-continue")
    assert [octets_sent_to_the_redirecting_server(detour, file, *options) for _ in range(5)] == [0] * 5


def test_content_that_does_not_wait_is_counted(stage: Stage, detour: Detour) -> None:
    require_curl()
    file = write_content(EARLY, stage.folder)
    assert octets_sent_to_the_redirecting_server(detour, file, "-H", "Expect:") > 0


@pytest.mark.parametrize(
    "split", [0, 1, UPGRADE.find(b"\r\n\r\n") + 4, UPGRADE.find(b"inner"), len(UPGRADE) - 1]
)
def test_an_upgrade_whose_content_is_a_request_gets_one_answer(detour: Detour, split: int) -> None:
    assert answers_to_an_upgrade_whose_content_is_a_request(detour, split) == 1
