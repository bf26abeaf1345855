"""What was on the wire when libcurl refused an answer before it showed it: fetched once more, read raw.

libcurl drops heads that a client must not accept (several Locations, NUL or CR in a field, lines of over
100 KB), and a person wants to see them. A safe request may be repeated (RFC 9110 §9.2.1), so it is sent over
a connection that libcurl opens, under the same guard, trust and ways, and leaves to us.
"""

from __future__ import annotations

import re
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import Any

import pycurl

from detour.core.chain import Outgoing, Response
from detour.errors import DetourError
from detour.net.address import refusal
from detour.net.exchange import Sending
from detour.net.handle import set_constants
from detour.net.head import fields_of
from detour.net.settings import TransportSettings
from detour.net.sockets import guarded_socket

MOST = 64 * 1024  # octets read
SECONDS = 5.0  # to connect, and once more to read; less where a request may take less
_REST_SECONDS = 0.5  # for content after the head
_STATUS_LINE = re.compile(rb"HTTP/(\d\.\d) (\d{3})(?: ([^\r\n]*))?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


def fetch(settings: TransportSettings, sending: Sending) -> Response | None:
    """The octets an origin answers a safe request without content with, as far as they can be read."""
    curl = pycurl.Curl()
    try:
        _connect(curl, settings, sending)
        remote = curl.getinfo(pycurl.PRIMARY_IP)
        if refusal(settings.guard, sending.before, remote):
            return None
        return as_response(_ask(curl, _request(sending.request), _patience(settings)), remote)
    except (pycurl.error, OSError, DetourError):
        return None
    finally:
        curl.close()


def as_response(octets: bytes, remote: str = "") -> Response | None:
    """Octets that break HTTP, told apart as far as they can be; `raw_head`: all before the content."""
    if not octets:
        return None
    found = _STATUS_LINE.match(octets)
    end = _HEAD_END.search(octets)
    head, content = (octets[: end.end()], octets[end.end() :]) if end else (octets, b"")
    lines = head[found.end() :].rstrip(b"\r\n").split(b"\n") if found else []
    return Response(
        status=int(found[2]) if found else 0,
        reason=(found[3] or b"").decode("latin-1") if found else "",
        http_version=found[1].decode() if found else "",
        fields=fields_of([line for line in lines if line]),
        content=content,
        content_length=len(content),
        remote=remote,
        raw_head=head,
    )


def _connect(curl: Any, settings: TransportSettings, sending: Sending) -> None:
    url = sending.request.url
    set_constants(curl, settings)
    curl.setopt(pycurl.OPENSOCKETFUNCTION, guarded_socket(settings.guard, sending.before))
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    curl.setopt(pycurl.TIMEOUT_MS, round(_patience(settings) * 1000))
    curl.setopt(pycurl.CONNECT_ONLY, 1)
    curl.setopt(pycurl.URL, url.origin)
    curl.perform()


def _request(request: Outgoing) -> bytes:
    # The fields were checked when first sent.
    fields = [f"{name}: {value}".encode("utf-8", "surrogateescape") for name, value in request.fields]
    host = [] if request.values("host") else [f"Host: {request.url.authority}".encode()]
    line = f"{request.method} {request.url.request_target} HTTP/1.1".encode()
    return b"\r\n".join([line, *host, *fields, b"Connection: close", b"", b""])


def _patience(settings: TransportSettings) -> float:
    return min(SECONDS, settings.timeout)


def _ask(curl: Any, request: bytes, seconds: float) -> bytes:
    place = curl.getinfo(pycurl.ACTIVESOCKET)
    deadline = monotonic() + seconds
    _wait(place, EVENT_WRITE, deadline)
    curl.send(request)
    came = b""
    while len(came) < MOST and _wait(place, EVENT_READ, deadline):
        try:
            piece = curl.recv(MOST - len(came))
        except BlockingIOError:
            continue
        except pycurl.error:
            break
        if not piece:
            break
        came += piece
        if _HEAD_END.search(came, max(0, len(came) - len(piece) - 3)):
            # The connection may stay open, whatever was asked.
            deadline = min(deadline, monotonic() + _REST_SECONDS)
    return came


def _wait(place: int, events: int, deadline: float) -> bool:
    with DefaultSelector() as selector:
        selector.register(place, events)
        return bool(selector.select(max(0.0, deadline - monotonic())))
