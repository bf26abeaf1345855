"""challenge-loop: the way is open only to clients that bring back a cookie."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import Redirect, found, redirects, same_resource
from detour.core.chain import Chain

# Cookies of protections that redirect to the same path with another query: beginning of the name, whose.
CHALLENGES: dict[str, str] = {"__ddg": "DDoS-Guard"}


def over_chain(chain: Chain) -> Iterator[Finding]:
    seen: set[str] = set()
    for redirect in redirects(chain):
        cookies = [value.partition("=")[0].strip() for value in redirect.response.values("set-cookie")]
        url = str(redirect.request.url)
        if url not in seen and cookies and _asks_again(redirect, cookies):
            seen.add(url)  # a client without a jar meets it again and again: once is enough
            message = f"the same URL is to be asked for again with the cookie {', '.join(cookies)}"
            yield found(CHECK, chain, redirect.hop, message)


def _asks_again(redirect: Redirect, cookies: list[str]) -> bool:
    before, after = redirect.request.url, redirect.location_url
    if same_resource(before, after):
        return True
    known = any(cookie.startswith(name) for cookie in cookies for name in CHALLENGES)
    return known and (before.origin, before.path) == (after.origin, after.path)


CHECK = Check(
    name="challenge-loop",
    severity="warning",
    finds="The redirect leads back to the same URL and sets a cookie that must come with the next request.",
    why=(
        "A client without a cookie jar goes round until its limit. Webhooks, health checks and API "
        "clients have none, and a POST that has to pass is sent at least twice."
    ),
    instead=(
        "Exempt the API's paths or callers from the protection; in the client, keep cookies between hops."
    ),
    references=("RFC 9110 §15.4", "arvancloud/ar-ipwhitelist#6", "calibrain/shelfmark#1209"),
    over_chain=over_chain,
)
