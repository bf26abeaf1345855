"""encoded-slash-location: %2F in the path of a Location."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place


def over_rule(place: Place) -> Iterator[Finding]:
    template = place.rule.template
    if template is None:
        return
    written = "".join(part for part in template.path if isinstance(part, str))
    if "%2f" in written.lower() or "%5c" in written.lower():
        found = next(one for one in ("%2F", "%2f", "%5C", "%5c") if one in written)
        remedy = remedies.replaced(place, found, "/", "Write the slash")
        message = f"an encoded slash in the path of the Location: {template.text}"
        yield at(CHECK, place, message, remedy)


CHECK = Check(
    name="encoded-slash-location",
    severity="warning",
    finds="The path of a Location holds %2F or %5C.",
    why=(
        "Apache answers 404 to it, nginx and many proxies decode it, and others do not: it leads to"
        " different places, or loops."
    ),
    instead="Write the slash, or put the value into the query.",
    references=("Apache: AllowEncodedSlashes", "RFC 3986 §2.2"),
    over_rule=over_rule,
)
