"""credential-307: what is typed into a login form is sent on to another host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL

_WORD = re.compile(
    r"(?:^|[/_-])(?:log-?in|sign-?in|auth|oauth2?|token|session|password|passwd|sso)(?:$|[/_.{\\?-])", re.I
)


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if rule.status not in (307, 308) or rule.template is None or not rule.template.authority:
        return
    if not _WORD.search(rule.pattern) or not rule.terms.allows("POST"):
        return
    to = place.location_url
    if to is not None and to.hostname != URL.parse(place.urls[0]).hostname:
        message = f"{rule.status} sends the content of a login, password or token, to {to.origin}"
        yield at(CHECK, place, message, remedies.status(place, 303), witness=f"POST {place.urls[0]}")


CHECK = Check(
    name="credential-307",
    severity="warning",
    finds="A 307 or 308 sends what was posted to a login, token or password URL to another host.",
    why=(
        "The content is sent again, whole: a password typed for one host arrives at another, and no"
        " browser asks."
    ),
    instead="Answer 303, so that the form is asked for anew there; or change the form's action.",
    references=("RFC 9110 §17.9", "IETF OAuth 2.0 BCP §4.12"),
    over_rule=over_rule,
)
