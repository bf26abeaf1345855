"""probe-redirect: the health check that a layer in front sends is redirected behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from detour.audit import edits, remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.message import Request
from detour.errors import URLError
from detour.formats.layer import Layer

HOST = (
    "192.0.2.1"  # a balancer names the server's address as the host, if any; this one is nobody's (RFC 5737)
)
_VALUE = r"[\"']?\s*[:=]\s*[\"']?(/[^\s\"',}]*)"
_ILL, _HEALTHY = "counts as ill", "counts as healthy, whatever runs there"


class Probe(msgspec.Struct, frozen=True):
    """How a configuration says what it asks to know whether a server is well, and what it makes of a 3xx."""

    path: re.Pattern[str]
    redirected: str  # "": nothing is wrong
    otherwise: re.Pattern[str]  # where it says so: the opposite
    opposite: str = ""


PROBES: dict[str, Probe] = {
    # AWS: HealthCheckPath; its Matcher is 200 unless told otherwise
    "alb": Probe(
        re.compile(rf"(?:HealthCheckPath|\bhealth_check\b[^}}]*?\bpath){_VALUE}"),
        _ILL,
        re.compile(r"(?:HttpCode|matcher)[\"']?\s*[:=]\s*[\"']?[\d,-]*(?:-3\d\d|30\d)"),
    ),
    # Caddy: reverse_proxy, health_uri; its health_status is 2xx
    "caddy": Probe(
        re.compile(r"\bhealth_(?:uri|path)\s+(/\S*)"), _ILL, re.compile(r"\bhealth_status\s+3|health_follow")
    ),
    # Envoy: HealthCheck.HttpHealthCheck; its expected_statuses are 200
    "envoy": Probe(
        re.compile(rf"http_health_check[^}}]*?\bpath{_VALUE}"), _ILL, re.compile(r"\bexpected_statuses\b")
    ),
    # HAProxy: option httpchk: 2xx and 3xx are valid
    "haproxy": Probe(
        re.compile(r"(?m)^\s*(?:option\s+httpchk\s+(?:[A-Z]+\s+)?|http-check\s+send\s[^\n]*\buri\s+)(/\S*)"),
        _HEALTHY,
        re.compile(r"(?m)^\s*http-check\s+expect\s"),
        _ILL,
    ),
    # Traefik: healthCheck: 2xx and 3xx; it follows unless followRedirects says otherwise
    "traefik": Probe(
        re.compile(rf"healthCheck[^}}]*?\bpath{_VALUE}"),
        "",
        re.compile(r"followRedirects[\"']?\s*[:=]\s*[\"']?false"),
        _HEALTHY,
    ),
}


def over_rule(place: Place) -> Iterator[Finding]:
    if place.rule.template is None:
        return
    layers = place.survey.layers
    for outer in layers[: layers.index(place.layer)]:
        made = _made(outer)
        for path in _probes(outer) if made else ():
            url = f"http://{HOST}{path}"
            if _answers(place, url):
                message = f"{outer.name} asks for {path}, is answered {place.rule.status}, which {made}"
                yield at(CHECK, place, message, _remedy(place, path), witness=f"GET {url}")


def _made(layer: Layer) -> str:
    """What the layer makes of a redirect; "" where nothing is wrong with it."""
    probe = PROBES.get(layer.dialect)
    if probe is None:
        return ""
    told = any(probe.otherwise.search(text) for text in layer.texts.values())
    return probe.opposite if told else probe.redirected


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
    return _written(PROBES[layer.dialect].path, "\n".join(layer.texts.values()))


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
        "traefik/traefik#5147",
        "dotnet/aspnetcore#25221",
    ),
    over_rule=over_rule,
)
