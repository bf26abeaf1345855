"""auth-stripped: Authorization was needed after the redirect, and did not arrive."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.checks.two_auth import is_signed
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.core.chain import Chain
from detour.core.url import URL


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        after = redirect.after
        if after is None or not redirect.request.values("authorization") or after.values("authorization"):
            continue
        if is_signed(after.url):
            continue  # such a URL is its own credential: dropping the other one is right
        refused = _status_after(chain, redirect.hop) in (401, 403)
        answer = f", which answered {_status_after(chain, redirect.hop)}" if refused else ""
        changed = _changed(redirect.request.url, after.url)
        message = f"Authorization was dropped on the way to {after.url.origin}{answer} ({changed})"
        yield found(CHECK, chain, redirect.hop, message, severity="warning" if refused else "note")


def _status_after(chain: Chain, hop: int) -> int:
    response = chain.hops[hop + 1].response
    return response.status if response else 0


def _changed(before: URL, after: URL) -> str:
    parts = {
        "scheme": (before.scheme, after.scheme),
        "host": (before.hostname, after.hostname),
        "port": (before.port, after.port),
    }
    changed = [
        f"{name} {old or 'default'} → {new or 'default'}" for name, (old, new) in parts.items() if old != new
    ]
    return ", ".join(changed) or "same origin: this client drops it always"


CHECK = Check(
    name="auth-stripped",
    severity="warning",
    finds=(
        "The client dropped Authorization because the redirect left the origin; a note unless 401 or 403 "
        "followed."
    ),
    why=(
        "Clients drop Authorization when scheme, host or port change, some at every redirect. A redirect "
        "from http to https, or to another port of the same host, turns a good login into a 401."
    ),
    instead=(
        "Give callers the final URL; keep scheme, host and port in the Location; or put a short-lived "
        "signature into the Location instead of relying on Authorization."
    ),
    references=("Fetch §4.4", "RFC 9110 §15.4", "BerriAI/litellm#34845", "apache/pulsar#25546"),
    over_chain=over_chain,
)
