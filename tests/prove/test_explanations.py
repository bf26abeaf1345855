"""What explains a difference is a fact about servers: a wrong configuration is never explained away."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from detour.core.matcher import RuleSet
from detour.core.rule import Rule
from detour.core.template import Template
from detour.formats.dialects import Files, named
from detour.formats.layer import read_layer
from detour.formats.writers import writer_for
from detour.prove.compare import Answer, Difference, explained
from detour.prove.explanations import APACHE, NGINX, OF_HOSTS
from detour.prove.proof import prove
from detour.prove.questions import Question
from detour.prove.servers import SERVERS
from tests.examples.running import program

NOW = 1_800_000_000.0
RULES = """\
/old /new 307
/blog/* /posts/:splat 308
/a%20b https://other.example/c 302
http://host.example/x/* https://host.example/y/:splat 301
"""


def _status(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, status=302 if rule.status == 308 else 301)


def _location(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, template=Template.parse("/elsewhere", frozenset()))


def _host(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, template=Template.parse("https://wrong.example/new", frozenset()))


def _wider(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, pattern=f"{rule.pattern}x")


def _to_itself(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, template=Template.parse("/{url.path}", frozenset()))


def _query(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, terms=msgspec.structs.replace(rule.terms, query="drop"))


def _layer_rules() -> list[Rule]:
    netlify = named("netlify")
    assert netlify is not None
    return list(read_layer("rules", netlify, Files("_redirects", {"_redirects": RULES})).rules)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("plant", [_status, _location, _host, _wider, _to_itself, _query])
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_wrong_rule_is_not_explained_away(server: object, plant: Callable[[Rule], Rule]) -> None:
    program(server.program)  # type: ignore[attr-defined]
    writer = writer_for(server.name)  # type: ignore[attr-defined]
    assert writer is not None
    rules = _layer_rules()
    right = writer.write(rules, NOW)
    planted = [plant(rules[0]), plant(rules[1]), *rules[2:]]
    wrong = writer.write(planted, NOW)
    proof = prove(server, wrong.text, RuleSet.of(right.said), NOW)  # type: ignore[arg-type]
    told = {one.rule for one in proof.unexplained}
    for rule in rules[:2]:
        assert any(name.startswith(rule.name) for name in told), f"{rule.pattern}: {proof.differences}"


GET = Question("GET", "http", "a.example", "/x")


@pytest.mark.parametrize(
    ("question", "detour", "server"),
    [
        (GET, Answer(404), Answer(301, "http://a.example/x")),  # to itself, of which no rule knows
        (GET, Answer(404, itself=302), Answer(301, "http://a.example/x")),  # of another status
        (GET, Answer(302, "http://a.example/y"), Answer(302, "http://a.example/x")),
        (GET, Answer(302, "http://a.example/y"), Answer(302, "http://a.example/z?")),
        (GET, Answer(302, "http://a.example/y"), Answer(301, "http://a.example/y?")),
        (GET, Answer(302, "http://a.example/y"), Answer(302, "http://a.example//z")),
        (GET, Answer(302, "http://a.example/a%2Fb"), Answer(302, "http://a.example/a/b")),
        (msgspec.structs.replace(GET, target="/x?"), Answer(302, "http://a.example/y"), Answer(404)),
        (msgspec.structs.replace(GET, target="//x"), Answer(302, "http://a.example/y"), Answer(404)),
        (msgspec.structs.replace(GET, target="/%78"), Answer(302, "http://a.example/y"), Answer(404)),
        (msgspec.structs.replace(GET, authority="A.example"), Answer(404), Answer(302, "http://a.example/y")),
    ],
)
@pytest.mark.parametrize("known", [NGINX, APACHE, OF_HOSTS])
def test_what_differs_in_a_plain_spelling_too_is_not_explained(
    known: tuple[object, ...], question: Question, detour: Answer, server: Answer
) -> None:
    difference = Difference(question, detour, server)
    assert explained(difference, known, lambda plainer: False).why == ""  # type: ignore[arg-type]


def test_what_differs_in_another_spelling_alone_is_explained() -> None:
    question = msgspec.structs.replace(GET, target="/./x?", authority="A.example")
    difference = Difference(question, Answer(302, "http://a.example/y"), Answer(404))
    asked: list[Question] = []
    assert explained(difference, OF_HOSTS, lambda one: bool(asked.append(one)) or True).why
    assert [one.target for one in asked] == ["/x?"]
