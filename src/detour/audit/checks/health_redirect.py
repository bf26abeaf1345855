"""health-redirect: a health check is redirected."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL

NAMES = frozenset(
    {"healthz", "livez", "readyz", "health", "ping", "liveness", "readiness", "_health", "healthcheck"}
)


def over_rule(place: Place) -> Iterator[Finding]:
    if place.rule.template is None:
        return
    keyed = [key.text[key.text.index("/") :].lower() for key in place.keys]
    sampled = [] if keyed else [URL.parse(url).path.lower() for url in place.urls]
    if not all(path.strip("/") in NAMES for path in sampled):
        return  # an expression that matches more
    for path in (*keyed, *sampled):
        if path.strip("/") in NAMES:
            message = f"{path} is redirected: to a load balancer that is not healthy"
            yield at(CHECK, place, message, remedies.removed(place))
            return


CHECK = Check(
    name="health-redirect",
    severity="warning",
    finds="The path of a health check is redirected.",
    why=(
        "Load balancers and Kubernetes do not follow, or take 3xx for success: a healthy server "
        "leaves the pool, or a dead one stays."
    ),
    instead=(
        "Answer health checks where they arrive, ahead of all redirects (a `pass` rule, or a "
        "location of its own)."
    ),
    references=("AWS ALB: health check success codes", "dotnet/aspnetcore#25221"),
    over_rule=over_rule,
)
