"""scheme-downgrade: from https to http."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import Redirect, found, redirects
from detour.core.chain import Chain


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        if (redirect.request.url.scheme, redirect.location_url.scheme) == ("https", "http"):
            yield found(CHECK, chain, redirect.hop, _message(redirect))


def _message(redirect: Redirect) -> str:
    after = redirect.after
    clear = "; its content went out in clear" if after is not None and after.content != "none" else ""
    return f"{redirect.request.url} is redirected to {redirect.location_url}: from https to http{clear}"


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
)
