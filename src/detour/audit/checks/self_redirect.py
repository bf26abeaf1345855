"""self-redirect: Location is the URL that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.forwarded import asks_scheme
from detour.audit.hops import found, next_method, redirects, same_resource
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.matcher import is_self


def over_chain(chain: Chain) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for redirect in redirects(chain):
        request = redirect.request
        if not same_resource(request.url, redirect.location_url) or next_method(redirect) != request.method:
            continue  # POST answered with 303 to the same URL is how a form shows its result
        if redirect.response.values("set-cookie") or (request.method, str(request.url)) in seen:
            continue  # with a cookie: challenge-loop
        seen.add((request.method, str(request.url)))
        written = redirect.response.locations[0] if redirect.response.locations else ""
        how = "" if written.strip() else " (Location is empty)"
        yield found(CHECK, chain, redirect.hop, f"{request.url} is redirected to itself{how}")


def over_rule(place: Place) -> Iterator[Finding]:
    if place.location is None or place.scheme == "http" or not place.alive:
        return
    if asks_scheme(place.rule):
        return  # TLS ends in front: what arrives over https here does not exist
    request = place.request(place.urls[0])
    if request is None or not is_self(place.location, request) or place.rule.status == 303:
        return
    message = f"{place.urls[0]} is redirected to itself"
    yield at(CHECK, place, message, remedies.removed(place))


CHECK = Check(
    name="self-redirect",
    severity="error",
    finds="A redirect leads to the same URL with the same method, and sets no cookie.",
    why=(
        "Nothing changes, so the next answer is the same: clients send the request, content included, up "
        "to 21 times. Usually TLS ends in front of a server that redirects to https; or Location is "
        "empty."
    ),
    instead=(
        "Tell the server the scheme of the outside (trust the proxy's X-Forwarded-Proto), or speak https "
        "to it (Cloudflare: Full (strict) instead of Flexible); never send an empty Location."
    ),
    references=("RFC 9110 §15.4", "kubernetes/ingress-nginx#8303", "caddyserver/caddy#7260"),
    over_chain=over_chain,
    over_rule=over_rule,
)
