"""scheme-downgrade: from https to http."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.hops import Redirect, found, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.url import URL


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        if (redirect.request.url.scheme, redirect.location_url.scheme) == ("https", "http"):
            yield found(CHECK, chain, redirect.hop, _message(redirect))


def _message(redirect: Redirect) -> str:
    after = redirect.after
    clear = "; its content went out in clear" if after is not None and after.content != "none" else ""
    return f"{redirect.request.url} is redirected to {redirect.location_url}: from https to http{clear}"


def over_rule(place: Place) -> Iterator[Finding]:
    template = place.rule.template
    if template is None or template.scheme != "http" or place.scheme == "http":
        return
    to = place.location_url
    if (
        to is None
        or not place.urls[0].startswith("https:")
        or to.hostname == URL.parse(place.urls[0]).hostname
    ):
        return  # absolute-redirect-behind-tls says it
    message = f"{place.urls[0]} is redirected to {to}: from https to http"
    yield at(CHECK, place, message, remedies.https(place))


CHECK = Check(
    name="scheme-downgrade",
    severity="error",
    finds="An https URL is redirected to http.",
    why=(
        "Whoever is on the way reads and changes what follows; browsers block it as mixed content, and "
        "clients drop Authorization. Mostly nobody meant it: the application does not know that TLS ended"
        " in front of it."
    ),
    instead=(
        "Send a relative Location, or make the application trust the proxy that ends TLS: "
        "`proxy_set_header X-Forwarded-Proto $scheme;` in nginx and `--forwarded-allow-ips` in uvicorn."
    ),
    references=("RFC 9110 §4.2.2", "BerriAI/litellm#34845", "Kludex/starlette#2748"),
    over_chain=over_chain,
    over_rule=over_rule,
)
