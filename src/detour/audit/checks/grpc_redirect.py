"""grpc-redirect: gRPC has no redirects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, is_redirect
from detour.core.chain import Chain

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
)
