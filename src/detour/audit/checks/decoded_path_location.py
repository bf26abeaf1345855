"""decoded-path-location: the decoded path is written into a Location."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place

# What a line says where it writes the path as it was decoded, by dialect.
_DECODED: dict[str, re.Pattern[str]] = {
    "nginx": re.compile(r"\breturn\s+30[1-8]\s+[^;]*(\$(?:uri|document_uri)\b(?:\$is_args\$args)?)"),
    "haproxy": re.compile(r"redirect\s+(?:location|prefix)\s+\S*(,url_dec(?:\(\d\))?)"),
}
# What to write in its place: nginx's `$request_uri` has the query, too.
_RAW = {"nginx": "$request_uri", "haproxy": ""}


def over_rule(place: Place) -> Iterator[Finding]:
    form = _DECODED.get(place.layer.dialect)
    found = form.search(place.text) if form is not None and place.rule.template is not None else None
    if found is None or not place.urls:
        return
    written, raw = found[1], _RAW[place.layer.dialect]
    message = f"`{written}` is the decoded path: what %0d%0a stands for ends the field"
    remedy = remedies.replaced(place, written, raw, "Write the path as it was sent")
    url = place.urls[0].partition("?")[0]
    yield at(CHECK, place, message, remedy, witness=f"{place.method} {url}%0d%0aX-Seen:%20yes")


CHECK = Check(
    name="decoded-path-location",
    severity="error",
    finds="A Location is made of the decoded path, so that %0d%0a in a URL is a line end in the answer.",
    why=(
        "Whoever writes the link writes fields, and then content, of the answer: cookies, another "
        "Location, a page."
    ),
    instead="Write the path as it was sent: `$request_uri` in nginx, `path` without `url_dec` in HAProxy.",
    references=("CWE-113", "gixy: http_splitting", "nginx: $uri, $request_uri", "HAProxy: url_dec"),
    over_rule=over_rule,
)
