"""Whether whoever asks can choose the origin a redirect leads to: the same safe request with a canary in it.

Each probe is a GET that carries the canary's host in one place: a query parameter, X-Forwarded-Host and its
kin, or Host. What came is judged by the check *open-location*. Nothing is followed, nothing unsafe is sent.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detour.audit.checks.open_location import CANARY
from detour.core.chain import Chain, Fields, Outgoing
from detour.core.policy import Policy
from detour.core.url import URL, decode_query
from detour.follow.consent import NOTHING_UNSAFE
from detour.follow.trace import one_hop
from detour.net.exchange import Exchange

# Names by which applications take a place to go to (CWE-601), tried besides the URL's own.
PARAMETERS = ("next", "url", "redirect", "return_to", "continue", "goto", "dest")
FIELDS = ("X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host")
_SPELLINGS = (f"https://{CANARY}/", f"//{CANARY}/")


def probes(request: Outgoing) -> tuple[Outgoing, ...]:
    """The requests to ask, without credentials: a probe is no session of anybody."""
    return (*_by_query(request.url), *_by_field(request.url), *_by_path(request.url))


def probe_open(request: Outgoing, policy: Policy) -> Exchange[tuple[Chain, ...]]:
    """A chain of one hop for each probe that was answered with a redirect."""
    chains = []
    for probe in probes(request):
        chain = yield from one_hop(probe, None, policy, NOTHING_UNSAFE)
        if chain.hops[0].location_url is not None:
            chains.append(chain)
    return tuple(chains)


def _by_query(url: URL) -> Iterator[Outgoing]:
    own = tuple(dict.fromkeys(name for name, _ in decode_query(url.query or "")))
    for name in own:
        for spelling in _SPELLINGS:
            yield _get(_with_parameter(url, name, spelling))
    for name in PARAMETERS:
        if name not in own:
            yield _get(_with_parameter(url, name, _SPELLINGS[0]))


def _with_parameter(url: URL, name: str, value: str) -> URL:
    """The URL with one parameter set; all others as they were written."""
    kept = [
        part
        for part in (url.query or "").split("&")
        if part and [name] != [one for one, _ in decode_query(part)]
    ]
    return URL.parse(f"{url.origin}{url.path}?{'&'.join([*kept, f'{name}={value}'])}")


def _by_field(url: URL) -> Iterator[Outgoing]:
    for name in FIELDS:
        value = f"host={CANARY}" if name == "Forwarded" else CANARY
        yield _get(url, ((name, value),))
    yield _get(url, (("Host", CANARY),))


def _by_path(url: URL) -> Iterator[Outgoing]:
    """A path that begins with two slashes, copied into Location, names a host (RFC 3986 §4.2)."""
    yield _get(msgspec.structs.replace(url, path=f"//{CANARY}/..", query=None))


def _get(url: URL, fields: Fields = ()) -> Outgoing:
    return Outgoing("GET", msgspec.structs.replace(url, fragment=None), fields)
