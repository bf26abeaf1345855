"""Refuse requests whose Host is a name: what a browser sends when a page rebinds its own name to us."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from detour.serve.readings import ASGI

_REFUSAL = b"This listener answers to an address or to localhost; ask it by one of these.\n"


def is_plain_host(host: str) -> bool:
    """Whether a Host field names an address or `localhost`, with or without a port."""
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        port = port.removeprefix(":") if closed else "?"
    else:
        name, _, port = host.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return False
    return name.lower().rstrip(".") == "localhost" or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def guard_host(app: ASGI) -> ASGI:
    """`app`, asked only when exactly one Host came and it is no name; else 421 (RFC 9110 §15.5.20)."""

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not _welcome(scope["headers"]):
            await _refuse(send)
        else:
            await app(scope, receive, send)

    return guarded


def _welcome(fields: Iterable[tuple[bytes, bytes]]) -> bool:
    hosts = [value.decode("latin-1") for name, value in fields if name == b"host"]
    return len(hosts) == 1 and is_plain_host(hosts[0])


async def _refuse(send: Any) -> None:
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_REFUSAL))]
    await send({"type": "http.response.start", "status": 421, "headers": fields})
    await send({"type": "http.response.body", "body": _REFUSAL})
