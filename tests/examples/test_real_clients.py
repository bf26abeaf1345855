"""Every client through every recipe. What Detour promises holds for all; what a client makes of it, each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.cases import CASES
from tests.examples.client_programs import CLIENTS, Client
from tests.examples.recipes import RECIPES
from tests.examples.staging import Outcome, Stage, staged

# What is not simply kept, and why: docs/clients.md.
OTHERWISE = {
    ("urllib.request", "JSON POST"): {"refused"},
    ("urllib.request", "multipart POST"): {"refused"},
    ("urllib.request", "PUT of a file"): {"refused"},
    ("urllib.request", "DELETE"): {"refused"},
    ("urllib.request", "HEAD"): {"misrewritten", "kept"},  # later Pythons keep it
    ("urllib.request", "OPTIONS"): {"refused"},
    ("httpx", "PUT of a file"): {"lost"},
    ("aiohttp", "multipart POST"): {"kept", "refused"},
    ("Node fetch", "multipart POST"): {"altered", "kept"},  # nodejs/undici#4065 is open
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture(scope="module")
def contrast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    recipes = [recipe for recipe in RECIPES if recipe.name == "api-moved"]
    with staged(tmp_path_factory.mktemp("contrast"), 302, recipes) as running:
        yield running


def played(stage: Stage, client: Client, names: tuple[str, ...] = ()) -> list[Outcome]:
    if reason := client.absent():
        pytest.skip(reason)
    return stage.play(client, [recipe for recipe in RECIPES if not names or recipe.name in names])


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_307_is_kept_or_the_client_is_known_not_to(stage: Stage, client: Client) -> None:
    outcomes = played(stage, client)
    assert {outcome.case.name for outcome in outcomes} == {case.name for case in CASES}
    wrong = [
        outcome
        for outcome in outcomes
        if outcome.verdict not in OTHERWISE.get((client.name, outcome.case.name), {"kept"})
    ]
    assert wrong == []


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_302_never_brings_the_content_of_a_post(contrast: Stage, client: Client) -> None:
    outcomes = played(contrast, client, ("api-moved",))
    posts = [outcome.verdict for outcome in outcomes if outcome.case.method == "POST"]
    assert posts == ["rewritten", "rewritten"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_a_form_action_redirects_nothing_but_post(stage: Stage, method: str, tmp_path: Path) -> None:
    curl = next(client for client in CLIENTS if client.name == "curl")
    if reason := curl.absent():
        pytest.skip(reason)
    (said,) = curl.run([(method, f"{stage.detours['form-action'].url}/apply", "none", tmp_path)])
    assert said.status == 405
