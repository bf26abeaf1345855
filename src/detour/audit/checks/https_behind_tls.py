"""https-behind-tls: behind a layer that ends TLS, http is redirected to https, and arrives as http again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from detour.audit.finding import Check, Finding
from detour.audit.forwarded import answers_over_tls
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.message import Request
from detour.core.url import URL
from detour.formats.layer import Layer

_FLEXIBLE = re.compile(r"(?i)\"(?:ssl|value)\"\s*:\s*\"flexible\"")
# What shows that a configuration ends TLS, and that it asks the next server without: by dialect.
SHOWS: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "nginx": (re.compile(r"\blisten\s[^;]*\bssl\b"), re.compile(r"\bproxy_pass\s+http://")),
    "apache": (re.compile(r"(?im)^\s*SSLEngine\s+on"), re.compile(r"(?im)^\s*ProxyPass\S*\s.*\bhttp://")),
    "haproxy": (
        re.compile(r"(?m)^\s*bind\s[^\n]*\bssl\b"),
        re.compile(r"(?m)^\s*server\s(?![^\n]*\sssl\b)"),
    ),
    "caddy": (
        re.compile(r"(?m)^\s*(?:https://)?(?!http://)[\w.-]+\.\w+[^\n]*\{|\btls\b"),
        re.compile(r"\breverse_proxy\s+(?!https://)"),
    ),
    "traefik": (re.compile(r"\btls\b|websecure"), re.compile(r"\burl[\"']?\s*[:=]\s*[\"']?http://")),
    "envoy": (re.compile(r"DownstreamTlsContext"), re.compile(r"\bclusters\b(?![\s\S]*UpstreamTlsContext)")),
    "gateway-api": (re.compile(r"mode:\s*Terminate|certificateRefs"), re.compile(r"\bbackendRefs\b")),
    "ingress": (re.compile(r"(?m)^\s*tls:"), re.compile(r"(?m)^\s*backend:(?![\s\S]*protocol: \"?HTTPS)")),
    "alb": (
        re.compile(r"Protocol\"?\s*[:=]\s*\"?HTTPS|\bprotocol\"?\s*[:=]\s*\"HTTPS"),
        re.compile(r"(?i)target_?group\b[\s\S]{0,800}?(?<!check)(?<!check_)protocol\"?\s*[:=]\s*\"?HTTP\b"),
    ),
    # Cloudflare: the zone's setting, or a rule's (set_config); Flexible asks the origin over http
    "cloudflare-rules": (_FLEXIBLE, _FLEXIBLE),
}
# Programs that can believe X-Forwarded-Proto without a word of it in the redirect.
_BELIEVE = frozenset({"traefik", "envoy", "ingress", "istio", "gateway-api"})
_TRUSTS = re.compile(r"use-(?:forwarded-headers|proxy-protocol)\"?:\s*\"?true")  # ingress-nginx: ConfigMap


def over_rule(place: Place) -> Iterator[Finding]:
    rule, to = place.rule, place.location_url
    if to is None or to.scheme != "https" or rule.terms.when or rule.terms.unless:
        return  # not every request
    asked = URL.parse(place.urls[0])
    if asked.scheme != "http" or (asked.hostname, asked.path) != (to.hostname, to.path):
        return
    outer = outer_tls(place)
    url = f"https{place.urls[0].removeprefix('http')}"
    if outer is not None and not _redirected_in_front(place, url):
        if not answers_over_tls(place, str(asked)):
            return  # another rule asks what the layer in front says of the scheme
        message = (
            f"{outer.name} ends TLS and asks over http: {url} arrives here as http and is sent to itself"
        )
        believes = place.layer.dialect in _BELIEVE
        sure: Literal["is", "suggests"] = "suggests" if believes else "is"
        yield at(CHECK, place, message, witness=f"{place.method} {url}", confidence=sure)
    elif _forced_without_certificate(place):
        message = (
            f"no certificate is named for {asked.hostname}: where TLS ends in front, {url} is sent to itself"
        )
        yield at(
            CHECK, place, message, witness=f"{place.method} {url}", severity="note", confidence="suggests"
        )


def _redirected_in_front(place: Place, url: str) -> bool:
    """Whether the request does not come this far."""
    layers = place.survey.layers
    request = Request.of(place.method, url)
    found = (one.ruleset.decide(request, place.survey.now) for one in layers[: layers.index(place.layer)])
    return any(decision.location is not None for decision in found)


def outer_tls(place: Place) -> Layer | None:
    """The layer in front that ends TLS and asks the next one over http."""
    layers = place.survey.layers
    return next((one for one in layers[: layers.index(place.layer)] if _ends_tls(one)), None)


def _ends_tls(layer: Layer) -> bool:
    shows = SHOWS.get(layer.dialect)
    return shows is not None and _all_found(shows, tuple(layer.texts.values()), layer.comment)


@lru_cache(maxsize=16)
def _all_found(shows: tuple[re.Pattern[str], ...], texts: tuple[str, ...], comment: str) -> bool:
    lines = (line for text in texts for line in text.splitlines())
    said = "\n".join(line for line in lines if not comment or not line.lstrip().startswith(comment))
    return all(form.search(said) is not None for form in shows)


def _forced_without_certificate(place: Place) -> bool:
    """ingress-nginx, told to force https for a host of which it has no certificate."""
    if place.layer.dialect != "ingress" or "force-ssl-redirect" not in place.text:
        return False
    text = "\n".join(place.layer.texts.values())
    return re.search(r"(?m)^\s*tls:", text) is None and _TRUSTS.search(text) is None


CHECK = Check(
    name="https-behind-tls",
    severity="error",
    finds=(
        "A layer behind one that ends TLS, and asks it over http, redirects http to https; a note where "
        "ingress-nginx forces https without a certificate."
    ),
    why=(
        "Every request arrives as http, whatever the visitor asked: each https URL is redirected to itself, "
        "and nobody gets in."
    ),
    instead=(
        "Redirect to https where TLS ends, and not behind it; or speak https to this layer (Cloudflare: "
        "Full instead of Flexible); or ask for X-Forwarded-Proto of a trusted proxy instead of the scheme "
        "(ingress-nginx: use-forwarded-headers)."
    ),
    references=(
        "kubernetes/ingress-nginx#1957",
        "kubernetes/ingress-nginx#8303",
        "caddyserver/caddy#7260",
        "Cloudflare: SSL/TLS encryption modes",
    ),
    over_rule=over_rule,
)
