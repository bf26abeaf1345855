"""Detour's own rule file (TOML): everything that a rule says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import inf

from detour.core.rule import ClientCondition, Condition, Cors, Rule
from detour.core.status import REDIRECT_STATUSES
from detour.formats.writers.writing import FEATURES, Unsaid, Writing, Written, unsaid

SAYS = frozenset(feature.name for feature in FEATURES) - {"parameters"}

_LONG = "365d"  # what a permanent redirect without a lifetime gets: the format wants one
_DEFAULT_STATUS = 307


def write(rules: Iterable[Rule], now: float) -> Written:
    """A rule file; all rules are written, in force or not."""
    told: list[Unsaid] = []
    names: set[str] = set()
    blocks: list[str] = []
    writing = Writing[str](SAYS, now)
    for rule, _ in writing.each(rules, lambda way: way.rule.name):
        if rule.status in (301, 308) and rule.terms.cache is None and rule.template is not None:
            told.append(
                unsaid(rule, f"{rule.status} without a lifetime", f'it is written with cache = "{_LONG}"')
            )
        blocks.append("\n".join(_table(rule, _name(rule, names))))
    written = writing.written("\n\n".join(blocks) + "\n" if blocks else "")
    return Written(written.text, (*written.unsaid, *told), (), written.said)


def _name(rule: Rule, taken: set[str]) -> str:
    """A name that a rule file takes, and has not yet."""
    name = re.sub(r"[^a-z0-9._-]+", "-", rule.name.lower()).lstrip("._-")[-60:].lstrip("._-") or "rule"
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def _table(rule: Rule, name: str) -> Iterator[str]:
    terms = rule.terms
    yield "[[rule]]"
    yield f"name = {_text(name)}"
    yield f"pattern = {_text(rule.pattern)}"
    if rule.template is None:
        yield "pass = true"
        if rule.status != 404:
            yield f"status = {rule.status}"
    else:
        yield f"location = {_text(rule.template.text)}"
        if rule.status != _DEFAULT_STATUS:
            yield f"status = {rule.status}"
        yield from _of_redirects(rule)
    if terms.methods is not None:
        yield f"methods = {_list(sorted(terms.methods))}"
    if rule.ignore_case:
        yield "ignore_case = true"
    if terms.start != -inf:
        yield f"from = {_instant(terms.start)}"
    if terms.end != inf:
        yield f"until = {_instant(terms.end)}"
    for key, conditions in (("when", terms.when), ("unless", terms.unless)):
        if conditions:
            yield f"{key} = {_conditions(conditions)}"
    if terms.share is not None:
        cookie = f", cookie = {_text(terms.share.cookie)}" if terms.share.cookie else ""
        yield f"share = {{ of = {terms.share.of}{cookie} }}"
    if terms.why:
        yield f"why = {_text(terms.why)}"
    if terms.headers:
        pairs = ", ".join(f"{_text(field)} = {_text(value)}" for field, value in terms.headers)
        yield f"headers = {{ {pairs} }}"


def _of_redirects(rule: Rule) -> Iterator[str]:
    assert rule.template is not None
    terms = rule.terms
    if rule.template.hosts:
        yield f"location_hosts = {_list(rule.template.hosts)}"
    if terms.query == "drop":
        yield 'query = "drop"'
    if terms.cache is not None:
        yield f'cache = "{terms.cache}s"'
    elif REDIRECT_STATUSES[rule.status].permanent:
        yield f'cache = "{_LONG}"'
    if terms.retry_after is not None:
        yield f'retry_after = "{terms.retry_after}s"'
    if terms.cors is not None:
        yield f"cors = {_cors(terms.cors)}"


def _cors(cors: Cors) -> str:
    keys = []
    if cors.origins is not None:
        keys.append(f"origins = {_list(cors.origins)}")
    if cors.credentials:
        keys.append("credentials = true")
    if cors.headers is None:
        keys.append('headers = "*"')
    elif cors.headers:
        keys.append(f"headers = {_list(cors.headers)}")
    if cors.expose:
        keys.append(f"expose = {_list(cors.expose)}")
    if cors.max_age is not None:
        keys.append(f'max_age = "{cors.max_age}s"')
    return f"{{ {', '.join(keys)} }}" if keys else "true"


def _conditions(conditions: Iterable[Condition]) -> str:
    """`{ header = { name = values } }`; the same kind in one table."""
    kinds: dict[str, list[str]] = {}
    for one in conditions:
        if isinstance(one, ClientCondition):
            kinds.setdefault("client", []).extend(map(_text, one.networks))
        else:
            values = "true" if one.values is None else _list(one.values)
            kinds.setdefault(one.of, []).append(f"{_text(one.name)} = {values}")
    written = (
        f"{kind} = [{', '.join(said)}]" if kind == "client" else f"{kind} = {{ {', '.join(said)} }}"
        for kind, said in kinds.items()
    )
    return f"{{ {', '.join(written)} }}"


def _instant(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
