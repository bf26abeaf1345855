"""What following a redirect leaves behind: requests, responses, hops, a chain and its end. Values only.

Whoever sends requests (a transport, a recording, a test) makes these; whoever judges them (checks,
fingerprints, reports) reads them. The octets of a request's content are not here: they may be gigabytes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import msgspec

from detour.core.url import URL

Fields = tuple[tuple[str, str], ...]
Content = Literal["none", "replayable", "once"]  # "once": a stream that cannot be sent again
ContentKept = Literal["none", "kept", "dropped", "not-replayable"]
CredentialsKept = Literal["none", "kept", "dropped", "leaked"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})  # RFC 9110 §9.2.1, RFC 10008
CREDENTIAL_FIELDS = frozenset({"authorization", "proxy-authorization", "cookie"})

# How a chain can end, and what that means.
ENDS: dict[str, str] = {
    "arrived": "a response that is no redirect",
    "no-location": "a redirect status without Location: there is nowhere to go (RFC 9110 §15.4)",
    "bad-location": "a Location that is not a URL",
    "many-locations": "several Location fields that differ (Fetch §2.2.6)",
    "refused-scheme": "a Location that is neither http nor https (Fetch §4.4)",
    "not-replayable": "the content would have to be sent again, and cannot be (Fetch §4.4)",
    "loop": "a request that was sent before would be sent again",
    "too-many-hops": "more redirects than the policy allows",
    "not-followed": "a redirect that this policy hands back instead of following",
    "refused-address": "an address that must not be connected to",
    "needs-consent": "an unsafe request that nobody asked for",
    "resolve": "no address for the host name",
    "connect": "no connection",
    "tls": "no TLS session, or no trust in the certificate",
    "timeout": "too slow",
    "protocol": "a response that breaks HTTP",
    "too-large": "a response longer than the limit",
    "malformed-response": "a response head that a client must not accept",
    "proxy": "the proxy refused or failed",
}


class End(msgspec.Struct, frozen=True):
    """Why nothing was sent any more: a name from `ENDS`, and one line for a person."""

    name: str
    detail: str = ""


class Outgoing(msgspec.Struct, frozen=True):
    """A request to be sent: `fields` as written, in order, credentials included; never Host or framing."""

    method: str
    url: URL
    fields: Fields = ()
    content: Content = "none"

    def values(self, name: str) -> tuple[str, ...]:
        """Each value of the field `name` (lower case)."""
        return _values(self.fields, name)

    @property
    def safe(self) -> bool:
        """Whether the method only asks (RFC 9110 §9.2.1)."""
        return self.method in SAFE_METHODS


class Timings(msgspec.Struct, frozen=True):
    """Seconds from the start of the request to the end of each phase; 0.0 for one that did not happen."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    total: float = 0.0


class Certificate(msgspec.Struct, frozen=True):
    """The certificate a server showed; dates as in `2026-11-24T00:00:00Z`."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    names: tuple[str, ...] = ()


class Response(msgspec.Struct, frozen=True):
    """What came back. Fields keep the case and the order received; values are decoded octet by octet."""

    status: int
    reason: str = ""
    http_version: str = "1.1"  # "1.0", "1.1", "2", "3"
    fields: Fields = ()
    content: bytes = b""  # the first 64 KiB, unless told otherwise; content-coded as received
    content_length: int = 0  # octets received in all
    interim: tuple[int, ...] = ()  # statuses before it: 100, 103
    sent: int = 0  # octets of the request's content that had left when the head came
    remote: str = ""  # the address connected to
    timings: Timings = Timings()
    certificate: Certificate | None = None
    raw_head: bytes = b""  # status line and field lines as received; b"" where they were not lines
    cut: str = ""  # why its content did not come whole: "timeout", "protocol", "too-large"

    def values(self, name: str) -> tuple[str, ...]:
        """Each value of the field `name` (lower case), in the order received."""
        return _values(self.fields, name)

    def first(self, name: str) -> str | None:
        """The first value of the field `name` (lower case)."""
        return next(iter(self.values(name)), None)

    @property
    def locations(self) -> tuple[str, ...]:
        """Every Location, as received."""
        return self.values("location")


class Hop(msgspec.Struct, frozen=True):
    """One request and what came of it; no response: the end of the chain says why."""

    request: Outgoing
    response: Response | None = None
    location_url: URL | None = None  # what the policy made of Location


class Chain(msgspec.Struct, frozen=True):
    """What one request led to, seen with the eyes of a policy (a key of `POLICIES`)."""

    policy: str
    hops: tuple[Hop, ...]
    end: End

    @property
    def pairs(self) -> tuple[tuple[Hop, Hop], ...]:
        """Each hop with the one it led to."""
        return tuple(pairwise(self.hops))


def method_kept(before: Outgoing, after: Outgoing) -> bool:
    """Whether the redirected request has the same method (RFC 9110 §9.1: names are case-sensitive)."""
    return before.method == after.method


def content_kept(before: Outgoing, after: Outgoing) -> ContentKept:
    """What became of the content from one request to the next."""
    if before.content == "none":
        return "none"
    return "dropped" if after.content == "none" else "kept"


def credentials_kept(before: Outgoing, after: Outgoing) -> CredentialsKept:
    """What became of Authorization, Proxy-Authorization and Cookie from one request to the next.

    *Leaked*: the same value at another origin; for a cookie at another host, because ports and schemes do
    not part cookies (RFC 6265 §8.5).
    """
    carried = [(name.lower(), value) for name, value in before.fields if name.lower() in CREDENTIAL_FIELDS]
    if not carried:
        return "none"
    still = {(name.lower(), value) for name, value in after.fields}
    same_origin, same_host = before.url.origin == after.url.origin, before.url.hostname == after.url.hostname
    stays = {"cookie": same_host}
    if any(one in still and not stays.get(one[0], same_origin) for one in carried):
        return "leaked"
    return "kept" if all(one in still for one in carried) else "dropped"


def _values(fields: Fields, name: str) -> tuple[str, ...]:
    size = len(name)  # most names differ in length, which costs less to see
    found = [value for field, value in fields if len(field) == size and field.lower() == name]
    return tuple(found) if found else ()
