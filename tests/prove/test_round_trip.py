"""What is written in a file's language reads back as rules that decide the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from detour.core.matcher import RuleSet
from detour.core.rule import Rule
from detour.formats.conversion import Document
from detour.formats.dialects import Files, named
from detour.formats.layer import Layer, read_layer, read_native
from detour.formats.writers import WRITERS, Writer
from detour.prove.compare import alike, decided
from detour.prove.questions import Question, questions
from tests.prove.generated import NOW, rule_sets

FILES = [
    writer
    for writer in WRITERS
    if writer.name
    in ("native", "netlify", "vercel", "cloudflare-bulk", "gateway-api", "caddy", "haproxy", "envoy")
]
# What their readers list of what is written, by the beginning of the fact: that set is passed over.
LISTED = {
    "vercel": ("regular expression",),  # hosts may be some
    "gateway-api": ("regular expression",),  # values of fields may
    "haproxy": ("%[path,field(",),  # a segment is cut out
    "envoy": ("a value that is not matched as a whole", "several parts of a path", "no path matches this"),
}
GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: gateway
spec:
  listeners:
  - {name: http, protocol: HTTP, port: 80}
  - {name: https, protocol: HTTPS, port: 443}
---
"""
CLIENT = "127.0.0.1"


def read_back(writer: Writer, text: str) -> Layer:
    if writer.name == "native":
        return read_native("native", Document.parse("rules.toml", text), {}, text)
    dialect = named(writer.name)
    assert dialect is not None
    given = f"{GATEWAY}{text}" if writer.name == "gateway-api" else text
    return read_layer("back", dialect, Files("back", {"back": given}))


def asked(name: str, rules: list[Rule], said: RuleSet) -> Iterator[Question]:
    """The questions, as a dialect's own server would be asked."""
    for question in questions(rules, ("http", "https")):
        if name in WITH_DOORS and question.scheme == "https" and "https" not in schemes(said):
            continue  # nothing is written for that door
        if name == "vercel":  # its edge says so
            proto = (("x-forwarded-proto", question.scheme),)
            yield msgspec.structs.replace(question, fields=(*question.fields, *proto))
        elif name == "gateway-api":
            if not is_a_prefix(question, said):
                yield question
        elif name != "netlify" or not depends_on_slash(question, said):
            yield question


WITH_DOORS = ("caddy",)


def schemes(said: RuleSet) -> set[str]:
    return {rule.pattern.partition(":")[0] for rule in said.rules}


def is_a_prefix(question: Question, said: RuleSet) -> bool:
    """Whether the path is what a written PathPrefix names: what `/xyz/` makes of it no table says."""
    path = question.target.partition("?")[0]
    ends = [rule.pattern.removesuffix("{/*}?") for rule in said.rules if rule.pattern.endswith("{/*}?")]
    return any(end.endswith(path) for end in ends)


def depends_on_slash(question: Question, said: RuleSet) -> bool:
    """Whether one slash at the end of the path changes the answer: to Netlify it does not."""
    path, mark, query = question.target.partition("?")
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    changed = msgspec.structs.replace(question, target=f"{other or '/'}{mark}{query}")
    (mine, rule), (yours, another) = (decided(said, one, NOW, CLIENT) for one in (question, changed))
    return (mine.redirects, rule) != (yours.redirects, another) or "//" in path


@pytest.mark.parametrize("writer", FILES, ids=lambda writer: writer.name)
def test_a_written_file_reads_back_as_the_same_rules(writer: Writer) -> None:
    compared = 0
    for rules in rule_sets(60, seed=23):
        written = writer.write(rules, NOW)
        if not written.said:
            continue
        layer = read_back(writer, written.text)
        listed = LISTED.get(writer.name, ())
        if any(text in fault.fact for fault in layer.not_understood for text in listed):
            continue
        assert layer.not_understood == ()
        said = RuleSet.of(written.said)
        for question in asked(writer.name, rules, said):
            mine, rule = decided(said, question, NOW, CLIENT)
            yours, _ = decided(layer.ruleset, question, NOW, CLIENT)
            assert alike(mine, yours), f"{question}: {yours}, not {mine} ({rule})\n{written.text}"
            compared += mine.redirects
    assert compared > 50


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_every_rule_is_said_or_listed(writer: Writer) -> None:
    for rules in rule_sets(40, seed=5):
        written = writer.write(rules, NOW)
        said = {rule.name for rule in written.said}
        listed = {one.rule for one in written.unsaid}
        for rule in rules:
            assert rule.name in listed or any(name.startswith(rule.name) for name in said), rule


def test_nothing_of_a_rule_is_lost_in_its_own_language() -> None:
    (native,) = (writer for writer in WRITERS if writer.name == "native")
    for rules in rule_sets(60, seed=3):
        back = list(read_back(native, native.write(rules, NOW).text).rules)
        assert [rule.pattern for rule in back] == [rule.pattern for rule in rules]
        assert [rule.template for rule in back] == [rule.template for rule in rules]
        assert [rule.terms.methods for rule in back] == [rule.terms.methods for rule in rules]
        assert [rule.terms.when for rule in back] == [rule.terms.when for rule in rules]
        assert [rule.terms.headers for rule in back] == [rule.terms.headers for rule in rules]
