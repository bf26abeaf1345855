"""https-behind-tls: behind a layer that ends TLS, http is redirected to https, and arrives as http again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL
from detour.formats.layer import Layer

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
    "traefik": (re.compile(r"\btls\b|websecure"), re.compile(r"\burl\"?\s*[:=]\s*\"?http://")),
    "envoy": (re.compile(r"DownstreamTlsContext"), re.compile(r"\bclusters\b(?![\s\S]*UpstreamTlsContext)")),
    "gateway-api": (re.compile(r"mode:\s*Terminate|certificateRefs"), re.compile(r"\bbackendRefs\b")),
    "ingress": (re.compile(r"(?m)^\s*tls:"), re.compile(r"(?m)^\s*backend:(?![\s\S]*protocol: \"?HTTPS)")),
    "alb": (re.compile(r"Protocol\"?\s*[:=]\s*\"?HTTPS"), re.compile(r"Protocol\"?\s*[:=]\s*\"?HTTP\b")),
}


def over_rule(place: Place) -> Iterator[Finding]:
    rule, to = place.rule, place.location_url
    if to is None or to.scheme != "https" or rule.terms.when or rule.terms.unless:
        return  # a condition can ask what the layer in front said of the scheme
    asked = URL.parse(place.urls[0])
    if asked.scheme != "http" or (asked.hostname, asked.path) != (to.hostname, to.path):
        return
    layers = place.survey.layers
    outer = next((one for one in layers[: layers.index(place.layer)] if _ends_tls(one)), None)
    if outer is None:
        return
    url = f"https{place.urls[0].removeprefix('http')}"
    message = f"{outer.name} ends TLS and asks over http: {url} arrives here as http and is sent to itself"
    yield at(CHECK, place, message, witness=f"{place.method} {url}")


def _ends_tls(layer: Layer) -> bool:
    shows = SHOWS.get(layer.dialect)
    if shows is None:
        return False
    text = "\n".join(layer.texts.values())
    return all(form.search(text) is not None for form in shows)


CHECK = Check(
    name="https-behind-tls",
    severity="error",
    finds="A layer behind one that ends TLS, and asks it over http, redirects http to https.",
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
