"""The locations of an nginx server as a tree (ngx_http_core_module.c)."""

from __future__ import annotations

import re

import msgspec

from detour.formats.nginx.syntax import Directive


class Location(msgspec.Struct, frozen=True):
    directive: Directive
    modifier: str  # "", "=", "^~", "~", "~*", "@"
    text: str
    parents: tuple[Directive, ...] = ()
    children: tuple[Location, ...] = ()


def locations(block: Directive, parents: tuple[Directive, ...] = ()) -> tuple[Location, ...]:
    made = []
    for one in block.named("location"):
        modifier, text = modifier_of(one.args)
        if one.block is not None and text:
            made.append(Location(one, modifier, text, parents, locations(one, (*parents, one))))
    return tuple(made)


def modifier_of(args: tuple[str, ...]) -> tuple[str, str]:
    if len(args) > 1:
        return args[0], args[1]
    written = args[0] if args else ""
    found = re.match(r"=|\^~|~\*|~|@", written)
    if found is None:
        return "", written
    return found[0], written if found[0] == "@" else written[found.end() :]


def found_in(location: Location, uri: str) -> bool:
    try:
        flags = re.IGNORECASE if location.modifier == "~*" else 0
        return re.search(location.text.replace("(?<", "(?P<"), uri, flags) is not None
    except re.error:
        return False


def is_early(one: Location, prefixes: list[Location]) -> bool:
    """Whether expressions must be asked within it alone: a `^~`, or nested expressions, at it or above it."""
    return any(
        one.text.startswith(other.text)
        and (other.modifier == "^~" or any(child.modifier in ("~", "~*") for child in other.children))
        for other in prefixes
    )
