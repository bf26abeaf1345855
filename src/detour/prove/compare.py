"""Detour's decision and a server's answer to one question: alike, or a pair that differs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from detour.core.location import resolve
from detour.core.matcher import RuleSet
from detour.core.message import Request
from detour.core.rule import Rule
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL
from detour.prove.questions import Question


class Answer(msgspec.Struct, frozen=True):
    """What came of a question. `location` resolved; "" where there is no redirect."""

    status: int
    location: str = ""
    itself: int = 0  # of Detour's: the status of a rule that was passed over because it leads to the request

    def __str__(self) -> str:
        return f"{self.status} {self.location}".rstrip()

    @property
    def redirects(self) -> bool:
        return bool(self.location)


class Difference(msgspec.Struct, frozen=True):
    """One question that the two answer differently; `why` where that is known and accepted."""

    question: Question
    detour: Answer
    server: Answer
    rule: str = ""  # that Detour answers with
    why: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """A difference that is the server's way, not a fault of the rules as written."""

    name: str
    why: str
    holds: Callable[[Question, Answer, Answer], bool]
    # What to ask both once more: it explains only where they agree on that. None: it holds by itself.
    instead: Callable[[Question], Question] | None = None


def answer(status: int, locations: list[str], question: Question) -> Answer:
    """A response as an answer: redirects are the five statuses with a Location that a client would follow."""
    if status not in REDIRECT_STATUSES or not locations:
        return Answer(status)
    found = resolve(locations[0], URL.parse(question.url))
    return Answer(status, f"unusable: {locations[0]}" if found is None else str(found))


def decided(ruleset: RuleSet, question: Question, now: float, client: str) -> tuple[Answer, str]:
    """What Detour answers, and with which rule."""
    found, rule = deciding(ruleset, question, now, client)
    return found, rule.name if rule else ""


def deciding(ruleset: RuleSet, question: Question, now: float, client: str) -> tuple[Answer, Rule | None]:
    """As `decided`, with the rule itself."""
    request = Request.of(question.method, question.url, question.fields, client)
    decision = ruleset.decide(request, now)
    locations = [decision.location] if decision.location else []
    return answer(decision.status, locations, question), decision.rule


def passed_over(ruleset: RuleSet, question: Question, now: float, client: str) -> int:
    """The status of the rule that leads to the request's own URL: the first that does not answer for that
    reason, or one that is for the other scheme alone."""
    request = Request.of(question.method, question.url, question.fields, client)
    _, skipped = ruleset.explain(request, now)
    found = next((one.rule.status for one in skipped if one.reason == "self"), 0)
    if found:
        return found
    other = msgspec.structs.replace(question, scheme=_OTHER_SCHEME[question.scheme])
    there, _ = deciding(ruleset, other, now, client)
    return there.status if there.location == str(URL.parse(question.url)) else 0


_OTHER_SCHEME = {"http": "https", "https": "http"}


def alike(detour: Answer, server: Answer) -> bool:
    """Redirects agree in status and Location; what is no redirect is for the server to answer as it will."""
    if not (detour.redirects or server.redirects):
        return True
    return (detour.status, detour.location) == (server.status, server.location)


def explained(
    difference: Difference, explanations: tuple[Explanation, ...], agree: Callable[[Question], bool]
) -> Difference:
    """The difference with the first explanation that holds, if any; `agree` asks both once more."""
    for one in explanations:
        if not one.holds(difference.question, difference.detour, difference.server):
            continue
        plainer = difference.question if one.instead is None else one.instead(difference.question)
        if one.instead is None or (plainer != difference.question and agree(plainer)):
            return msgspec.structs.replace(difference, why=one.why)
    return difference
