"""Every cause that can be staged: real servers as people had them, and again as the remedy says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from detour.core.chain import Chain
from detour.follow.diagnosis import diagnose
from tests.follow.diagnosed import diagnosed
from tests.follow.staging.stage import Stage
from tests.follow.staging.stagings import (
    DROPS,
    SHOP,
    STAGINGS,
    TLS_SHOP,
    Staging,
    behind_nginx,
    believing_uvicorn,
    passing_nginx,
    slash_stage,
)

EACH = pytest.mark.parametrize("staging", STAGINGS, ids=lambda row: f"{row.name}")
Play = Callable[[Staging, bool], Chain]


def names(chain: Chain) -> set[str]:
    return {finding.check for finding in diagnosed(chain)}


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The chain of a staging; whoever asks for it again gets the same."""
    played: dict[tuple[str, bool], Chain] = {}

    def chain(staging: Staging, remedied: bool) -> Chain:
        key = staging.name, remedied
        if key not in played:
            with Stage(tmp_path_factory.mktemp("stage")) as stage:
                played[key] = stage.chain(staging.method, staging.url, staging.start(stage, remedied))
        return played[key]

    return chain


@EACH
def test_a_staged_cause_is_found_and_its_remedy_names_the_line(staging: Staging, play: Play) -> None:
    chain = play(staging, False)
    (found,) = [finding for finding in diagnosed(chain) if finding.check == staging.finding]
    for line in staging.lines:
        assert line in found.remedy
    assert found.url == str(chain.hops[found.hop].request.url)
    assert (chain.end.name == "arrived") is staging.id.startswith("U")


@EACH
def test_a_staged_cause_is_gone_when_the_remedy_is_followed(staging: Staging, play: Play) -> None:
    chain = play(staging, True)
    assert staging.finding not in names(chain)
    assert chain.end.name == "arrived"
    assert chain.hops[-1].response is not None
    assert chain.hops[-1].response.status == 200


@EACH
def test_a_staged_cause_is_the_only_one_that_is_certain(staging: Staging, play: Play) -> None:
    certain = {finding.check for finding in diagnosed(play(staging, False)) if finding.confidence == "is"}
    assert certain <= {staging.finding, *staging.besides}


@EACH
def test_a_staged_cause_is_found_without_fingerprints(staging: Staging, play: Play) -> None:
    assert staging.finding in {finding.check for finding in diagnose(play(staging, False))}


def test_uvicorn_behind_nginx_is_told_its_two_lines_and_no_other(play: Play) -> None:
    chain = play(next(row for row in STAGINGS if row.name == "U2-untrusted-forwarded-scheme"), False)
    (found,) = [one for one in diagnosed(chain) if one.check == "untrusted-forwarded-scheme"]
    assert found.confidence == "is"
    assert found.remedy.split("\n") == [
        "uvicorn: uvicorn --proxy-headers --forwarded-allow-ips=ADDRESS-OF-THE-PROXY (by default 127.0.0.1)",
        "and nginx, beside proxy_pass: proxy_set_header X-Forwarded-Proto $scheme;",
    ]


@pytest.mark.parametrize("remedied", [False, True], ids=["as people had it", "remedied"])
def test_the_command_prints_both_settings_for_a_scheme_nobody_believes(
    tmp_path: Path, remedied: bool
) -> None:
    staging = next(row for row in STAGINGS if row.name == "U2-untrusted-forwarded-scheme")
    with Stage(tmp_path) as stage:
        printed = stage.traced(staging.method, staging.url, staging.start(stage, remedied))
    said = ["[untrusted-forwarded-scheme", "--forwarded-allow-ips=", "X-Forwarded-Proto $scheme;"]
    assert [line in printed for line in said] == [not remedied] * 3
    assert "arrived: " in printed


@pytest.mark.parametrize(("trusts", "tells"), [(True, False), (False, True)])
def test_half_the_remedy_for_an_untrusted_scheme_is_not_enough(
    tmp_path: Path, trusts: bool, tells: bool
) -> None:
    with Stage(tmp_path) as stage:
        doors = behind_nginx(stage, believing_uvicorn(stage, trusts), tells)
        assert "untrusted-forwarded-scheme" in names(stage.chain("GET", f"{TLS_SHOP}/items", doors))


def test_rewriting_location_cures_a_passed_redirect_as_well(tmp_path: Path) -> None:
    line = "proxy_set_header Host app.internal; proxy_redirect http://app.internal/ /;"
    with Stage(tmp_path) as stage:
        chain = stage.chain("POST", f"{SHOP}/items", passing_nginx(stage, line))
    assert "nginx-passed-redirect" not in names(chain)


def test_the_other_side_can_end_a_slash_ping_pong_as_well(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        chain = stage.chain("GET", f"{SHOP}/items", slash_stage(stage, "APPEND_SLASH=False,", DROPS))
    assert "slash-ping-pong" not in names(chain)
    assert chain.end.name == "arrived"


def test_a_cookie_that_is_kept_ends_the_challenge(tmp_path: Path) -> None:
    staging = next(row for row in STAGINGS if row.id == "L5")
    with Stage(tmp_path) as stage:
        doors = staging.start(stage, False)
        chain = stage.chain("GET", staging.url, doors, (("Cookie", "seen=1"),))
    assert names(chain) == set()
    assert [hop.response.status for hop in chain.hops if hop.response] == [200]


def test_a_client_with_a_cookie_jar_passes_the_challenge_that_its_remedy_tells_of(tmp_path: Path) -> None:
    staging = next(row for row in STAGINGS if row.id == "L5")
    with Stage(tmp_path) as stage, requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{staging.start(stage, False)[80]}/items", timeout=20)
    assert (answer.status_code, [hop.status_code for hop in answer.history]) == (200, [307])
