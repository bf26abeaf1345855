"""redirection.io's router cases in Detour's own rules: an adapter, and what it cannot say.

A group is a router with rules, and requests to it. A rule that redirects becomes one native rule for each of
its windows of time; one whose answer Detour cannot give becomes a `pass` in its place, so that a request that
it would answer is known to be unsaid, and every other one is asked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin

from detour.core.message import Request
from detour.core.url import URL
from detour.errors import RuleError
from detour.formats.conversion import Document
from detour.formats.layer import Layer, read_native
from detour.formats.redirects_file import literal, path_pattern
from tests.formats.dialect_data import DATA

FILE = DATA / "redirectionio" / "router_tests.json"
GROUPS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else []

NOW = datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp()  # of a request without a time
SLOTS = {"request_host": "{url.hostname}", "request_path": "{url.path}", "request_scheme": "{url.scheme}"}
REDIRECTS = (301, 302, 303, 307, 308)

# Why a group cannot be asked at all; the first that applies.
_NO_GROUP = (
    ("a rule by the time of day or the weekday", lambda source: {"time", "weekdays"} & source.keys()),
    ("a random sample of requests: their number decides", lambda source: "sampling" in source),
    ("a rule by the client's address, which the data does not hold", lambda source: "ips" in source),
    ("a field's value as an expression", lambda source: not _fields(source.get("headers", ()))),
    ("a marker in the host: Detour lets no request choose the host", lambda source: _at(source, "host")),
)

# Why an answer cannot be given; the first that applies.
_NO_ANSWER = (
    ("a rule that does not redirect", lambda rule: rule.get("status_code") not in REDIRECTS),
    ("a marker that is transformed", lambda rule: _transformed(rule.get("markers", ()))),
    ("a variable that is transformed", lambda rule: _transformed(rule.get("variables", ()))),
    ("a request's field in the Location", lambda rule: '"request_header"' in json.dumps(rule)),
)


def excluded(group: dict[str, Any]) -> str | None:
    """Why a group cannot be asked."""
    sources = [rule["source"] for rule in group["rules"]]
    return next((why for why, applies in _NO_GROUP if any(map(applies, sources))), None)


def unsaid(rule: dict[str, Any]) -> str:
    """Why a rule's answer cannot be given; "" where it can."""
    return next((why for why, applies in _NO_ANSWER if applies(rule)), "")


def _at(source: dict[str, Any], key: str) -> bool:
    return "@" in (source.get(key) or "")


def _transformed(named: list[dict[str, Any]]) -> bool:
    return any(one.get("transformers") for one in named)


def _fields(headers: list[dict[str, Any]]) -> bool:
    """Whether conditions on fields ask for presence, absence or values."""
    return all(
        one["type"] in ("is_defined", "is_not_defined", "is_equals", "match_regex") for one in headers
    ) and not any(one["type"] == "match_regex" and one["value"] != "@marker" for one in headers)


# ---- the rules


def layer_of_group(group: dict[str, Any]) -> Layer:
    text = toml(group)
    return read_native("rules", Document.parse("rules", text), {}, text)


def toml(group: dict[str, Any]) -> str:
    """The rules of a group in Detour's own language: those with a host first, then the lower rank."""
    any_host = group["config"]["always_match_any_host"]
    rules = sorted(
        enumerate(group["rules"]),
        key=lambda one: (
            "host" not in one[1]["source"] and not any_host,
            one[1]["rank"],
            "query" not in one[1]["source"],
        ),
    )
    return "\n".join(table for number, rule in rules for table in _tables(number, rule, group["config"]))


def _tables(number: int, rule: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    source, names = rule["source"], {one["name"]: one["regex"] for one in rule.get("markers", [])}
    path, location = path_pattern(literal(source["path"])), _location(rule)
    for name in sorted(names, key=len, reverse=True):
        group = re.sub(r"\W", "_", name)
        path = path.replace(f"@{name}", f":{group}({_uncaptured(names[name])})", 1)
        location = location.replace(f"@{name}", f"{{{group}}}")
    host = source.get("host") if not config["always_match_any_host"] else None
    search, keep = _search(source, names, config)
    said = {"pattern": (f"//{literal(host)}" if host else "") + path + search}
    if unsaid(rule):
        said["pass"] = True
    else:
        said |= {"location": location, "status": rule["status_code"], "cache": "1h"}
        said["query"] = "keep" if keep and "{url.query}" not in location else "drop"
    conditions = _conditions(source, names)
    for window, (start, end) in enumerate(source.get("datetime") or [(None, None)]):
        lines = [f"{key} = {json.dumps(value)}" for key, value in said.items()]
        lines += [f"{key} = {at}" for key, at in (("from", start), ("until", end)) if at]
        yield "\n".join(("[[rule]]", f'name = "r{number}-{window}"', *lines, *conditions))


def _uncaptured(regex: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", regex)


def _location(rule: dict[str, Any]) -> str:
    """A target with its variables in place; markers are still as they are written there."""
    location: str = (rule.get("target") or "").replace("{", "{{").replace("}", "}}")
    for one in sorted(rule.get("variables") or (), key=lambda one: len(one["name"]), reverse=True):
        kind = one["type"]
        slot = SLOTS.get(kind, "") if isinstance(kind, str) else f"@{kind.get('marker')}"
        location = location.replace(f"@{one['name']}", slot)
    if _at(rule["source"], "query"):  # all of the query is the marker
        location = location.replace(f"?{rule['source']['query']}", "?{url.query}")
    return location


def _search(source: dict[str, Any], names: dict[str, str], config: dict[str, Any]) -> tuple[str, bool]:
    """The pattern of the query, and whether what there is of it goes along.

    A router ignores parameters of marketing, in any place; the values of the others are conditions.
    """
    if config["ignore_all_query_parameters"]:
        return "", True
    ignored = config["marketing_query_params"] if config["ignore_marketing_query_params"] else []
    if _at(source, "query"):
        return f"\\?:query({_uncaptured(names[source['query'][1:]])})", False
    own = [name for name, _ in parameters(source)]
    one = rf"(?:{'|'.join(re.escape(quote(name)) for name in (*own, *ignored))})(?:=[^&]*)?"
    if own:
        return rf"\?({one}(?:&{one})*)", False
    return (rf"\?((?:{one}(?:&{one})*)?)" if ignored else r"\?"), bool(config[_PASSED])


_PASSED = "pass_marketing_query_params_to_target"


def parameters(source: dict[str, Any]) -> list[tuple[str, str]]:
    return parse_qsl(source.get("query") or "", keep_blank_values=True)


def _conditions(source: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    wanted: dict[str, Any] = {"header": {}, "query": {}}
    unwanted = {}
    if not _at(source, "query"):
        wanted["query"] = dict(parameters(source))
    for one in source.get("headers", ()):
        if one["type"] == "is_not_defined":
            unwanted[one["name"]] = True
        elif one["type"] == "match_regex":  # ^(A|B)$
            wanted["header"][one["name"]] = names["marker"].strip("^$()").split("|")
        else:
            wanted["header"][one["name"]] = one["value"] or True
    for table, kinds in (("when", wanted), ("unless", {"header": unwanted})):
        for kind, of in kinds.items():
            if of:
                yield f"[rule.{table}.{kind}]"
                yield from (f"{json.dumps(name)} = {json.dumps(value)}" for name, value in of.items())


# ---- the requests


def outcome(group: dict[str, Any], test: dict[str, Any], layer: Layer) -> str:
    """`held`, `differs`, or why the case cannot be said."""
    request = test["request"]
    url = f"{request.get('scheme') or 'http'}://{request.get('host') or 'h.example'}{request['path']}"
    fields = tuple((name, value) for name, value in request.get("headers") or ())
    asked = Request.of(request.get("method") or "GET", url, fields)
    at = request.get("created_at")
    now = NOW if at is None else datetime.fromisoformat(at).timestamp()
    decision = layer.ruleset.decide(asked, now=now)
    if decision.rule is not None and decision.location is None:
        rule = group["rules"][int(decision.rule.name[1:].partition("-")[0])]
        return unsaid(rule) if test["match"] else "differs"
    if test["match"] is (decision.location is None):
        return "differs"
    wanted = test.get("header")
    if wanted is None:
        return "held" if not test["match"] or decision.status == test["status"][0] else "differs"
    same = URL.parse(urljoin(url, wanted[1])) == URL.parse(decision.location or "", url)
    return "held" if same and decision.status == test["status"][0] else "differs"


def tally() -> tuple[Counter[str], list[str]]:
    """How many cases there are of each outcome, and the names of those that differ."""
    counts: Counter[str] = Counter()
    differing = []
    for group in GROUPS:
        reason = excluded(group)
        try:
            layer = None if reason else layer_of_group(group)
        except RuleError as error:
            layer, reason = None, f"refused: {error.faults[0].fact[:80]}"
        for test in group["tests"]:
            found = outcome(group, test, layer) if layer is not None else reason or ""
            counts[found] += 1
            if found == "differs":
                differing.append(test["name"])
    return counts, differing
