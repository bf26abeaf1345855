"""absolute-redirect-behind-tls: http is written into a Location of the host's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import edits, remedies
from detour.audit.checks.https_behind_tls import outer_tls
from detour.audit.completed import completed
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL
from detour.formats.layer import Layer


def over_rule(place: Place) -> Iterator[Finding]:
    yield from _completed(place)
    template = place.rule.template
    if template is None or template.scheme != "http" or place.scheme == "http" or not place.urls:
        return
    if not place.urls[0].startswith("https:"):
        return
    to, asked = place.location_url, URL.parse(place.urls[0])
    if to is not None and to.hostname == asked.hostname and to.path != asked.path:
        message = f"{asked} is redirected to {to}: http is written out, and TLS may end in front of it"
        yield at(CHECK, place, message, remedies.https(place))


def _completed(place: Place) -> Iterator[Finding]:
    """A Location that is made absolute, or written so, behind a layer that ends TLS and asks over http."""
    to = completed(place) or _written(place)
    outer = None if to is None or to.scheme != "http" else outer_tls(place)
    if to is None or outer is None or _mends(outer):
        return
    message = f"{outer.name} ends TLS and asks over http: the Location is {to}"
    remedy = remedies.Remedy("Keep it relative")
    if "http://" in place.text:
        remedy = remedies.https(place)
    elif place.layer.dialect == "nginx":
        remedy = remedies.Remedy("Keep it relative", edits.before(place, "absolute_redirect off;"))
    yield at(CHECK, place, message, remedy, severity="warning", confidence="suggests")


# What makes a layer in front mend such a Location, by dialect.
_MENDS: dict[str, re.Pattern[str]] = {
    "nginx": re.compile(r"\A(?![\s\S]*proxy_set_header\s+Host)|\bproxy_redirect\s+(?!off|default)"),
    "apache": re.compile(r"(?i)\bProxyPassReverse\b"),  # needs the name that was asked for: mostly given
    "haproxy": re.compile(r"\b(?:replace-header|set-header)\s+Location\b"),
    "caddy": re.compile(r"\bheader_down\s+\S*Location\b"),
}


def _mends(outer: Layer) -> bool:
    form = _MENDS.get(outer.dialect)
    return form is not None and form.search("\n".join(outer.texts.values())) is not None


def _written(place: Place) -> URL | None:
    """A Location that says http and the host that was asked over http."""
    template, to = place.rule.template, place.location_url
    if template is None or template.scheme != "http" or to is None:
        return None
    return to if to.hostname == URL.parse(place.urls[0]).hostname else None


CHECK = Check(
    name="absolute-redirect-behind-tls",
    severity="error",
    finds=(
        "A Location that stays on the host is absolute and says http; a warning where it does so, or the "
        "program makes a relative one so, behind a layer that ends TLS."
    ),
    why=(
        "Behind a proxy that ends TLS the visitor is led out of it; the edge sends them back, or "
        "the browser blocks it."
    ),
    instead="Write a relative Location, or https; in nginx, `absolute_redirect off`.",
    references=("nginx: absolute_redirect", "Apache: UseCanonicalName", "BerriAI/litellm#34845"),
    over_rule=over_rule,
)
