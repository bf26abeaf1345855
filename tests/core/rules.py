"""Rule sets for tests, written as the rule files they are."""

from __future__ import annotations

from detour import Decision, Request, RuleSet
from detour.formats.conversion import Document
from detour.formats.native import read


def rules(text: str, **files: str) -> RuleSet:
    """The rules of a TOML text; `files` by the names it imports."""
    return read(Document.parse("rules.toml", text), files).ruleset


def ask(
    ruleset: RuleSet, request: str, now: float = 0.0, client: str = "192.0.2.1", **fields: str
) -> Decision:
    """What `"POST https://example.com/x"` gets; fields as keywords, `_` for `-`."""
    method, url = request.split(" ", 1)
    pairs = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return ruleset.decide(Request.of(method, url, pairs, client), now)
