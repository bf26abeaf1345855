"""preflight-redirect: a CORS preflight must not be redirected."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.checks.method_loss import WRITTEN_TO
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, is_redirect
from detour.audit.lines import at
from detour.audit.remedies import Remedy
from detour.audit.survey import Place
from detour.core.chain import Chain, Outgoing


def over_chain(chain: Chain) -> Iterator[Finding]:
    for place, hop in enumerate(chain.hops):
        if hop.response is not None and is_redirect(hop.response) and _is_preflight(hop.request):
            message = f"a CORS preflight was answered with {hop.response.status}: browsers refuse the request"
            yield found(CHECK, chain, place, message)


def _is_preflight(request: Outgoing) -> bool:
    asks = request.values("origin") and request.values("access-control-request-method")
    return request.method == "OPTIONS" and bool(asks)  # Fetch §3.3.2


def over_rule(place: Place) -> Iterator[Finding]:
    methods = place.rule.terms.methods
    if place.rule.template is None or not place.rule.terms.allows("OPTIONS") or not place.urls:
        return
    if place.layer.dialect == "native":
        return  # a server of these rules answers a preflight itself
    witness = f"OPTIONS {place.urls[0]}"
    message = f"{witness}, a preflight too, is redirected"
    if methods is not None:
        only = methods == {"OPTIONS"}
        yield at(CHECK, place, message, remedies.removed(place) if only else Remedy(""), witness=witness)
    elif WRITTEN_TO.search(place.rule.pattern):
        yield at(CHECK, place, message, Remedy(""), witness=witness, severity="note", confidence="suggests")


CHECK = Check(
    name="preflight-redirect",
    severity="error",
    finds="A CORS preflight was answered with a redirect.",
    why=(
        "Browsers do not follow a redirect of a preflight: the request it asks for is never sent. Reads "
        "that need no preflight go on working, so it looks as if only writes were broken."
    ),
    instead=(
        "Answer preflights where they arrive, with 204 and Access-Control-Allow-*, before anything that "
        "redirects (in ASP.NET Core: UseCors before UseHttpsRedirection); let pages call the final URL."
    ),
    references=("Fetch §4.8", "whatwg/fetch#204", "dotnet/aspnetcore#36542"),
    over_chain=over_chain,
    over_rule=over_rule,
)
