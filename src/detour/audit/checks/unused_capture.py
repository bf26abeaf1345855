"""unused-capture: a named part of the path that the Location does not use."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.pattern import Pattern


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if rule.template is None or all(slot.name.startswith("url.") for slot in rule.template.slots):
        return  # a Location without captures leads everything to one place, and means it
    named = {name for key in place.keys for name in key.names} or _groups(place)
    unused = sorted(named - {slot.name for slot in rule.template.slots} - _WHOLE)
    if unused and not any(slot.name.startswith("url.path") for slot in rule.template.slots):
        names = ", ".join(f":{name}" if not name.isdigit() else f"{{{name}}}" for name in unused)
        message = f"`{rule.pattern}` captures {names}, which its Location does not use"
        yield at(CHECK, place, message)


def _groups(place: Place) -> set[str]:
    """What an expression captures by name; unnamed groups of an import are `.` and ends without an anchor."""
    pattern = Pattern.parse(place.rule.pattern, ignore_case=place.rule.ignore_case)
    return {group.name for group in pattern.groups if group.component == "path" and not group.name.isdigit()}


_WHOLE = frozenset({"splat"})  # `*` is how a `_redirects` file says "and what is below"

CHECK = Check(
    name="unused-capture",
    severity="warning",
    finds="A pattern captures a part that its Location leaves out, though it uses others.",
    why=(
        "What differed in that part is now the same: many old URLs lead to one, or to a page that "
        "is not theirs."
    ),
    instead="Put the capture into the Location, or write `*` for a part that does not matter.",
    references=("URL Pattern, Netlify: placeholders",),
    over_rule=over_rule,
)
