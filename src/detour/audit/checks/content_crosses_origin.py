"""content-crosses-origin: what was meant for one origin is sent to another."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.checks.method_loss import WRITTEN_TO
from detour.audit.finding import Check, Finding
from detour.audit.hops import Redirect, crosses_origin, found, next_method, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.url import URL


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        before, after = redirect.request.url, redirect.location_url
        if not crosses_origin(before, after) or redirect.request.content == "none":
            continue
        if redirect.after is not None and redirect.after.content != "none":
            yield found(CHECK, chain, redirect.hop, f"content for {before.origin} was sent to {after.origin}")
        elif _would_be_sent(chain, redirect):
            message = f"content for {before.origin} would be sent to {after.origin} by clients that follow"
            yield found(CHECK, chain, redirect.hop, message)


def _would_be_sent(chain: Chain, redirect: Redirect) -> bool:
    """307 and 308 keep the content; so do 301 and 302 of all but POST (Fetch §4.4 step 12)."""
    keeps = redirect.response.status != 303 and next_method(redirect) == redirect.request.method
    return redirect.after is None and keeps and chain.end.name != "not-replayable"


def over_rule(place: Place) -> Iterator[Finding]:
    """A note: another site can be meant, and mostly is where an API has moved."""
    rule, to = place.rule, place.location_url
    if rule.status not in (307, 308) or to is None or rule.template is None or not rule.template.authority:
        return
    written = place.writes or (rule.terms.methods is None and WRITTEN_TO.search(rule.pattern))
    asked = URL.parse(place.urls[0])
    if written and _site(asked) != _site(to):
        witness = f"{place.writes[0] if place.writes else 'POST'} {asked}"
        message = f"{witness} is sent again, content and all, to {to.origin}"
        yield at(CHECK, place, message, severity="note", witness=witness, confidence="suggests")


def _site(url: URL) -> tuple[str, ...]:
    """The last two labels of the host: coarser than a site, so that two hosts of one owner are the same."""
    return tuple(url.hostname.rsplit(".", 2)[-2:])


CHECK = Check(
    name="content-crosses-origin",
    severity="warning",
    finds=(
        "A redirect that keeps the content leads to another origin, which then receives it; a note in rules."
    ),
    why=(
        "307 and 308 make clients send the content again to wherever Location points. No client asks "
        "first, and none looks for passwords or tokens in it: whoever owns the other origin can read "
        "them."
    ),
    instead=(
        "Redirect within the origin and forward on the server's side, or answer 303 where the content has"
        " been dealt with; if the other origin is meant, allow this finding."
    ),
    references=("RFC 9110 §15.4.8", "RFC 9110 §15.4.9", "RFC 9700 §4.12", "Fetch §4.4"),
    over_chain=over_chain,
    over_rule=over_rule,
)
