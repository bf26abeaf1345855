"""Addresses the server answers on, bound by the parent and kept by it.

A plain bind goes first, without SO_REUSEPORT: it fails when another server is on the port, and it
finds out what port 0 means. Then each worker gets a socket of its own on that address, listening
from the start; the parent keeps them all open, so what is queued for a dead worker waits for its
successor.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
from collections.abc import Sequence

import msgspec

from detour.core.settings import ListenerSettings
from detour.core.url import URL
from detour.errors import ServeError, URLError
from detour.serve.certificate import TLS

BACKLOG = 4096  # the system cuts it to its own limit (net.core.somaxconn)
TURNED_AWAY = 64  # connections of a listener beyond its `max_connections` that are told so, and linger
_SPARE_DESCRIPTORS = 128  # for files, channels, listeners and what libraries open
# A TLS connection counts from the end of its handshake on. Whoever is silent in it keeps a descriptor
# for `head_timeout`, so a listener with TLS leaves a fourth of its share to handshakes.
_SETTLED_OVER_TLS = 3 / 4


class Address(msgspec.Struct, frozen=True):
    """Where to bind: the family, the sockaddr without port, and the port (0: any)."""

    family: int
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def of_url(cls, listen: str) -> tuple[str, Address]:
        """Scheme and address of `http://ADDRESS:PORT`; raises `ServeError`."""
        try:
            url = URL.parse(listen)
        except URLError:
            url = None
        if (
            url is None
            or url.path != "/"
            or url.query is not None
            or url.fragment is not None
            or url.username
        ):
            raise ServeError(
                f"cannot listen on {listen!r}; write http://ADDRESS:PORT or https://ADDRESS:PORT"
            )
        return url.scheme, _resolve(url.hostname, int(url.port_or_default), listen)

    @classmethod
    def of_text(cls, text: str) -> Address:
        """Read `ADDRESS:PORT`; raises `ServeError`."""
        host, colon, port = text.rpartition(":")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ServeError(f"cannot listen on {text!r}; write ADDRESS:PORT, as in 127.0.0.1:8308")
        return _resolve(host, int(port), text)


def _resolve(host: str, port: int, written: str) -> Address:
    name = host.removeprefix("[").removesuffix("]")
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        fact = getattr(error, "strerror", None) or str(error)
        raise ServeError(f"cannot listen on {written}: {fact}; give an address of this machine") from None
    family, _, _, _, address = found[0]
    return Address(family, str(address[0]), port)


class Listener:
    """One listener of the server: its settings, its bound address, one socket per worker, its TLS."""

    def __init__(self, settings: ListenerSettings, workers: int) -> None:
        """Bind and listen; raises `ServeError` for a busy port or an unusable certificate."""
        self.settings = settings
        scheme, address = Address.of_url(settings.listen)
        self.tls = _tls(settings, scheme)
        first = bind(address, settings.listen)
        self.address = msgspec.structs.replace(address, port=first.getsockname()[1])
        self.url = f"{scheme}://{self.address}"
        first.close()
        self.sockets = [_listen_beside(self.address, settings.listen) for _ in range(workers)]

    def close(self) -> None:
        """Close this process's copies of the sockets."""
        for held in self.sockets:
            held.close()


def _tls(settings: ListenerSettings, scheme: str) -> TLS | None:
    if scheme == "https" and not settings.cert:
        raise ServeError(f"{settings.listen} has no certificate; add `cert`, as in --cert FILE,KEY")
    if scheme == "http" and settings.cert:
        raise ServeError(f"{settings.listen} has a certificate but no TLS; write https://")
    return TLS(settings.cert) if scheme == "https" else None


def bind(address: Address, written: str, remedy: str = "") -> socket.socket:
    """A socket on `address` alone (no SO_REUSEPORT); raises `ServeError` with `remedy` when it is taken."""
    bound = _socket(address)
    try:
        bound.bind((address.host, address.port))
        # Bound sockets that are silent may share a port by SO_REUSEADDR; listening ones may not.
        bound.listen()
    except (OSError, OverflowError) as error:
        bound.close()
        raise _refusal(written, error, remedy) from None
    return bound


_REMEDIES = {
    errno.EADDRINUSE: "stop what listens there, or choose another port",
    errno.EADDRNOTAVAIL: "give an address of this machine",
    errno.EACCES: "choose a port above 1023, or grant the right to bind this one",
}


def _refusal(written: str, error: Exception, remedy: str = "") -> ServeError:
    fact = getattr(error, "strerror", None) or str(error)
    known = _REMEDIES.get(getattr(error, "errno", None) or 0, "choose another address")
    return ServeError(f"cannot listen on {written}: {fact}; {remedy or known}")


def _listen_beside(address: Address, written: str) -> socket.socket:
    shared = _socket(address)
    try:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind((address.host, address.port))
        shared.listen(BACKLOG)
    except OSError as error:
        shared.close()
        raise _refusal(written, error) from None
    return shared


def _socket(address: Address) -> socket.socket:
    made = socket.socket(address.family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address.family == socket.AF_INET6:
        # `[::]` and `0.0.0.0` are two addresses everywhere, whatever the system's default.
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def bind_all(listeners: Sequence[ListenerSettings], workers: int) -> list[Listener]:
    """Bind every listener, or none; raises `ServeError`."""
    bound: list[Listener] = []
    try:
        for settings in listeners:
            bound.append(Listener(settings, workers))
    except ServeError:
        for listener in bound:
            listener.close()
        raise
    return bound


def raise_descriptor_limit() -> int:
    """Raise the soft limit on open descriptors to the hard one; the limit that holds then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, 10240):  # macOS: the hard limit may be "infinite", and more than may be set
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        break
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft if soft != resource.RLIM_INFINITY else os.sysconf("SC_OPEN_MAX")


def fit_connections(listeners: Sequence[ListenerSettings], descriptors: int) -> tuple[ListenerSettings, ...]:
    """`listeners`, their `max_connections` cut so that a worker always has descriptors to spare."""
    share = (descriptors - _SPARE_DESCRIPTORS) // max(1, len(listeners)) - TURNED_AWAY
    return tuple(_fit(settings, share) for settings in listeners)


def _fit(settings: ListenerSettings, share: int) -> ListenerSettings:
    most = int(share * _SETTLED_OVER_TLS) if settings.cert else share
    return msgspec.structs.replace(settings, max_connections=max(1, min(settings.max_connections, most)))
