"""The proof: the same questions to Detour's decision and to the real server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from detour.core.matcher import RuleSet
from detour.core.rule import Rule
from detour.errors import Span
from detour.prove.compare import Answer, Difference, alike, deciding, explained, passed_over
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
    unclaimed: int  # they fall on a place that the reader listed as not understood: no answer is claimed
    differences: tuple[Difference, ...]  # those that nothing explains come first

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.why)


def prove(
    server: Server,
    text: str,
    ruleset: RuleSet,
    now: float,
    asking: Iterable[Question] | None = None,
    beside: Mapping[str, str] | None = None,
    listed: frozenset[Span] = frozenset(),
) -> Proof:
    """Ask `server`, with the configuration `text`, what the rules decide at `now`.

    `beside`: files that it names, by their paths from its own folder. `listed`: the places that the reader
    lists as not understood. Raises `DetourError` where the server does not start.
    """
    asked = redirects = not_asked = unclaimed = 0
    differences = []
    wanted = questions(ruleset.rules, ("http", "https") if server.tls else ("http",))

    def agree(question: Question) -> bool:
        mine, rule = deciding(ruleset, question, now, _CLIENT)
        got = None if _stands_in(mine, rule, listed) else real.ask(question)
        if got is None or alike(mine, got):
            return True
        itself = passed_over(ruleset, question, now, _CLIENT)
        found = Difference(question, msgspec.structs.replace(mine, itself=itself), got)
        return bool(explained(found, server.explanations, agree).why)

    with running(server, text, beside) as real:
        for question in wanted if asking is None else asking:
            mine, rule = deciding(ruleset, question, now, _CLIENT)
            if _stands_in(mine, rule, listed):
                unclaimed += 1
                continue
            got = real.ask(question)
            if got is None:
                not_asked += 1
                continue
            asked += 1
            redirects += mine.redirects
            if not alike(mine, got):
                name = rule.name if rule else ""
                itself = passed_over(ruleset, question, now, _CLIENT)
                found = Difference(question, msgspec.structs.replace(mine, itself=itself), got, name)
                differences.append(explained(found, server.explanations, agree))
    differences.sort(key=lambda one: bool(one.why))
    return Proof(server.name, asked, redirects, not_asked, unclaimed, tuple(differences))


def _stands_in(mine: Answer, rule: Rule | None, listed: frozenset[Span]) -> bool:
    """Whether what decides is the `pass` rule in the place of a line that is not understood."""
    return rule is not None and not mine.redirects and Span(rule.span.file, rule.span.line) in listed
