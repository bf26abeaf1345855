"""A browser's recording (HAR 1.2) as chains: what redirected what, and which redirects no server sent.

Chromium writes an HSTS upgrade as an answer nobody gave: 307 `Internal Redirect` with
`Non-Authoritative-Reason: HSTS` and no time on the network. Firefox sends nothing either; it records only the
https request, or the http one with status 0, and then the https one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from detour.core.chain import Chain, End, Fields, Hop, Outgoing, Response, Timings
from detour.core.location import resolve
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL
from detour.errors import DetourError, URLError

POLICY = "fetch"  # a browser recorded it
CONTENT_KEPT = 64 * 1024

_UPGRADED = (
    ("Location", "{url}"),
    ("Non-Authoritative-Reason", "HSTS or another upgrade to https (status 0 here, then https)"),
)

# What Chromium's `_error` begins with (net_error_list.h), and the end it is.
_ERRORS: tuple[tuple[str, str], ...] = (
    ("net::ERR_NAME", "resolve"),
    ("net::ERR_TOO_MANY_REDIRECTS", "too-many-hops"),
    ("net::ERR_UNSAFE_REDIRECT", "refused-scheme"),
    ("net::ERR_INVALID_REDIRECT", "bad-location"),
    ("net::ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION", "many-locations"),
    ("net::ERR_CERT", "tls"),
    ("net::ERR_SSL", "tls"),
    ("net::ERR_TIMED_OUT", "timeout"),
    ("net::ERR_CONNECTION_TIMED_OUT", "timeout"),
    ("net::ERR_CONNECTION", "connect"),
    ("net::ERR_ADDRESS", "connect"),
    ("net::ERR_PROXY", "proxy"),
    ("net::ERR_TUNNEL", "proxy"),
)
_VERSIONS = {
    "http/1.0": "1.0",
    "http/1.1": "1.1",
    "http/2": "2",
    "http/2.0": "2",
    "h2": "2",
    "h3": "3",
    "http/3": "3",
}


class _Pair(msgspec.Struct):
    name: str
    value: str = ""


class _PostData(msgspec.Struct):
    text: str = ""


class _Request(msgspec.Struct, rename="camel"):
    method: str
    url: str
    headers: list[_Pair] = []
    post_data: _PostData | None = None
    body_size: float = -1


class _Content(msgspec.Struct):
    text: str = ""
    encoding: str = ""
    size: float = 0


class _Response(
    msgspec.Struct,
    rename={
        "redirect_url": "redirectURL",
        "error": "_error",
        "http_version": "httpVersion",
        "status_text": "statusText",
    },
):
    status: float = 0
    status_text: str = ""
    http_version: str | None = ""
    headers: list[_Pair] = []
    redirect_url: str | None = ""
    content: _Content = msgspec.field(default_factory=_Content)
    error: str | None = None


_Milliseconds = Annotated[float | None, "milliseconds; -1: did not happen"]


class _Timings(msgspec.Struct):
    blocked: _Milliseconds = -1
    dns: _Milliseconds = -1
    connect: _Milliseconds = -1  # TLS included (HAR 1.2)
    ssl: _Milliseconds = -1
    send: _Milliseconds = 0
    wait: _Milliseconds = 0
    receive: _Milliseconds = 0


class _Entry(msgspec.Struct, rename={"address": "serverIPAddress"}):
    request: _Request
    response: _Response
    address: str | None = ""
    timings: _Timings = msgspec.field(default_factory=_Timings)


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _File(msgspec.Struct):
    log: _Log


def read_har(octets: bytes) -> tuple[Chain, ...]:
    """The chains of a recording in the order they began, single requests, too; raises `DetourError`."""
    try:
        entries = msgspec.json.decode(octets.removeprefix(b"\xef\xbb\xbf"), type=_File).log.entries
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DetourError(f"this is no HAR file ({error}); export one from the network panel") from None
    hops = [hop for hop in map(_hop, entries) if hop is not None]
    return _chains([_Seen(hop, entry) for hop, entry in hops])


class _Seen(msgspec.Struct):
    """A hop of the recording, and where it says it led."""

    hop: Hop
    entry: _Entry


def _chains(seen: list[_Seen]) -> tuple[Chain, ...]:
    """Each hop is led to by the last open chain that waits for its URL; else it begins one."""
    chains: list[list[_Seen]] = []
    waiting: dict[str, list[list[_Seen]]] = {}
    for place, one in enumerate(seen):
        key = _key(one.hop.request.url)
        chain = waiting[key].pop(0) if waiting.get(key) else []
        if not chain:
            chains.append(chain)
        one = _upgraded(one, seen[place + 1 :][:1])
        chain.append(one)
        if one.hop.location_url is not None:
            waiting.setdefault(_key(one.hop.location_url), []).append(chain)
    return tuple(Chain(POLICY, tuple(one.hop for one in chain), _end(chain[-1])) for chain in chains)


def _key(url: URL) -> str:
    return url.origin + url.request_target


def _hop(entry: _Entry) -> tuple[Hop, _Entry] | None:
    """One entry; None for what is no http request (data:, blob:, ws:, an extension's)."""
    try:
        url = URL.parse(entry.request.url)
    except URLError:
        return None
    request = Outgoing(entry.request.method, url, _fields(entry.request.headers), _has_content(entry.request))
    if not entry.response.status:
        return Hop(request), entry
    response = _response(entry)
    return Hop(request, response, _location_url(request, response, entry.response)), entry


def _has_content(request: _Request) -> Any:
    return "replayable" if request.post_data is not None or request.body_size > 0 else "none"


def _fields(pairs: Iterable[_Pair]) -> Fields:
    """Fields without the pseudo-fields of HTTP/2 and 3 (RFC 9113 §8.3)."""
    return tuple((pair.name, pair.value) for pair in pairs if not pair.name.startswith(":"))


def _response(entry: _Entry) -> Response:
    said, content = entry.response, _octets(entry.response.content)
    return Response(
        status=int(said.status),
        reason=said.status_text,
        http_version=_VERSIONS.get((said.http_version or "").lower(), "1.1"),
        fields=_fields(said.headers),
        content=content[:CONTENT_KEPT],
        content_length=max(len(content), int(said.content.size)),
        sent=_sent(entry.request),
        remote=(entry.address or "").strip("[]"),
        timings=_timings(entry.timings),
    )


def _sent(request: _Request) -> int:
    """A recording does not say how much content had left when the answer came: all that was announced."""
    told = [pair.value for pair in request.headers if pair.name.lower() == "content-length"]
    announced = [int(value) for value in told if value.isascii() and value.isdecimal() and len(value) < 20]
    return max(0, int(request.body_size), *announced)


def _octets(content: _Content) -> bytes:
    if content.encoding != "base64":
        return content.text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(content.text)
    except (binascii.Error, ValueError):
        return b""


def _timings(said: _Timings) -> Timings:
    """Phases that follow each other as instants since the start; HAR's milliseconds as seconds."""
    blocked, dns, connect, ssl, send, wait, receive = (
        max(0.0, span or 0.0) / 1000 for span in msgspec.structs.astuple(said)
    )
    plain = max(0.0, connect - ssl)
    looked_up = blocked + dns
    connected, secured = looked_up + plain, looked_up + connect
    first = secured + send + wait
    return Timings(
        looked_up if dns else 0.0,
        connected if connect else 0.0,
        secured if ssl else 0.0,
        first,
        first + receive,
    )


def _location_url(request: Outgoing, response: Response, said: _Response) -> URL | None:
    if response.status not in REDIRECT_STATUSES:
        return None
    location = next(iter(response.locations), said.redirect_url or "")
    return resolve(location, request.url) if location else None


def _upgraded(one: _Seen, following: list[_Seen]) -> _Seen:
    """An http request that got nothing, directly before the same one over https: the browser upgraded it."""
    if one.hop.response is not None or not following or one.entry.response.error:
        return one
    request, after = one.hop.request, following[0].hop.request
    upgrade = (
        URL.parse(f"https://{request.url.hostname}{request.url.reference}") if not request.url.port else None
    )
    if (
        request.url.scheme != "http"
        or upgrade is None
        or after.url != upgrade
        or after.method != request.method
    ):
        return one
    fields = tuple((name, value.format(url=upgrade)) for name, value in _UPGRADED)
    hop = Hop(request, Response(307, "Internal Redirect", fields=fields), upgrade)
    return _Seen(hop, one.entry)


def _end(last: _Seen) -> End:
    hop, said = last.hop, last.entry.response
    if hop.response is None:
        error = said.error or said.status_text or "no answer was recorded"
        return End(next((end for start, end in _ERRORS if error.startswith(start)), "protocol"), error)
    if hop.response.status not in REDIRECT_STATUSES:
        return End("arrived")
    if not hop.response.locations and not said.redirect_url:
        return End("no-location")
    if hop.location_url is None:
        return End("bad-location", next(iter(hop.response.locations), ""))
    return End("not-followed", "the recording holds no request that followed")
