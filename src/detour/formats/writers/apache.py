"""Apache: mod_rewrite, one RewriteRule for each rule, in their order.

mod_rewrite matches decoded paths, and what it captures from them would be encoded anew in its own way. So
captures come from the target as it was sent: `%{THE_REQUEST}`, kept in `PATH_AS_SENT`. `NE` keeps what is
encoded already from being encoded twice.

For a `<VirtualHost>` or the server's own configuration; a `.htaccess` sees paths without their first slash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from detour.core.rule import ClientCondition, Condition, FieldCondition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Way, keeps_query, quoted, spell
from detour.formats.writers.writing import Cannot, Writing, Written

SAYS = frozenset({"methods", "header", "cookie", "client", "unless", "cache", "retry-after", "headers"})

_SENT = "%{ENV:PATH_AS_SENT}"
_REQUEST = {
    "url.hostname": "%{SERVER_NAME}",
    "url.path": _SENT,
    "url.query": "%{QUERY_STRING}",
    "url.scheme": "%{REQUEST_SCHEME}",
    "url.port": "%{SERVER_PORT}",
}
_HEAD = """RewriteEngine On
RewriteCond %{THE_REQUEST} "^\\S+ (?:https?://[^/? ]*)?([^? ]*)"
RewriteRule ^ - [E=PATH_AS_SENT:%1]
"""


def write(rules: Iterable[Rule], now: float) -> Written:
    """Lines for a `<VirtualHost>`; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[str, str]](SAYS, now)
    blocks: list[str] = []
    limited: list[str] = []
    fields: list[str] = []
    for rule, found in writing.each(rules, _block):
        blocks += (block for block, _ in found)
        limited += (
            f"{where}RewriteRule ^ - [R=405,L]\n" for _, where in found if rule.terms.methods is not None
        )
        fields += _fields(rule)
    return writing.written("\n".join([_HEAD, *blocks, *dict.fromkeys(limited), *dict.fromkeys(fields)]))


def _block(way: Way) -> tuple[str, str] | Cannot:
    """The lines of one rule, and those of its conditions that say where it applies."""
    rule = way.rule
    if way.query_regex or way.port:
        return Cannot("a pattern with a query" if way.query_regex else "a port of its own")
    target, flags, more = "-", ["L", f"R={rule.status}"], ""
    if rule.template is not None:
        slots = _slots(way)
        if isinstance(slots, Cannot):
            return slots
        location = spell(rule.template, _literal, slots)
        if isinstance(location, Slot):
            return Cannot(f"{{{location.name}}} in the Location")
        target = location
        flags = ["L", "NE", f"R={rule.status}", *_query_flag(rule, location)]
        flags += [f"E=BY_{_variable(rule)}:1"] if any(_fields(rule)) else []
        if _from_host(way):  # `%1` is of the condition that held last
            more = f"RewriteCond %{{SERVER_NAME}} {_word(f'^{way.host_regex}$')} [NC]\n"
    where = "".join(f"{line}\n" for line in _where(way, rule))
    conditions = "".join(f"{line}\n" for line in _conditions(rule))
    answer = f"RewriteRule ^ {_word(target)} [{','.join(flags)}]\n"
    return f"# {rule.name}\n{conditions}{where}{more}{answer}", where


def _query_flag(rule: Rule, location: str) -> list[str]:
    if keeps_query(rule):
        return ["QSA"] if "?" in location else []
    return [] if "?" in location else ["QSD"]


def _used(way: Way) -> set[str]:
    return {slot.name for slot in way.rule.template.slots} if way.rule.template else set()


def _from_host(way: Way) -> bool:
    return not _used(way).isdisjoint(way.host_groups)


def _slots(way: Way) -> dict[str, str] | Cannot:
    """What captures and the request's own are called."""
    if _from_host(way) and not _used(way).isdisjoint(way.groups):
        return Cannot("captures from the host and from the path together")
    groups = way.host_groups if _from_host(way) else way.groups
    if len(groups) > 9:
        return Cannot("more than nine captures")
    captured = {name: f"%{number}" for number, name in enumerate(groups, start=1)}
    return {**_REQUEST, **dict.fromkeys(way.unmatched, ""), **captured}


def _where(way: Way, rule: Rule) -> Iterator[str]:
    """Conditions on scheme, host and path; that on the path comes last, for its captures."""
    if way.scheme:
        yield f"RewriteCond %{{HTTPS}} {'on' if way.scheme == 'https' else 'off'}"
    host = way.host_regex or quoted(way.host)
    if host:
        yield f"RewriteCond %{{HTTP_HOST}} {_word(f'^{host}(?::[0-9]+)?$')} [NC]"
    if way.regex not in (".*", "/(.*)") or not _is_whole(way):
        flag = " [NC]" if rule.ignore_case else ""
        yield f"RewriteCond {_SENT} {_word(f'^{way.regex}$')}{flag}"


def _is_whole(way: Way) -> bool:
    """Whether it matches every path and captures none that the Location uses."""
    return _used(way).isdisjoint(way.groups)


def _conditions(rule: Rule) -> Iterator[str]:
    """What stands in front: `%1` is of the condition that held last, which is the one on the path."""
    if rule.terms.methods is not None:
        yield f'RewriteCond expr "%{{REQUEST_METHOD}} in {{ {_strings(sorted(rule.terms.methods))} }}"'
    yield from (f'RewriteCond expr "{_expression(one)}"' for one in rule.terms.when)
    yield from (f'RewriteCond expr "!({_expression(one)})"' for one in rule.terms.unless)


def _strings(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)


def _expression(condition: Condition) -> str:
    """A condition in Apache's expressions, which capture nothing that `%1` would mean."""
    if isinstance(condition, ClientCondition):
        return " || ".join(f"-R '{network}'" for network in condition.networks)
    assert isinstance(condition, FieldCondition)
    if condition.of == "cookie":
        values = "[^;]*" if condition.values is None else "|".join(map(quoted, condition.values))
        return f"%{{HTTP:Cookie}} =~ m#(?:^|;)\\s*{quoted(condition.name)}=(?:{values})(?:;|$)#"
    if condition.values is None:
        return f"-n %{{HTTP:{condition.name}}}"
    return f"%{{HTTP:{condition.name}}} in {{ {_strings(condition.values)} }}"


def _fields(rule: Rule) -> Iterator[str]:
    """`Header` lines that set fields where the rule has answered; always: a redirect is no success."""
    named = [*rule.terms.headers]
    if rule.terms.cache is not None:
        named.append(("Cache-Control", f"max-age={rule.terms.cache}"))
    if rule.terms.retry_after is not None:
        named.append(("Retry-After", str(rule.terms.retry_after)))
    for name, value in named:
        yield f"Header always set {name} {_word(value.replace('%', '%%'))} env=BY_{_variable(rule)}\n"


def _variable(rule: Rule) -> str:
    return re.sub(r"\W", "_", rule.name).upper()


def _literal(text: str) -> str:
    """Text in a substitution: `$1` and `%1` would be captures."""
    return re.sub(r"[$%\\]", r"\\\g<0>", text)


def _word(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
