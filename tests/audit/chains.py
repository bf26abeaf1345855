"""Chains for tests: written in a line, and any chain at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from detour.core.chain import ENDS, Chain, End, Hop, Outgoing, Response
from detour.core.location import resolve
from detour.core.url import URL


def hop(request: str, status: int | None, location: str | None = None, **said: Any) -> Hop:
    """`hop("POST http://h/a", 307, "/b")`; what else is said goes to the request or to the response."""
    method, url = request.split(" ", 1)
    asked = {name: said.pop(name) for name in ("fields", "content") if name in said}
    outgoing = Outgoing(method, URL.parse(url), **asked)
    if status is None:
        return Hop(outgoing)
    answered = said.pop("answered", ())
    fields = (("Location", location), *answered) if location is not None else answered
    location_url = resolve(location, outgoing.url) if location is not None else None
    return Hop(outgoing, Response(status, fields=fields, **said), location_url)


def chain(*hops: Hop, end: str = "arrived", detail: str = "") -> Chain:
    """A chain as the policy `fetch` would have made it."""
    return Chain("fetch", hops, End(end, detail))


# Few hosts, ports and paths, so that hops meet each other; any text where a peer chooses.
HOSTS = ("example.com", "www.example.com", "127.0.0.1", "10.0.0.7", "[::1]", "e26472ec19ff", "a.local")
HOSTS += (
    "canary.detour.invalid",
    "localhost",
    "app.internal",
    "xn--bcher-kva.example",
    "api.svc.cluster.local.",
)
URLS = st.builds(
    URL,
    scheme=st.sampled_from(("http", "https")),
    hostname=st.sampled_from(HOSTS) | st.text(max_size=8),
    port=st.sampled_from(("", "8080", "443")),
    path=st.sampled_from(("/", "/a", "/a/", "//a", "/%2f")) | st.text(max_size=8).map("/".__add__),
    query=st.none()
    | st.sampled_from(("", "X-Amz-Signature=1", "sig=1&se=2", "u=https://canary.detour.invalid/")),
    fragment=st.none() | st.text(max_size=4),
)
NAMES = st.sampled_from(
    (
        "Authorization",
        "Cookie",
        "X-Api-Key",
        "Content-Type",
        "content-length",
        "Expect",
        "Origin",
        "Location",
        "Set-Cookie",
        "Date",
        "Range",
        "Server",
        "Access-Control-Request-Method",
        "Non-Authoritative-Reason",
    )
)
FIELDS = st.lists(
    st.tuples(
        NAMES | st.text(max_size=6),
        st.sampled_from(("", "/a", "//h", "https://example.com/a", "application/grpc", "9" * 5000, "٣", "²"))
        | st.text(max_size=8),
    ),
    max_size=5,
).map(tuple)
OUTGOING = st.builds(
    Outgoing,
    method=st.sampled_from(("GET", "HEAD", "POST", "OPTIONS", "QUERY")) | st.text(max_size=4),
    url=URLS,
    fields=FIELDS,
    content=st.sampled_from(("none", "replayable", "once")),
)
RESPONSES = st.builds(
    Response,
    status=st.sampled_from((200, 204, 300, 301, 302, 303, 304, 307, 308, 401, 403)) | st.integers(),
    reason=st.sampled_from(("", "Internal Redirect")) | st.text(max_size=6),
    fields=FIELDS,
    interim=st.lists(st.sampled_from((100, 103)), max_size=2).map(tuple),
    sent=st.integers(min_value=0, max_value=1 << 40),
)
HOPS = st.builds(Hop, request=OUTGOING, response=st.none() | RESPONSES, location_url=st.none() | URLS)


def _chain(hops: Sequence[Hop], end: End) -> Chain:
    return Chain("fetch", tuple(hops), end)


CHAINS = st.builds(
    _chain,
    st.lists(HOPS, max_size=5),
    st.builds(End, st.sampled_from(sorted(ENDS)), st.text(max_size=8)),
)
