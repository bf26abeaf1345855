"""implicit-slash: the server redirects though nobody wrote it."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import edits, remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL


def over_rule(place: Place) -> Iterator[Finding]:
    reason = place.layer.implicit.get(place.rule.span)
    if reason is None or place.rule.template is None:
        return
    severity = "warning" if place.rule.status in (301, 302) else "note"
    message = f"{place.rule.status} that nobody wrote: {reason}"
    yield at(CHECK, place, message, _remedy(place), severity=severity)  # type: ignore[arg-type]


def _remedy(place: Place) -> remedies.Remedy:
    """nginx: an exact location of the same URL; what others add by themselves is no line of a file."""
    if place.layer.dialect != "nginx" or not place.text.startswith("location") or not place.urls:
        return remedies.Remedy("")
    path = URL.parse(place.urls[0]).path
    line = f"location = {path} {{ return 308 {path}/$is_args$args; }}"
    return remedies.Remedy("Write it yourself, so that every method is kept", edits.before(place, line))


CHECK = Check(
    name="implicit-slash",
    severity="warning",
    finds="The server redirects by itself: a directory or a prefix without its slash, or http to https.",
    why=(
        "It is mostly a 301, so that a POST without the slash becomes a GET; its Location is made "
        "of what the server believes its name and port to be."
    ),
    instead=(
        "Write the redirect yourself with 308, or both URLs; in nginx, `absolute_redirect off` "
        "keeps scheme and port out of it."
    ),
    references=("nginx: location", "Apache: DirectorySlash", "RFC 9110 §15.4.2"),
    over_rule=over_rule,
)
