"""Rule sets made at random, written for each real server, and proved with it.

    python -m tests.prove.generated [--sets 200] [SERVER …]

Every set has hosts of its own, so that one start of a server proves all of them at once.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator

import msgspec

from detour.core.matcher import RuleSet
from detour.core.pattern import Pattern
from detour.core.rule import FieldCondition, Rule, Terms
from detour.core.template import Template
from detour.errors import Span
from detour.formats.writers import writer_for
from detour.prove.proof import Proof, prove
from detour.prove.servers import SERVERS, server_for

NOW = 1_800_000_000.0

_WORDS = ("old", "a", "v1", "a.b", "x-y_z~", "caf%C3%A9", "a%20b", "i+j", "p,q;r=s", "A", "o'k", "d$l", "e!")
_PATHS = (
    "/{w}",
    "/{w}/{v}",
    "/{w}/",
    "/{w}/*",
    "/{w}*",
    "/*",
    "/{w}/:id",
    "/{w}/:id/{v}",
    "/:id/*",
    "/{w}/:id/{v}/*",
    "/{w}{{/}}?",
    "/{w}{{/*}}?",
    "/{w}(\\d+)",
    "/{w}/(en|fr)/{v}",
    "/(en|de)/*",
    "/{w}/:id(\\d+).html",
)
_HOSTS = ("//{h}", "//{h}", "//*.{h}", "http://{h}", "https://{h}", "//w.{h}")
_LOCATIONS = (
    "/to/{c}",
    "/to",
    "https://new.example/{c}",
    "https://new.example/p/{c}/q",
    "https://new.example/fixed?k=v",
    "https://new.example/s?x={c}",
    "http://new.example:8080/{c}",
    "https://new.example{{url.path}}",
    "https://{{url.hostname}}/s/{c}",
    "/f#part",
)
_STATUSES = (301, 302, 303, 307, 307, 307, 308)


def rule_sets(count: int, seed: int = 7) -> Iterator[list[Rule]]:
    """So many sets of one to six rules, the same every time."""
    chance = random.Random(seed)
    for number in range(count):
        host = f"s{number}.example"
        yield [_rule(chance, f"s{number}-{place}", host) for place in range(chance.randint(1, 6))]


def _rule(chance: random.Random, name: str, host: str) -> Rule:
    path = chance.choice(_PATHS).format(w=_word(chance), v=_word(chance))
    text = chance.choice(_HOSTS).format(h=host) + path
    fold = chance.random() < 0.1
    pattern = Pattern.parse(text, ignore_case=fold)
    captures = [group.name for group in pattern.groups if group.component == "path"]
    template = None
    if chance.random() > 0.08:
        capture = f"{{{chance.choice(captures)}}}" if captures else "end"
        location = chance.choice(_LOCATIONS).format(c=capture)
        template = Template.parse(location, frozenset(captures))
    status = chance.choice(_STATUSES) if template else 404
    takes_query = template is not None and template.takes_query(())
    return Rule(
        name, name, Span("generated.toml", 1), text, template, status, _terms(chance), fold, (), takes_query
    )


def _word(chance: random.Random) -> str:
    return chance.choice(_WORDS).replace("+", "\\+")


def _terms(chance: random.Random) -> Terms:
    keys: dict[str, object] = {}
    if chance.random() < 0.2:
        keys["methods"] = frozenset(chance.choice((("GET", "HEAD"), ("POST", "PUT"), ("DELETE",))))
    if chance.random() < 0.1:
        values = chance.choice((None, ("1",), ("1", "b c")))
        keys["when"] = (FieldCondition("x-beta", values, "header"),)
    elif chance.random() < 0.08:
        keys["when"] = (FieldCondition("sid", chance.choice((None, ("7",))), "cookie"),)
    if chance.random() < 0.15:
        keys["query"] = "drop"
    if chance.random() < 0.1:
        keys["cache"] = 600
    if chance.random() < 0.05:
        keys["headers"] = (("X-Why", "50% moved"),)
    return Terms.of(**keys)


class Outcome(msgspec.Struct, frozen=True):
    """What came of some sets on one server."""

    proof: Proof
    rules: int
    said: int  # rules, as the server's language says them
    unsaid: int


def proved(server: str, sets: int, seed: int = 7) -> Outcome:
    """Write the sets for a server, start it, and ask; raises `DetourError` where it is not installed."""
    rules = [rule for some in rule_sets(sets, seed) for rule in some]
    writer, real = writer_for(server), server_for(server)
    assert writer is not None
    assert real is not None
    written = writer.write(rules, NOW)
    proof = prove(real, written.text, RuleSet.of(written.said), NOW)
    return Outcome(proof, len(rules), len(written.said), len(written.unsaid))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("servers", nargs="*", default=[server.name for server in SERVERS])
    words = parser.parse_args()
    for server in words.servers:
        done = proved(server, words.sets, words.seed)
        proof = done.proof
        sys.stdout.write(
            f"{server}: {words.sets} sets, {done.rules} rules ({done.unsaid} unsaid): {proof.asked} asked, "
            f"{proof.redirects} redirected, {len(proof.unexplained)} differ without an explanation, "
            f"{len(proof.differences) - len(proof.unexplained)} with one\n"
        )
        for one in proof.unexplained[: words.show]:
            sys.stdout.write(f"    {one.question}: {one.server}, not {one.detour} ({one.rule})\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
