"""custom-header-crossed: a field that carries a secret reaches another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Check, Finding, Severity
from detour.audit.hops import Redirect, crosses_origin, found, redirects
from detour.core.chain import CREDENTIAL_FIELDS, Chain

# Names by which APIs take secrets: X-Api-Key, X-Vault-Token, Mcp-Session-Id, X-Amz-Security-Token, X-Auth,
# Ocp-Apim-Subscription-Key, DD-Application-Key, …; an Idempotency-Key or a Sec-WebSocket-Key is none.
# RFC 6265's Cookie and RFC 9110's Authorization are in CREDENTIAL_FIELDS.
_SECRET = re.compile(
    r"(.*-)?((api|access|app|application|functions|private|secret|subscription)-?key"
    r"|auth|token|secret|password|session|session-?id|credentials?)"
)


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        if not crosses_origin(redirect.request.url, redirect.location_url):
            continue
        for name, value in dict.fromkeys(redirect.request.fields):
            if _crossed(redirect, name, value):
                yield found(CHECK, chain, redirect.hop, _message(redirect, name), severity=_severity(name))


def _crossed(redirect: Redirect, name: str, value: str) -> bool:
    if name.lower() == "cookie" and redirect.request.url.hostname == redirect.location_url.hostname:
        return False  # ports and schemes do not part cookies (RFC 6265 §8.5)
    if redirect.after is None:  # clients differ on credentials; a name they do not know, all of them forward
        return _SECRET.fullmatch(name.lower()) is not None
    if value not in redirect.after.values(name.lower()):
        return False
    return name.lower() in CREDENTIAL_FIELDS or _SECRET.fullmatch(name.lower()) is not None


def _message(redirect: Redirect, name: str) -> str:
    sent = "was sent" if redirect.after is not None else "would be sent"
    return f"{name} for {redirect.request.url.origin} {sent} to {redirect.location_url.origin}"


def _severity(name: str) -> Severity:
    return "error" if name.lower() in CREDENTIAL_FIELDS else "warning"


CHECK = Check(
    name="custom-header-crossed",
    severity="warning",
    finds="A field that carries a secret (an API key, a token, a session) is sent on to another origin.",
    why=(
        "Clients remove Authorization and Cookie at a change of origin because they know these names. "
        "They cannot know X-Api-Key: all of 18 clients that were measured forward it to whoever Location "
        "names."
    ),
    instead=(
        "Keep redirects of authenticated resources within the origin; send secrets in Authorization; in "
        "the client, follow by hand or list the field as sensitive where the library can."
    ),
    references=("RFC 9110 §15.4", "RFC 9110 §17.16", "GHSA-r4q5-vmmm-2653", "Fetch §4.4"),
    over_chain=over_chain,
)
