"""mod_proxy: what it answers, it hides from mod_alias (mod_proxy.c: its translation comes first)."""

from __future__ import annotations

from collections.abc import Iterator

from detour.formats.apache.context import Context, Outcome, Refused, segments
from detour.formats.apache.syntax import Directive
from detour.formats.demand import Demand, Text, excluded
from detour.formats.demand import both as joined
from detour.formats.regex import expression

NAMES = ("proxypass", "proxypassmatch")


def proxied(directives: list[Directive], context: Context) -> Iterator[Outcome]:
    """What is handed on, in order; what `ProxyPass /path !` takes out is taken out of what follows."""
    kept: list[Text] = []
    for one in directives:
        if one.name not in NAMES or len(one.args) < 2:
            continue
        try:
            yield from list(_proxied(one, context, kept))
        except Refused as error:
            yield context.fault(one, f"whether it hides the redirects behind it: {error.fact}", error.remedy)


def hands_all_on(one: Directive) -> bool:
    """Whether every request is handed on."""
    every = {"proxypass": ("/",), "proxypassmatch": ("(.*)", "^(.*)$", "^/(.*)$", "^")}.get(one.name, ())
    return len(one.args) > 1 and one.args[0] in every and one.args[1] != "!"


def _proxied(one: Directive, context: Context, kept: list[Text]) -> Iterator[Outcome]:
    written, to = one.args[:2]
    if one.name == "proxypassmatch":
        if to != "!":
            found = expression(written, used=())
            yield from context.passes(one, Demand(), 404, found.pattern, found.ignore_case)
        return
    if to == "!":
        kept.extend(segments(written))
        return
    for text in segments(written):
        within = [other for other in kept if other.text.startswith(text.text)]
        demand: Demand | None = Demand(path=text)
        if within and demand is not None:
            demand = joined(demand, Demand(path=excluded(within)))
        if demand is not None:
            yield from context.passes(one, demand, 404)
