"""grpc-redirect: gRPC has no redirects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.hops import found, is_redirect
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.url import URL

# application/grpc, with +proto or +json; not grpc-web, which browsers' fetch sends and follows.
_GRPC = re.compile(r"application/grpc(\+[^;\s]*)?\s*(;.*)?", re.IGNORECASE | re.DOTALL)


def over_chain(chain: Chain) -> Iterator[Finding]:
    for place, hop in enumerate(chain.hops):
        if hop.response is None or not is_redirect(hop.response):
            continue
        if any(_GRPC.fullmatch(kind) for kind in hop.request.values("content-type")):
            yield found(
                CHECK, chain, place, f"a gRPC call was answered with {hop.response.status}, which fails it"
            )


# /package.Service/Method, as gRPC names what is called (gRPC over HTTP/2: Requests, Path).
_SERVICE = re.compile(r"/(?:[a-z]\w*\.)+[A-Z]\w*/")


def over_rule(place: Place) -> Iterator[Finding]:
    if place.rule.template is None or not place.urls or not place.rule.terms.allows("POST"):
        return
    if _SERVICE.match(URL.parse(place.urls[0]).path):
        witness = f"POST {place.urls[0]}"
        message = f"{witness}, by its form a gRPC call, is answered with {place.rule.status}, which fails it"
        yield at(CHECK, place, message, remedies.removed(place), witness=witness, confidence="suggests")


CHECK = Check(
    name="grpc-redirect",
    severity="error",
    finds="A gRPC call was answered with a redirect.",
    why=(
        "gRPC clients follow nothing: every status but 200 is an error, shown as an unexpected HTTP "
        "status or as a missing content-type. The usual cause is a redirect to https in front of the "
        "service."
    ),
    instead=(
        "Leave application/grpc out of the redirect; answer a call that must not come here with a gRPC "
        "status."
    ),
    references=("gRPC over HTTP/2: Responses", "fullstorydev/grpcurl#201", "pomerium/pomerium#2314"),
    over_chain=over_chain,
    over_rule=over_rule,
)
