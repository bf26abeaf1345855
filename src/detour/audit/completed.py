"""Relative Locations that the program completes with the scheme, host and port it believes to have."""

from __future__ import annotations

import re

from detour.audit.survey import Place
from detour.core.url import URL

# By dialect: what in the file keeps a Location relative, or says the outer scheme and port.
_KEPT: dict[str, re.Pattern[str]] = {
    "nginx": re.compile(r"(?m)^[^#\n]*\babsolute_redirect\s+off"),  # ngx_http_core_module
    "apache": re.compile(r"(?mi)^\s*ServerName\s+https://"),  # ap_construct_url: UseCanonicalName, ServerName
}
_PORT_KEPT = re.compile(r"(?m)^[^#\n]*\bport_in_redirect\s+off")


def completed(place: Place) -> URL | None:
    """What becomes of a Location that is written without a host, where the program completes it; told of the
    first rule of a run of such."""
    kept = _KEPT.get(place.layer.dialect)
    if kept is None or not _is_relative(place, place.number) or _is_relative(place, place.number - 1):
        return None
    if not place.urls or any(kept.search(text) for text in place.layer.texts.values()):
        return None
    return place.location_url


def names_port(place: Place) -> bool:
    """Whether the port that it listens on goes with it."""
    return place.layer.dialect == "nginx" and not any(map(_PORT_KEPT.search, place.layer.texts.values()))


def _is_relative(place: Place, number: int) -> bool:
    if number < 0:
        return False
    template = place.rule.template if number == place.number else place.layer.ruleset.rules[number].template
    return template is not None and not template.authority
