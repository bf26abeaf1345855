"""What a layer in front says of the scheme that the visitor asked with, and which rules ask for it."""

from __future__ import annotations

from detour.audit.survey import Place
from detour.core.message import Request
from detour.core.rule import FieldCondition, Rule
from detour.errors import URLError

# What proxies send of a request that came over TLS: (field, value).
OVER_TLS: tuple[tuple[str, str], ...] = (
    ("x-forwarded-proto", "https"),
    ("x-forwarded-scheme", "https"),
    ("x-scheme", "https"),
    ("x-forwarded-protocol", "https"),
    ("x-forwarded-ssl", "on"),
    ("front-end-https", "on"),
    ("x-forwarded-port", "443"),
    ("x-url-scheme", "https"),
    ("cf-visitor", '{"scheme":"https"}'),
    ("cloudfront-forwarded-proto", "https"),
    ("forwarded", "proto=https"),  # RFC 7239 §5.4
)
_NAMES = frozenset(name for name, _ in OVER_TLS)


def asks_scheme(rule: Rule) -> bool:
    """Whether a condition of the rule looks at what is said of the scheme."""
    conditions = (*rule.terms.when, *rule.terms.unless)
    return any(isinstance(one, FieldCondition) and one.name in _NAMES for one in conditions)


def answers_over_tls(place: Place, url: str) -> bool:
    """Whether the rule redirects `url` where the layer in front says that it was asked with https."""
    if asks_scheme(place.rule):
        return False
    headers, client = place.fields
    try:
        request = Request.of(place.method, url, (*headers, *OVER_TLS), client)
    except URLError:
        return False
    decision = place.layer.ruleset.decide(request, place.survey.now)
    return decision.location is not None and decision.rule == place.rule
