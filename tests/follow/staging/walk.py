"""A chain from real servers, as the tracer makes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from detour.core.chain import Chain, Fields, Outgoing
from detour.core.policy import RFC9110
from detour.core.url import URL
from detour.follow.consent import EVERYTHING
from detour.follow.trace import trace
from detour.net.transport import Transport, TransportSettings

HOSTS = ("shop.example.test", "example.test", "www.example.test", "app.internal", "vault-1.internal")


def walk(
    method: str, url: str, doors: Mapping[int, int], ca: Path | None = None, fields: Fields = ()
) -> Chain:
    """The chain from `url`; a request to port P of any of `HOSTS` goes to port `doors[P]` of 127.0.0.1."""
    content = b"a=1" if method == "POST" else None
    request = Outgoing(method, URL.parse(url), fields, "replayable" if content else "none")
    settings = TransportSettings(connect_to=rooms(doors), ca=str(ca or ""), guard="off")
    with Transport(settings) as transport:
        return transport.run(trace(request, content, RFC9110, EVERYTHING))


def rooms(doors: Mapping[int, int]) -> tuple[str, ...]:
    """Where the ports of `HOSTS` are here, as `--connect-to` takes it."""
    return tuple(f"{host}:{port}:127.0.0.1:{door}" for host in HOSTS for port, door in doors.items())
