"""Layers as one system, asked with the witnesses of their rules. Nothing is sent: the rules answer.

A request passes the layers in order; the first that redirects answers. A layer that answers otherwise
(`pass`) or not at all hands it to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

import msgspec

from detour.audit.witness import fields, urls
from detour.core.chain import Chain, End, Fields, Hop, Outgoing, Response
from detour.core.decision import Decision
from detour.core.follower import Follower
from detour.core.keys import Key
from detour.core.location import resolve
from detour.core.message import Request
from detour.core.policy import FETCH
from detour.core.rule import Rule
from detour.core.url import URL
from detour.errors import URLError
from detour.formats.layer import Layer

Layers = tuple[Layer, ...]
Match = tuple[int, Rule, dict[str, str]]  # a rule's number, itself, what it captured
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Answer(msgspec.Struct, frozen=True):
    """What one layer answers: a redirect."""

    layer: Layer
    rule: Rule
    decision: Decision


class Survey:
    """Layers in the order in which requests pass them, at one instant."""

    def __init__(self, layers: Layers, now: float) -> None:
        self.layers = layers
        self.now = now

    @property
    def places(self) -> Iterator[Place]:
        """Every rule, layer after layer, decoded one after the other."""
        for layer in self.layers:
            for number in range(len(layer.ruleset.rules)):
                yield Place(self, layer, number)

    def ask(self, request: Request) -> Answer | None:
        """The redirect that `request` gets; None where it passes all layers."""
        for layer in self.layers:
            decision = layer.ruleset.decide(request, self.now)
            if decision.location is not None and decision.rule is not None:
                return Answer(layer, decision.rule, decision)
        return None

    def follow(self, first: Outgoing, client: str = "") -> Chain:
        """Where `first` ends, as browsers follow; it has arrived where no layer redirects any more."""
        hops: list[Hop] = []
        follower = Follower(first, FETCH)
        while True:
            request = follower.request
            answer = self.ask(Request.of(request.method, request.url, request.fields, client))
            if answer is None:
                hops.append(Hop(request, Response(404)))
                return Chain("fetch", tuple(hops), End("arrived"))
            location = answer.decision.location or ""
            response = Response(answer.decision.status, fields=(("Location", location),))
            step = follower.receive(response.status, [location])
            hops.append(Hop(request, response, resolve(location, request.url)))
            if isinstance(step, End):
                return Chain("fetch", tuple(hops), step)
            follower = step.follower


class Place:
    """One rule where it stands, and what a witness of it gets. What is asked for is found out once."""

    def __init__(self, survey: Survey, layer: Layer, number: int) -> None:
        self.survey = survey
        self.layer = layer
        self.number = number
        self.rule: Rule
        self.scheme: str
        self.keys: tuple[Key, ...]
        self.rule, self.scheme, self.keys = layer.ruleset.rules.filed(number)

    @property
    def alive(self) -> bool:
        """Whether the rule is in force, or will be."""
        return self.survey.now < self.rule.terms.end

    @cached_property
    def urls(self) -> tuple[str, ...]:
        """URLs that its pattern matches."""
        return tuple(urls(self.rule, self.scheme, self.keys))

    @cached_property
    def fields(self) -> tuple[Fields, str]:
        """The fields, and the client, that meet its conditions."""
        return fields(self.rule)

    @cached_property
    def method(self) -> str:
        """A method that it answers, GET if it does."""
        methods = self.rule.terms.methods
        return "GET" if methods is None or "GET" in methods else min(methods)

    @property
    def writes(self) -> tuple[str, ...]:
        """The methods with content that it names."""
        return tuple(one for one in _WRITES if one in (self.rule.terms.methods or ()))

    @property
    def witness(self) -> str:
        """A request that shows it; "" where no sample fits."""
        return f"{self.method} {self.urls[0]}" if self.urls else ""

    def request(self, url: str, method: str = "") -> Request | None:
        """A request of the rule's conditions."""
        headers, client = self.fields
        try:
            return Request.of(method or self.method, url, headers, client)
        except URLError:
            return None

    @cached_property
    def location(self) -> str | None:
        """What its template yields for its first witness, whether or not the rule would answer."""
        return self.location_for(self.urls[0]) if self.urls else None

    @cached_property
    def location_url(self) -> URL | None:
        """The URL that its first witness is sent to."""
        return None if self.location is None else resolve(self.location, URL.parse(self.urls[0]))

    def location_for(self, url: str) -> str | None:
        """What its template yields for `url`; None where it does not match, or yields nothing."""
        request, template = self.request(url), self.rule.template
        if request is None or template is None:
            return None
        matches = self.matches if url == self.urls[0] else self._matches(request)
        if not matches or matches[-1][0] != self.number:
            return None
        kept = self.rule.terms.query == "drop" or self.rule.takes_query
        return template.location(request, matches[-1][2], "" if kept else request.received_query)

    @cached_property
    def matches(self) -> list[Match]:
        """The rules of its layer that match its first witness, itself last; [] where it does not."""
        request = self.request(self.urls[0]) if self.urls else None
        return [] if request is None else self._matches(request)

    def _matches(self, request: Request) -> list[Match]:
        found: list[Match] = []
        for one in self.layer.ruleset.candidates(request):
            if one[0] > self.number:
                break
            found.append(one)
        return found

    @cached_property
    def leads_on(self) -> bool:
        """Whether where it leads to is matched by a rule again."""
        if self.location_url is None or not self.alive:
            return False
        request = Request.of(self.method, self.location_url)
        return any(next(layer.ruleset.candidates(request), None) for layer in self.survey.layers)

    def chain(self, method: str = "") -> Chain | None:
        """Where its first witness ends; None where another rule answers it, or nothing does."""
        if not self.urls:
            return None
        request = self.request(self.urls[0], method)
        answer = None if request is None else self.survey.ask(request)
        if answer is None or answer.layer is not self.layer or answer.rule.name != self.rule.name:
            return None
        headers, client = self.fields
        content = "replayable" if (method or self.method) in _WRITES else "none"
        first = Outgoing(method or self.method, URL.parse(self.urls[0]), headers, content)  # type: ignore[arg-type]
        return self.survey.follow(first, client)

    @cached_property
    def journey(self) -> Chain | None:
        """The chain of its first witness with its first method; None where it ends at once."""
        return self.chain() if self.leads_on else None

    @property
    def text(self) -> str:
        """The line as it was written; "" where that is not known."""
        return line_of(self.layer, self.rule)


def line_of(layer: Layer, rule: Rule) -> str:
    """The line that `rule` was written on; "" where that is not known."""
    lines = lines_of(layer, rule.span.file)
    place = rule.span.line - 1
    return lines[place].strip() if 0 <= place < len(lines) else ""


@lru_cache(maxsize=8)
def _split(text: str) -> list[str]:
    return text.split("\n")


def lines_of(layer: Layer, file: str) -> list[str]:
    """The lines of one of its files."""
    return _split(layer.texts.get(file) or next(iter(layer.texts.values()), ""))
