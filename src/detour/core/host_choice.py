"""What a template may do with what a pattern leaves open: who chooses the host."""

from __future__ import annotations

from detour.core.pattern import Pattern
from detour.core.pattern_syntax import Part, PartKind
from detour.core.template import Slot, Template
from detour.errors import TemplateError

_HOSTNAME = Slot("url.hostname", "authority")
_SAME_HOST: tuple[tuple[str | Slot, ...], ...] = (
    (_HOSTNAME,),
    (_HOSTNAME, ":", Slot("url.port", "authority")),
)


def check_host_choice(template: Template, pattern: Pattern) -> None:
    """Refuse a Location whose host whoever sends the request chooses; raises `TemplateError`.

    `{url.hostname}` is the Host field: it needs a pattern that fixes the host (or the domain it is
    in), a change of the scheme alone, or `location_hosts`.
    """
    reflects = any(isinstance(part, Slot) and part.name == "url.hostname" for part in template.authority)
    if not reflects or template.hosts or _fixes_host(pattern) or _changes_scheme_only(template, pattern):
        return
    raise TemplateError(
        "{url.hostname} is whatever the request's Host says, and the pattern fits any host",
        "write the host in the pattern (//example.com/…), or list location_hosts",
    )


def _fixes_host(pattern: Pattern) -> bool:
    """Whether every host the pattern fits is the one it names, or lies below one that it names.

    `*.example.com` and `{*.}?example.com` do, `*example.com` also fits evilexample.com.
    """
    host = pattern.hostname
    if host.literal is not None:
        return True
    *before, last = host.parts
    if last.kind is not PartKind.FIXED or last.modifier or "." not in last.value.strip("."):
        return False
    return last.value.startswith(".") or all(_ends_a_label(part) for part in before)


def _ends_a_label(part: Part) -> bool:
    return (part.value if part.kind is PartKind.FIXED else part.suffix).endswith(".")


def _changes_scheme_only(template: Template, pattern: Pattern) -> bool:
    if template.authority not in _SAME_HOST:
        return False
    if len(template.path) == 1 and isinstance(template.path[0], Slot):
        return template.path[0].name == "url.path"
    kinds = [(part.kind, part.modifier) for part in pattern.path.parts]
    whole_path = pattern.path.prefix == "/" and kinds == [(PartKind.WILDCARD, "")]
    names = [group.name for group in pattern.groups if group.component == "path"]
    return (
        whole_path
        and template.path[:1] == ("/",)
        and template.path[1:] == tuple(Slot(name, "path") for name in names)
    )
