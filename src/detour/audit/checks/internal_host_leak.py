"""internal-host-leak: Location names a host that only the inside knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.address import Publicness, block_of
from detour.core.chain import Chain
from detour.core.url import URL

# The last labels of names that no public resolver answers for.
_INNER_SUFFIXES: dict[str, str] = {
    "localhost": "the asking machine itself (RFC 6761 §6.3)",
    "local": "a name of the local link (RFC 6762)",
    "internal": "a name for private use (ICANN, 2024)",
    "home.arpa": "a name of a home network (RFC 8375)",
    "cluster.local": "a name inside of Kubernetes",
    "svc": "a name inside of Kubernetes",
    "localdomain": "a name of a local network",
    "lan": "a name of a local network",
    "intranet": "a name of a local network",
    "corp": "a name of a local network",
}
_CONTAINER_ID = re.compile(r"[0-9a-f]{12}|[0-9a-f]{64}")  # what Docker gives a container as its host name


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        host = redirect.location_url.hostname
        inner = inner_host(host)
        if inner and not inner_host(redirect.request.url.hostname):
            yield found(CHECK, chain, redirect.hop, f"Location leads to {host}, {inner}")


def over_rule(place: Place) -> Iterator[Finding]:
    template = place.rule.template
    if template is None or not template.authority or place.location_url is None:
        return
    host = place.location_url.hostname
    inner = inner_host(host)
    if inner and not inner_host(URL.parse(place.urls[0]).hostname):
        yield at(CHECK, place, f"Location leads to {host}, {inner}")


def inner_host(hostname: str) -> str:
    """What kind of inner host this is; "" for one that may be public."""
    host = hostname.removesuffix(".").lower()
    try:
        block = block_of(host.strip("[]"))
    except ValueError:
        return _inner_name(host)
    return "" if block.publicness is Publicness.PUBLIC else f"an address that is not public ({block.name})"


def _inner_name(host: str) -> str:
    if _CONTAINER_ID.fullmatch(host):
        return "the name of a container"
    if "." not in host and host != "localhost":
        return "a name without a domain"
    labels = host.split(".")
    endings = (".".join(labels[first:]) for first in range(len(labels)))
    return next((_INNER_SUFFIXES[ending] for ending in endings if ending in _INNER_SUFFIXES), "")


CHECK = Check(
    name="internal-host-leak",
    severity="error",
    finds="A public host redirects to a private address or to a name that only the inside knows.",
    why=(
        "The caller cannot get there, or reaches another machine of its own network under that address; "
        "and the answer tells everybody how the inside is named."
    ),
    instead=(
        "Tell the application its public host (the forwarded host, if the proxy is trusted; a configured "
        "one otherwise), or send a relative Location; for cluster members, advertise public addresses."
    ),
    references=("RFC 9110 §10.2.2", "RFC 1918", "RFC 6761", "big-data-europe/docker-hadoop#144"),
    over_chain=over_chain,
    over_rule=over_rule,
)
