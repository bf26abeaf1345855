"""probe-redirect: the health check that a layer in front sends is redirected behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from detour.audit import edits, remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.message import Request
from detour.core.url import URL
from detour.errors import URLError
from detour.formats.layer import Layer

_VALUE = r"[\"']?\s*[:=]\s*[\"']?(/[^\s\"',}]*)"
_HEALTHY, _ILL = "counts as healthy, whatever runs there", "counts as ill"
# The path that a configuration asks to know whether a server is well, and what it makes of a 3xx, by dialect.
PROBES: dict[str, tuple[re.Pattern[str], str]] = {
    # AWS: HealthCheckPath; its Matcher is 200 unless told otherwise
    "alb": (re.compile(rf"(?:HealthCheckPath|\bhealth_check\b[^}}]*?\bpath){_VALUE}"), _ILL),
    # Caddy: reverse_proxy, health_uri; its health_status is 2xx
    "caddy": (re.compile(r"\bhealth_(?:uri|path)\s+(/\S*)"), _ILL),
    # Envoy: HealthCheck.HttpHealthCheck; its expected_statuses are 200
    "envoy": (re.compile(rf"http_health_check[^}}]*?\bpath{_VALUE}"), _ILL),
    # HAProxy: option httpchk: 2xx and 3xx are valid
    "haproxy": (
        re.compile(r"(?m)^\s*(?:option\s+httpchk\s+(?:[A-Z]+\s+)?|http-check\s+send\s[^\n]*\buri\s+)(/\S*)"),
        _HEALTHY,
    ),
    # Traefik: healthCheck: 2xx and 3xx
    "traefik": (re.compile(rf"healthCheck[^}}]*?\bpath{_VALUE}"), _HEALTHY),
}


def over_rule(place: Place) -> Iterator[Finding]:
    if place.rule.template is None or not place.urls:
        return
    layers = place.survey.layers
    host = URL.parse(place.urls[0]).authority
    for outer in layers[: layers.index(place.layer)]:
        for path in _probes(outer):
            url = f"http://{host}{path}"
            if _answers(place, url):
                made = PROBES[outer.dialect][1]
                message = f"{outer.name} asks for {path}, is answered {place.rule.status}, which {made}"
                yield at(CHECK, place, message, _remedy(place, path), witness=f"GET {url}")


def _remedy(place: Place, path: str) -> remedies.Remedy:
    words = "Let the check pass ahead of it"
    if place.layer.dialect == "haproxy":
        return remedies.passing(place, path, "health", words)
    if place.layer.dialect == "nginx" and place.text.startswith("location"):
        return remedies.Remedy(words, edits.before(place, f"location = {path} {{ return 200; }}"))
    return remedies.Remedy("")


def _answers(place: Place, url: str) -> bool:
    """Whether the rule redirects what no visitor, and so no proxy, says anything of."""
    try:
        decision = place.layer.ruleset.decide(Request.of("GET", url), place.survey.now)
    except URLError:
        return False
    return decision.location is not None and decision.rule == place.rule


def _probes(layer: Layer) -> tuple[str, ...]:
    form = PROBES.get(layer.dialect)
    return () if form is None else _written(form[0], "\n".join(layer.texts.values()))


@lru_cache(maxsize=16)
def _written(form: re.Pattern[str], text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found[1] for found in form.finditer(text)))


CHECK = Check(
    name="probe-redirect",
    severity="warning",
    finds="The health check that one layer is configured with is redirected by a layer behind it.",
    why=(
        "A check comes from the balancer itself, over http and without X-Forwarded-Proto: what sends "
        "visitors to https sends it there, too. A server that is well is taken out, or one whose "
        "application is dead stays in."
    ),
    instead="Answer that path without a redirect, ahead of the others; or let the check ask over https.",
    references=(
        "AWS ALB: health checks for target groups",
        "HAProxy: option httpchk",
        "Envoy: HttpHealthCheck",
        "Traefik: healthCheck",
        "dotnet/aspnetcore#25221",
    ),
    over_rule=over_rule,
)
