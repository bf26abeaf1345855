"""The diagnosis of what real programs answered: a redirect's real cause, or none at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.core.chain import Chain, End
from detour.follow.diagnosis import CAUSES, diagnose
from tests.follow.captured import APPLICATIONS, CAPTURES, EDGES, Capture, read
from tests.follow.diagnosed import diagnosed

# What a captured program's way to redirect is called as a cause; every other way has none.
CAUSE_OF: dict[tuple[str, str], str] = {
    ("Starlette", "redirect-slashes"): "starlette-slash",
    ("Starlette", "redirect"): "default-307",
    ("Go", "servemux-slash"): "go-slash",
    ("Go", "servemux-clean-path"): "go-slash",
    ("Traefik", "redirect-scheme"): "traefik-redirect",
    ("Traefik", "redirect-regex"): "traefik-redirect",
    ("Rails", "force-ssl"): "rails-force-ssl",
    ("HAProxy", "redirect"): "haproxy-redirect",
    ("HAProxy", "https-redirect"): "haproxy-redirect",
    ("nginx", "return"): "nginx-return",
    ("nginx", "https-redirect"): "nginx-return",
}
EVERY = [capture for folder in sorted(CAPTURES.rglob("*")) if folder.is_dir() for capture in read(folder)]


def chain_of(capture: Capture) -> Chain:
    return Chain("fetch", (capture.hop,), End("not-followed"))


def causes(capture: Capture) -> set[str]:
    """Everything that is found in it, with who emitted it and without."""
    chain = chain_of(capture)
    return {finding.check for finding in (*diagnosed(chain), *diagnose(chain))}


def test_no_cause_contradicts_a_capture() -> None:
    """Neither for certain nor perhaps: of other versions, settings and behind proxies, too."""
    assert len(EVERY) > 600
    wrong = [
        (capture.name, causes(capture))
        for capture in EVERY
        if not causes(capture) <= {CAUSE_OF.get((capture.emitter, capture.cause))}
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", [APPLICATIONS, EDGES], ids=lambda folder: folder.name)
def test_each_captured_307_has_its_cause_and_no_other(folder: Path) -> None:
    for capture in read(folder):
        if capture.hop.response and capture.hop.response.status == 307:
            cause = CAUSE_OF.get((capture.emitter, capture.cause))
            assert [finding.check for finding in diagnosed(chain_of(capture))] == [cause] * bool(cause)


@pytest.mark.parametrize("folder", [APPLICATIONS, EDGES], ids=lambda folder: folder.name)
def test_other_statuses_of_a_captured_program_have_no_cause(folder: Path) -> None:
    for capture in read(folder):
        if capture.hop.response and capture.hop.response.status != 307:
            assert diagnosed(chain_of(capture)) == [], capture.name


def test_every_cause_of_a_capture_is_a_row() -> None:
    assert set(CAUSE_OF.values()) <= {row.name for row in CAUSES}
