"""What a browser asks before a page may send a request to another origin, and what it makes of the answer.

Fetch §4.8 (CORS-preflight fetch) and §2.2.2 (CORS-safelisted request-header), as a list of reasons why the
request would not be sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from detour.core.chain import Fields, Outgoing, Response

SAFELISTED_METHODS = frozenset({"GET", "HEAD", "POST"})  # Fetch §2.2.1
_SAFELISTED_FIELDS = frozenset({"accept", "accept-language", "content-language"})  # Fetch §2.2.2
_SAFELISTED_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_UNSAFE_OCTET = re.compile(
    r"[\x00-\x08\x0a-\x1f\"():<>?@[\\\]{}\x7f]"
)  # Fetch: CORS-unsafe request-header byte
_LANGUAGE = re.compile(r"[0-9A-Za-z *,\-.;=]*")
_MOST_OCTETS = 128  # of a safelisted field
# Fields a page cannot set (Fetch §2.2.2, forbidden request-header), so a browser never asks for them.
_FORBIDDEN = re.compile(
    r"accept-charset|accept-encoding|access-control-.*|connection|content-length|cookie2?|date|dnt|expect|host"
    r"|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*"
)
_BY_THE_BROWSER = frozenset({"user-agent"})  # a page may set it; the tracer's own is not a page's


class Preflight(msgspec.Struct, frozen=True):
    """The request a page of `origin` wants to send, and what a browser must ask for it."""

    origin: str
    method: str
    fields: tuple[str, ...]  # names to be allowed, lower case, sorted
    credentials: bool  # whether cookies would be sent along

    @property
    def needed(self) -> bool:
        """Whether a browser asks at all (Fetch §4.4: CORS-unsafe method or fields)."""
        return self.method not in SAFELISTED_METHODS or bool(self.fields)


def preflight_of(request: Outgoing, origin: str) -> Preflight:
    """What a browser asks before a page of `origin` may send `request`; with a Cookie: in `include` mode."""
    unsafe = {name.lower() for name, value in request.fields if not _safelisted(name.lower(), value)}
    return Preflight(origin, request.method, tuple(sorted(unsafe)), bool(request.values("cookie")))


def asking(preflight: Preflight, request: Outgoing) -> Outgoing:
    """The preflight itself (Fetch §4.8 steps 1–4): no credentials, no content."""
    fields: Fields = (
        ("Accept", "*/*"),
        ("Access-Control-Request-Method", preflight.method),
        *([("Access-Control-Request-Headers", ",".join(preflight.fields))] if preflight.fields else []),
        ("Origin", preflight.origin),
        *((name, value) for name, value in request.fields if name.lower() == "user-agent"),
    )
    return Outgoing("OPTIONS", request.url, fields)


def obstacles(preflight: Preflight, response: Response) -> tuple[str, ...]:
    """Why a browser would not send the request; () when it would."""
    return tuple(_obstacles(preflight, response))


def _obstacles(preflight: Preflight, response: Response) -> Iterator[str]:
    yield from _origin_obstacles(preflight, response)
    if not 200 <= response.status <= 299:
        redirect = "; a preflight is never redirected" if 300 <= response.status <= 399 else ""
        yield f"the status is {response.status}, and only 200 to 299 let it pass (Fetch §4.8){redirect}"
        return
    methods = _list(response, "access-control-allow-methods")
    if not _allowed(preflight, preflight.method, methods) and preflight.method not in SAFELISTED_METHODS:
        yield f"Access-Control-Allow-Methods does not hold {preflight.method}{_told(methods)}"
    names = [name.lower() for name in _list(response, "access-control-allow-headers")]
    for name in preflight.fields:
        wild = name != "authorization" and _allowed(preflight, name, names)
        if name not in names and not wild:  # Authorization must be named (Fetch §4.8 step 7.6)
            yield f"Access-Control-Allow-Headers does not hold {name}{_told(names)}"


def _origin_obstacles(preflight: Preflight, response: Response) -> Iterator[str]:
    """Fetch §4.10, CORS check."""
    told = response.values("access-control-allow-origin")
    if len(told) != 1:
        many = f"{len(told)} times" if told else "missing"
        yield f"Access-Control-Allow-Origin is {many}"
    elif told[0] == "*" and preflight.credentials:
        yield "Access-Control-Allow-Origin is *, which does not hold for requests with cookies"
    elif told[0] not in ("*", preflight.origin):
        yield f"Access-Control-Allow-Origin is {told[0]} and not {preflight.origin}"
    if preflight.credentials and response.first("access-control-allow-credentials") != "true":
        yield "Access-Control-Allow-Credentials is not true, and cookies would be sent"


def _allowed(preflight: Preflight, name: str, allowed: list[str]) -> bool:
    return name in allowed or ("*" in allowed and not preflight.credentials)


def _list(response: Response, name: str) -> list[str]:
    return [item.strip() for value in response.values(name) for item in value.split(",") if item.strip()]


def _told(allowed: list[str]) -> str:
    return f": {', '.join(allowed)}" if allowed else ": it is missing"


def _safelisted(name: str, value: str) -> bool:
    if _FORBIDDEN.fullmatch(name) or name in _BY_THE_BROWSER:
        return True
    if len(value.encode()) > _MOST_OCTETS:
        return False
    if name == "content-type":
        essence = value.partition(";")[0].strip().lower()
        return essence in _SAFELISTED_TYPES and not _UNSAFE_OCTET.search(value)
    if name in ("accept-language", "content-language"):
        return _LANGUAGE.fullmatch(value) is not None
    return name in _SAFELISTED_FIELDS and not _UNSAFE_OCTET.search(value)
