"""What is written for a real server answers as the rules do, over rule sets made at random."""

from __future__ import annotations

import pytest

from detour.prove.servers import SERVERS
from tests.examples.running import program
from tests.prove.generated import proved

# The script takes 200; what is left unsaid is listed, and most is said.
SETS = 8


@pytest.mark.timeout(120)
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_real_server_answers_as_the_rules_decide(server: object) -> None:
    name = server.name  # type: ignore[attr-defined]
    program(server.program)  # type: ignore[attr-defined]
    done = proved(name, SETS, seed=11)
    told = [f"{one.question}: {one.server}, not {one.detour} ({one.rule})" for one in done.proof.unexplained]
    assert told == []
    assert done.proof.not_asked == 0
    assert done.proof.redirects > 100
    assert done.said >= done.rules * 0.7
