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
    where = "".join(f"{line}\n" for line in _where(way, rule))
    conditions = "".join(f"{line}\n" for line in _conditions(rule))
    if rule.template is None:
        return f"# {rule.name}\n{conditions}{where}RewriteRule ^ - [L,R={rule.status}]\n", where
    slots = _slots(way)
    if isinstance(slots, Cannot):
        return slots
    location = spell(rule.template, _literal, slots)
    if isinstance(location, Slot):
        return Cannot(f"{{{location.name}}} in the Location")
    if _from_host(way):  # `%1` is of the condition that held last
        where_captured = f"{where}RewriteCond %{{SERVER_NAME}} {_word(f'^{way.host_regex}$')} [NC]\n"
    else:
        where_captured = where
    by = f",E=BY_{_variable(rule)}:1" if any(_fields(rule)) else ""
    rules = "".join(
        f"{asked}{conditions}{where_captured}RewriteRule ^ {_word(target)} [L,NE,R={rule.status}{flag}{by}]\n"
        for asked, target, flag in _with_query(rule, location)
    )
    return f"# {rule.name}\n{rules}", where


def _with_query(rule: Rule, location: str) -> Iterator[tuple[str, str, str]]:
    """Conditions on the query, the Location with what it needs of it, and the flag that says the rest.

    Apache adds the request's query behind a fragment, so there it is written out, where there is one.
    """
    before, mark, fragment = location.partition("#")
    if not keeps_query(rule):
        yield "", location, "" if "?" in before else ",QSD"
    elif mark:
        between = "&" if "?" in before else "?"
        yield "RewriteCond %{QUERY_STRING} .\n", f"{before}{between}%{{QUERY_STRING}}#{fragment}", ""
        yield "", location, ""
    else:
        yield "", location, ",QSA" if "?" in before else ""


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
