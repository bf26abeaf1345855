"""redirection.io's router cases, through an adapter: what Detour's rules can say of them, and what not."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urljoin

from detour.core.message import Request
from detour.core.url import URL
from detour.errors import RuleError
from detour.formats.conversion import Document
from detour.formats.layer import Layer, read_native
from detour.formats.redirects_file import literal, path_pattern
from tests.formats.dialect_data import DATA, data_file

FILE = DATA / "redirectionio" / "router_tests.json"
GROUPS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else []

# Why Detour cannot say a group's rules; the first that applies.
UNSAID = (
    ("a rule by date, time or weekday", lambda source, _: {"datetime", "time", "weekdays"} & source.keys()),
    ("a random sample of requests", lambda source, _: "sampling" in source),
    ("a rule by the client's address", lambda source, _: "ips" in source),
    ("a field's value as an expression", lambda source, _: "headers" in source),
    (
        "a marker that is transformed",
        lambda _, rule: rule.get("variables") or '"transformers"' in json.dumps(rule),
    ),
    ("several rules that act together", lambda _, rule: rule.get("reset") or rule.get("stop")),
    ("a marker in the host", lambda source, _: "@" in (source.get("host") or "")),
)


def excluded(group: dict[str, Any]) -> str | None:
    config = group["config"]
    if config["ignore_all_query_parameters"] or config["always_match_any_host"]:
        return "a router that ignores queries or hosts"
    if not config["ignore_marketing_query_params"] or len(config["marketing_query_params"]) != 5:
        return "marketing parameters"
    for rule in group["rules"]:
        for reason, applies in UNSAID:
            if applies(rule["source"], rule):
                return reason
        if rule.get("status_code") not in (301, 302, 303, 307, 308) or not rule.get("target"):
            return "a rule that does not redirect"
    return None


def toml(group: dict[str, Any]) -> str:
    """The rules of a group in Detour's own language: those with a host first, then the lower rank."""
    rules = sorted(
        group["rules"],
        key=lambda rule: ("host" not in rule["source"], rule["rank"], "query" not in rule["source"]),
    )
    return "\n".join(_rule(number, rule) for number, rule in enumerate(rules))


def _rule(number: int, rule: dict[str, Any]) -> str:
    source, names = rule["source"], {one["name"]: one["regex"] for one in rule.get("markers", [])}
    path = path_pattern(literal(source["path"]))
    location = rule["target"].replace("{", "{{").replace("}", "}}")
    for name in sorted(names, key=len, reverse=True):
        group = re.sub(r"\W", "_", name)
        inner = re.sub(r"(?<!\\)\((?!\?)", "(?:", names[name])
        path = path.replace(f"@{name}", f":{group}({inner})", 1)
        location = location.replace(f"@{name}", f"{{{group}}}")
    query = f"\\?{literal(source['query'])}" if source.get("query") else "\\?"
    host = f"//{literal(source['host'])}" if source.get("host") else ""
    said = {"name": f"r{number}", "pattern": host + path + query, "location": location, "query": "drop"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in said.items()]
    return "\n".join(("[[rule]]", *lines, f"status = {rule['status_code']}", 'cache = "1h"'))


def layer_of_group(group: dict[str, Any]) -> Layer:
    text = toml(group)
    return read_native("rules", Document.parse("rules", text), {}, text)


def outcome(group: dict[str, Any], test: dict[str, Any], layer: Layer) -> str:
    """`held`, or what differs."""
    request = test["request"]
    if "utm_" in request["path"]:
        return "marketing parameters"
    base = f"{request.get('scheme') or 'http'}://{request.get('host') or 'h.example'}"
    url = base + request["path"]
    decision = layer.ruleset.decide(Request.of(request.get("method") or "GET", url), now=0.0)
    wanted = test["header"][1] if test["match"] and test.get("header") else None
    if wanted is None or decision.location is None:
        return "held" if (wanted is None) is (decision.location is None) else "differs"
    same = URL.parse(urljoin(url, wanted)) == URL.parse(decision.location, url)
    return "held" if same and decision.status == test["status"][0] else "differs"


def tally() -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    differing = []
    for group in GROUPS:
        reason = excluded(group)
        try:
            layer = None if reason else layer_of_group(group)
        except RuleError as error:
            layer, reason = None, f"refused: {error.faults[0].fact[:60]}"
        for test in group["tests"]:
            found = reason or (outcome(group, test, layer) if layer is not None else "")
            counts[found] += 1
            if found == "differs":
                differing.append(test["name"])
    return counts, differing


FORM = "parameters are compared in any order and spelling there, the query as text here"
DIFFERENCES = {
    "test_05_query_parameters_order_2": FORM,
    "test_05_query_parameters_order_4": FORM,
    "test_rule_query_with_pipe_2_2": FORM,
    "test_rule_query_with_plus_3": FORM,
    "test_rule_query_with_plus_4": FORM,
    "test_rule_querystring_2": FORM,
    "test_rule_with_space_4": FORM,
}


COUNTS = {
    "a rule that does not redirect": 95,
    "held": 61,
    "a rule by date, time or weekday": 42,
    "a marker that is transformed": 30,
    "a rule by the client's address": 19,
    "marketing parameters": 16,
    "a field's value as an expression": 12,
    "differs": 7,
    "a router that ignores queries or hosts": 6,
    "a marker in the host": 4,
    "several rules that act together": 3,
    "a random sample of requests": 2,
    "refused: the location uses {marker}, but the pattern captures nothing": 1,
}


def test_every_case_is_held_or_has_its_reason() -> None:
    if not GROUPS:
        data_file("redirectionio", FILE.name)
    counts, differing = tally()
    assert set(differing) == set(DIFFERENCES)
    assert counts == COUNTS
    assert counts.total() == 298
