"""unsupported-status: a status that this program does not send."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place

# What the program's own documentation lists; others are refused, or sent as something else.
STATUSES: dict[str, frozenset[int]] = {
    "alb": frozenset({301, 302}),  # RedirectActionConfig: HTTP_301, HTTP_302
    "cloudflare-bulk": frozenset({301, 302, 307, 308}),  # Bulk Redirects: parameters
    "cloudflare-pages": frozenset({301, 302, 303, 307, 308}),  # Pages: redirects
    "netlify": frozenset({301, 302, 303, 307, 308}),  # Redirect options: HTTP status codes
    "gateway-api": frozenset({301, 302, 303, 307, 308}),  # HTTPRequestRedirectFilter, v1.5
}


# nginx: `return` takes a URL with 301, 302, 303, 307 and 308, and the text of the content with all others.
_AS_TEXT = re.compile(r"\breturn\s+(30[04569])\s+(?:https?://|/|\$scheme)")


def over_rule(place: Place) -> Iterator[Finding]:
    sent = _AS_TEXT.search(place.text) if place.layer.dialect == "nginx" else None
    if sent is not None:
        message = f"nginx sends {sent[1]} with this URL as its content, and no Location"
        remedy = remedies.replaced(place, f"return {sent[1]}", "return 307", "Answer 307")
        yield at(CHECK, place, message, remedy)
        return
    known = STATUSES.get(place.layer.dialect)
    if place.rule.template is None or known is None or place.rule.status in known:
        return
    message = f"{place.layer.dialect} does not send {place.rule.status}"
    yield at(CHECK, place, message, remedies.status(place, 307 if 307 in known else 302))


CHECK = Check(
    name="unsupported-status",
    severity="error",
    finds="A rule asks for a status that the program does not send.",
    why="The file is refused, or the program sends another status, with another meaning for POST.",
    instead="Write a status that the program knows.",
    references=(
        "AWS: RedirectActionConfig",
        "nginx: return",
        "Cloudflare: Bulk Redirects",
        "Gateway API: HTTPRequestRedirectFilter",
    ),
    over_rule=over_rule,
)
