"""Every folder of $DETOUR_DATA has a test, and every failure of other projects' cases a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.formats.dialect_data import DATA, data_file
from tests.formats.fixtures import ELSEWHERE, FAIL, FAMILIES, PASS, UNEXPLAINED, UNSAID, Family, row

# Cases, passes, failures, what cannot be said; `python -m tests.formats.fixtures` prints the reasons.
COUNTS = {
    "Netlify: _redirects, parser": (41, 29, 0, 12),
    "Netlify: netlify.toml, parser": (33, 22, 1, 10),
    "Netlify: both files of a site": (15, 8, 0, 7),
    "Cloudflare: _redirects, parser": (37, 35, 0, 2),
    "Cloudflare: rules engine": (14, 13, 0, 1),
    "Vercel: compiled routes": (65, 23, 0, 42),
    "Gateway API: conformance": (19, 16, 3, 0),
    "Gateway API: replaced prefixes": (11, 11, 0, 0),
    "ingress-nginx: annotations": (10, 10, 0, 0),
    "redirection.io: router": (298, 133, 1, 164),
    "Traefik: redirectRegex": (16, 11, 5, 0),
    "Caddy: redir, adapted files": (36, 36, 0, 0),
    "nginx: rewrite.t": (23, 22, 0, 1),
    "OpenStack: .htaccess": (45, 45, 0, 0),
    "Envoy: route table": (21, 16, 0, 5),
    "transition-config: hosts": (855, 412, 0, 443),
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_failure_of_a_family_has_a_reason(family: Family) -> None:
    data_file(family.folder)
    found = row(family)
    assert (FAIL, UNEXPLAINED) not in found.reasons
    counts = (found.counts.total(), found.counts[PASS], found.counts[FAIL], found.counts[UNSAID])
    assert counts == COUNTS[family.name]


def test_every_folder_of_the_data_has_a_test() -> None:
    data_file("README.md")
    folders = {path.parent.name for path in DATA.glob("*/SOURCE.txt")}
    assert folders == {family.folder for family in FAMILIES} | ELSEWHERE.keys()


@pytest.mark.parametrize("folder", ELSEWHERE)
def test_a_folder_that_is_read_elsewhere_is_named_there(folder: str) -> None:
    tests = Path(__file__).parent.parent
    assert folder in tests.joinpath(ELSEWHERE[folder]).read_text("utf-8")
