"""decoded-path-location: the decoded path is written into a Location."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.pattern import Pattern
from detour.core.pattern_syntax import PartKind
from detour.errors import PatternError

# Where nginx writes `$uri`: in the URL of `return`, and in the replacement of `rewrite`. (HAProxy encodes
# what it writes into a Location, and so does nginx with what `rewrite` captures.)
_DECODED = re.compile(
    r"\b(?:return(?:\s+30[1-8])?|rewrite\s+\S+)\s+[^;]*?(\$(?:uri|document_uri)\b(?:\$is_args\$args)?)"
)
_ENDS = "%0d%0aX-Seen:%20yes"


def over_rule(place: Place) -> Iterator[Finding]:
    if place.layer.dialect != "nginx" or place.rule.template is None or not place.urls:
        return
    written = _DECODED.search(place.text)
    witness = place.urls[0].partition("?")[0] + _ENDS
    if written is not None:
        remedy = remedies.Remedy("")
        if "return" in written[0]:
            remedy = remedies.replaced(place, written[1], "$request_uri", "Write the path as it was sent")
        message = f"`{written[1]}` is the decoded path: what %0d%0a stands for ends the field"
        yield at(CHECK, place, message, remedy, witness=f"{place.method} {witness}")
    elif "return" in place.text and _holds_line_ends(place) and place.location_for(witness) is not None:
        words = "Leave line ends out of what is captured"
        message = "what `[^/]` captures is decoded: what %0d%0a stands for ends the field"
        remedy = remedies.replaced(place, "[^/]", r"[^/\r\n]", words)
        yield at(CHECK, place, message, remedy, witness=f"{place.method} {witness}")


def _holds_line_ends(place: Place) -> bool:
    """Whether the Location holds what `[^/]` captured of the decoded path: `.` stops at a line end."""
    if place.rule.template is None or any("$request_uri ~" in text for text in place.layer.texts.values()):
        return False
    try:
        parts = Pattern.parse(place.rule.pattern, ignore_case=place.rule.ignore_case).path.parts
    except PatternError:
        return False
    segments = {part.name for part in parts if part.kind is PartKind.SEGMENT}
    return any(slot.name in segments for slot in place.rule.template.slots)


CHECK = Check(
    name="decoded-path-location",
    severity="error",
    finds="A Location is made of the decoded path, so that %0d%0a in a URL is a line end in the answer.",
    why=(
        "Whoever writes the link writes fields, and then content, of the answer: cookies, another "
        "Location, a page."
    ),
    instead=(
        "Write the path as it was sent, `$request_uri` in nginx; or capture with `rewrite`, which encodes, "
        r"or with an expression that takes no line ends, `[^/\r\n]`."
    ),
    references=("CWE-113", "gixy: http_splitting", "nginx: $uri, $request_uri"),
    over_rule=over_rule,
)
