"""The proof: the same questions to Detour's decision and to the real server."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from detour.core.matcher import RuleSet
from detour.prove.compare import Difference, alike, decided, explained
from detour.prove.questions import Question, questions
from detour.prove.running import running
from detour.prove.servers import Server

_CLIENT = "127.0.0.1"


class Proof(msgspec.Struct, frozen=True):
    """What came of the questions."""

    server: str
    asked: int
    redirects: int  # that Detour answers with a redirect
    not_asked: int  # the server does not listen where they go
    differences: tuple[Difference, ...]  # those that nothing explains come first

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.why)


def prove(
    server: Server, text: str, ruleset: RuleSet, now: float, asking: Iterable[Question] | None = None
) -> Proof:
    """Ask `server`, with the configuration `text`, what the rules decide at `now`.

    Raises `DetourError` where the server does not start.
    """
    asked = redirects = not_asked = 0
    differences = []
    wanted = questions(ruleset.rules, ("http", "https") if server.tls else ("http",))
    with running(server, text) as real:
        for question in wanted if asking is None else asking:
            got = real.ask(question)
            if got is None:
                not_asked += 1
                continue
            asked += 1
            mine, rule = decided(ruleset, question, now, _CLIENT)
            redirects += mine.redirects
            if not alike(mine, got):
                differences.append(explained(Difference(question, mine, got, rule), server.explanations))
    differences.sort(key=lambda one: bool(one.why))
    return Proof(server.name, asked, redirects, not_asked, tuple(differences))
