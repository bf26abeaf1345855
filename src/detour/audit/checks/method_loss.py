"""method-loss: a redirect that turns the method into another one, and drops the content with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, next_method, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain

# What says the same for as long, and keeps the method (RFC 9110 §15.4.8, §15.4.9).
_KEEPING = {301: 308, 302: 307}


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        status, before, after = redirect.response.status, redirect.request, next_method(redirect)
        if status not in _KEEPING or after == before.method or before.method in ("GET", "HEAD"):
            continue
        became = f"{before.method} {before.url} becomes {after} on {status}"
        lost = ", and its content is dropped" if before.content != "none" else ""
        remedy = (
            f"Answer {_KEEPING[status]} where {status} is, so that {before.method} arrives; "
            "or 303, if the request has been carried out already."
        )
        yield found(CHECK, chain, redirect.hop, became + lost, remedy)


# Where content arrives, whatever a rule says about methods.
WRITTEN_TO = re.compile(r"(?:^|/)(?:api|v[0-9]+|graphql|rpc|webhooks?|hooks?|upload|checkout|submit)(?:/|$)")


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if rule.status not in _KEEPING or rule.template is None or not place.urls:
        return
    named = rule.terms.methods is not None and "POST" in rule.terms.methods
    guessed = rule.terms.methods is None and WRITTEN_TO.search(rule.pattern) is not None
    if not (named or guessed):
        return
    witness = f"POST {place.urls[0]}"
    message = f"{witness} becomes GET on {rule.status}, and its content is dropped"
    remedy = remedies.status(place, _KEEPING[rule.status])
    yield at(CHECK, place, message, remedy, witness=witness, confidence="is" if named else "suggests")


CHECK = Check(
    name="method-loss",
    severity="warning",
    finds="A 301 or 302 turns another method into GET, and the content is lost.",
    why=(
        "The client reports success: the GET that took the request's place was answered. What was to be "
        "stored, paid or deleted was not, and nothing says so."
    ),
    instead="Answer 308 instead of 301 and 307 instead of 302; or 303, if the request has been carried out.",
    references=("RFC 9110 §15.4.2", "RFC 9110 §15.4.3", "Fetch §4.4 step 12"),
    over_chain=over_chain,
    over_rule=over_rule,
)
