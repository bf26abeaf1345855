"""What every writer yields, and what it must not leave unsaid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any, Generic, TypeVar

import msgspec

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, FieldCondition, Rule
from detour.errors import Span
from detour.formats.writers.ways import Way, ways

T = TypeVar("T")

Consequences = tuple[tuple[str, str], ...]  # (methods, what becomes of them)


class Unsaid(msgspec.Struct, frozen=True):
    """Something that a rule says and the target language cannot."""

    rule: str
    span: Span
    what: str  # the fact
    nearest: str  # what was written instead, or that nothing was
    consequences: Consequences  # per method, or for `every method`


class Written(msgspec.Struct, frozen=True):
    """Rules in another language, and everything that could not be said in it."""

    text: str
    unsaid: tuple[Unsaid, ...] = ()
    notes: tuple[str, ...] = ()  # what holds of the whole, one line each
    said: tuple[Rule, ...] = ()  # the rules as the text says them: what it must answer like


Write = Callable[[Iterable[Rule], float], Written]

ALL = "every method"
OTHERS_SAME = ((ALL, "the same"),)


def unsaid(rule: Rule, what: str, nearest: str, *consequences: tuple[str, str]) -> Unsaid:
    """Something of `rule` that is not said; without consequences every method is redirected alike."""
    return Unsaid(rule.name, rule.span, what, nearest, consequences or OTHERS_SAME)


NOTHING_WRITTEN = "nothing is written for it"
LEFT_OUT = ((ALL, "is not redirected by this rule any more"),)
EXPOSED = ((ALL, "may be redirected by a rule behind it"),)


def left_out(rule: Rule, what: str) -> Unsaid:
    """A rule that is not written at all."""
    return Unsaid(rule.name, rule.span, what, NOTHING_WRITTEN, EXPOSED if rule.template is None else LEFT_OUT)


class Feature(msgspec.Struct, frozen=True):
    """A thing that rules may say beside pattern and Location, and what is done where it cannot be said."""

    name: str
    said_by: Callable[[Rule], str]  # how `rule` says it; "" where it does not
    nearest: str  # NOTHING_WRITTEN: the rule is left out
    consequences: Callable[[Rule], Consequences]


def _every(text: str) -> Callable[[Rule], Consequences]:
    return lambda rule: ((ALL, text),)


def _fields(of: str) -> Callable[[Rule], str]:
    def said(rule: Rule) -> str:
        names = [one.name for one in rule.terms.when if isinstance(one, FieldCondition) and one.of == of]
        return f"only where {of} {', '.join(names)} fits" if names else ""

    return said


def _methods(rule: Rule) -> str:
    methods = rule.terms.methods
    return "" if methods is None else f"only for {', '.join(sorted(methods))}"


def _methods_consequences(rule: Rule) -> Consequences:
    others = ", ".join(sorted(METHODS - (rule.terms.methods or METHODS)))
    return ((others, f"are redirected with {rule.status} too"),)


def _client(rule: Rule) -> str:
    return "only for some clients' addresses" if _has_client(rule) else ""


def _has_client(rule: Rule) -> bool:
    return any(isinstance(one, ClientCondition) for one in rule.terms.when)


def _window(rule: Rule) -> str:
    start, end = rule.terms.start, rule.terms.end
    since = "" if start == -inf else f"from {_time(start)}"
    until = "" if end == inf else f"until {_time(end)}"
    return f"only {since} {until}".replace("  ", " ").strip() if since or until else ""


def _time(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cache(rule: Rule) -> str:
    return "" if rule.terms.cache is None else f"may be cached for {rule.terms.cache} s"


# What a language may be able to say; a writer names those it says itself.
FEATURES = (
    Feature("methods", _methods, "it is written for every method", _methods_consequences),
    Feature("header", _fields("header"), NOTHING_WRITTEN, lambda rule: LEFT_OUT),
    Feature("cookie", _fields("cookie"), NOTHING_WRITTEN, lambda rule: LEFT_OUT),
    Feature("query", _fields("query"), NOTHING_WRITTEN, lambda rule: LEFT_OUT),
    Feature("client", _client, NOTHING_WRITTEN, lambda rule: LEFT_OUT),
    Feature(
        "unless",
        lambda rule: "not where some conditions hold" if rule.terms.unless else "",
        NOTHING_WRITTEN,
        lambda rule: LEFT_OUT,
    ),
    Feature(
        "share",
        lambda rule: "only for a share of the clients" if rule.terms.share else "",
        NOTHING_WRITTEN,
        lambda rule: LEFT_OUT,
    ),
    Feature(
        "window",
        _window,
        "it is written as if it held always; take it out by hand in time",
        _every("is redirected outside of that time too"),
    ),
    Feature(
        "cache",
        _cache,
        "it is written without a lifetime",
        _every("gets no Cache-Control: how long a 301 or 308 is kept is for the client to guess"),
    ),
    Feature(
        "retry-after",
        lambda rule: "" if rule.terms.retry_after is None else "sends Retry-After",
        "it is written without that field",
        _every("gets no Retry-After"),
    ),
    Feature(
        "cors",
        lambda rule: "answers CORS preflights" if rule.terms.cors else "",
        "it is written without that",
        _every("is not readable by scripts of other origins, and a preflight is redirected, which fails"),
    ),
    Feature(
        "headers",
        lambda rule: f"sends {', '.join(name for name, _ in rule.terms.headers)}",
        "it is written without them",
        _every("gets those fields no more"),
    ),
    Feature(
        "parameters",
        lambda rule: "asks for query parameters" if rule.parameters else "",
        NOTHING_WRITTEN,
        lambda rule: LEFT_OUT,
    ),
)


class Judged(msgspec.Struct, frozen=True):
    """What a language cannot say of a rule, and the rule as it says it; None where it is left out."""

    unsaid: tuple[Unsaid, ...]
    rule: Rule | None


def judge(rule: Rule, says: frozenset[str], now: float) -> Judged:
    """What a language that says these features leaves unsaid of `rule` at `now`."""
    if "window" not in says and not rule.terms.alive(now):
        return Judged((left_out(rule, f"{_window(rule)}, which is not now"),), None)
    found = [feature for feature in FEATURES if feature.name not in says and _said(feature, rule)]
    dropped = next((feature for feature in found if feature.nearest == NOTHING_WRITTEN), None)
    if dropped is not None:
        return Judged((left_out(rule, dropped.said_by(rule)),), None)
    told = (unsaid(rule, one.said_by(rule), one.nearest, *one.consequences(rule)) for one in found)
    terms = rule.terms
    for feature in found:
        terms = msgspec.structs.replace(terms, **_WITHOUT[feature.name])
    return Judged(tuple(told), msgspec.structs.replace(rule, terms=terms) if found else rule)


# The terms without a feature that a language does not say.
_WITHOUT: Mapping[str, Mapping[str, Any]] = {
    "methods": {"methods": None},
    "window": {"start": -inf, "end": inf},
    "cache": {"cache": None},
    "retry-after": {"retry_after": None},
    "cors": {"cors": None},
    "headers": {"headers": ()},
}


def _said(feature: Feature, rule: Rule) -> bool:
    if feature.name == "headers":
        return bool(rule.terms.headers)
    if rule.template is None and feature.name in ("cache", "retry-after", "cors"):
        return False
    return bool(feature.said_by(rule))


class Cannot(msgspec.Struct, frozen=True):
    """What a language has no words for; the rule is left out."""

    what: str


class Writing(Generic[T]):
    """Rules on their way into another language: what is said of each, and what is not."""

    def __init__(self, says: frozenset[str], now: float) -> None:
        self._says = says
        self._now = now
        self.said: list[Rule] = []  # as the language says them
        self.unsaid: list[Unsaid] = []

    def each(
        self, rules: Iterable[Rule], restate: Callable[[Way], T | Cannot]
    ) -> Iterator[tuple[Rule, list[T]]]:
        """Each rule that can be said, as it is said, with every way to match it restated."""
        for rule in rules:
            judged = judge(rule, self._says, self._now)
            self.unsaid += judged.unsaid
            if judged.rule is None:
                continue
            restated = [restate(way) for way in ways(judged.rule)]
            cannot = next((one for one in restated if isinstance(one, Cannot)), None)
            if cannot is not None:
                self.unsaid.append(left_out(judged.rule, cannot.what))
                continue
            self.said.append(judged.rule)
            yield judged.rule, [one for one in restated if not isinstance(one, Cannot)]

    def written(self, text: str, notes: tuple[str, ...] = ()) -> Written:
        """The outcome."""
        return Written(text, tuple(self.unsaid), notes, tuple(self.said))
