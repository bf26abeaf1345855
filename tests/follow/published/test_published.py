"""Causes that need somebody else's cloud: published responses, and a *suggests* at most."""

from __future__ import annotations

import pytest

from tests.follow.diagnosed import diagnosed
from tests.follow.published.responses import PUBLISHED, Published

EACH = pytest.mark.parametrize("published", PUBLISHED, ids=lambda row: f"{row.id}-{row.url}")


@EACH
def test_a_published_response_suggests_its_cause(published: Published) -> None:
    (found,) = [finding for finding in diagnosed(published.chain) if finding.check == published.finding]
    assert found.confidence == "suggests"
    for line in published.lines:
        assert line in found.remedy


@EACH
def test_a_published_response_is_nothing_else(published: Published) -> None:
    assert {finding.check for finding in diagnosed(published.chain)} == {published.finding}


def test_every_cause_that_cannot_be_staged_here_is_published() -> None:
    assert {row.id for row in PUBLISHED} >= {"U4", "U5", "U7", "U8", "U10", "U11", "U16"}
