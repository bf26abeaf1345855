"""What a running server may be told. Each setting is written once: here.

The keys of `[server]` and `[[listener]]`, the flags of `detour serve`, the JSON Schema and the
documentation are all made from these fields, their defaults and their descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta

from detour.core.url import URL
from detour.errors import KeyFault, URLError


class Seconds(float):
    """A length of time; written as a duration: `30s`, `5m`, `2h`, `7d`."""

    _UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    PATTERN = r"^(0|[1-9][0-9]{0,8})[smhd]$"

    @classmethod
    def parse(cls, text: str) -> Seconds:
        """Read a duration; raises `ValueError`."""
        if not re.fullmatch(cls.PATTERN, text):  # `$` alone lets a line end pass
            raise ValueError(f"{text!r} is not a duration")
        return cls(int(text[:-1]) * cls._UNITS[text[-1]])

    def __str__(self) -> str:
        seconds = int(self)
        for unit in "dhm":
            if seconds and seconds % self._UNITS[unit] == 0:
                return f"{seconds // self._UNITS[unit]}{unit}"
        return f"{seconds}s"


T = TypeVar("T")

_encode = msgspec.msgpack.Encoder(enc_hook=float).encode


def pack(value: object) -> bytes:
    """A value that holds settings, as MessagePack; a length of time is its number of seconds."""
    return _encode(value)


def unpack(octets: bytes | memoryview, kind: type[T]) -> T:
    """The `kind` that `pack` made octets of; raises `msgspec.MsgspecError`."""
    return msgspec.msgpack.decode(octets, type=kind, dec_hook=lambda _, seconds: Seconds(seconds))


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The server as a whole: `[server]`."""

    workers: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | None,
        Meta(description="worker processes; default: the processors, at least 2"),
    ] = None
    access_log: Annotated[bool, Meta(description="write one JSON line per answer to stdout")] = False
    memo: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="answers a worker keeps prepared, twice over at most; 0: none"),
    ] = 16384
    redirect_by: Annotated[bool, Meta(description="send `X-Redirect-By: detour NAME`")] = True
    drain_delay: Annotated[
        Seconds, Meta(description="after SIGTERM, keep accepting this long while /readyz says 503")
    ] = msgspec.field(default_factory=lambda: Seconds(0))
    drain_timeout: Annotated[
        Seconds, Meta(description="after the delay, give open connections this long, then close them")
    ] = msgspec.field(default_factory=lambda: Seconds(30))


class ListenerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One address the server answers on: `[[listener]]`."""

    listen: Annotated[
        str, Meta(description="where to listen: http://ADDRESS:PORT or https://ADDRESS:PORT; port 0 is any")
    ] = "http://127.0.0.1:8307"
    cert: Annotated[
        tuple[str, ...],
        Meta(description="certificate files (PEM), each `FILE` or `FILE,KEY`; chosen by server name"),
    ] = ()
    source: Annotated[
        Literal["forwarded", "x-forwarded"] | None,
        Meta(description="the one field family that says who asked over what, when a trusted peer sends it"),
    ] = None
    trusted: Annotated[
        tuple[str, ...], Meta(description="networks (CIDR) whose `source` fields are believed")
    ] = ()
    trust_host: Annotated[bool, Meta(description="believe the host that `source` names, too")] = False
    health: Annotated[
        Annotated[str, Meta(pattern="^/")] | None,
        Meta(description="a path answered 200 `ok` here, before any rule"),
    ] = None
    head_timeout: Annotated[
        Seconds, Meta(description="a request head must be complete this long after its first byte; else 408")
    ] = msgspec.field(default_factory=lambda: Seconds(10))
    idle_timeout: Annotated[
        Seconds, Meta(description="a connection that asks nothing for this long is closed")
    ] = msgspec.field(default_factory=lambda: Seconds(60))
    max_connections: Annotated[
        int, Meta(ge=1, description="connections per worker on this listener; 503 beyond it")
    ] = 8192


def listener_faults(listener: ListenerSettings) -> Iterator[KeyFault]:
    """What is wrong with a listener, beyond types."""
    listen = listener.listen
    try:
        url = URL.parse(listen)
    except URLError:
        yield KeyFault(("listen",), f"{listen!r} is no address", "write http://127.0.0.1:8307")
        return
    if url.reference != "/" or url.username:
        fact = f"{listen!r} has more than scheme, address and port"
        yield KeyFault(("listen",), fact, f"write {url.origin}")
    if url.scheme == "https" and not listener.cert:
        remedy = 'add cert = ["FILE,KEY"] (or --cert FILE,KEY)'
        yield KeyFault(("listen", "cert"), "https needs a certificate", remedy)
    if url.scheme == "http" and listener.cert:
        yield KeyFault(("cert", "listen"), "a certificate on a plain listener", "write https:// in `listen`")
    yield from _trust_faults(listener)


def _trust_faults(listener: ListenerSettings) -> Iterator[KeyFault]:
    for network in listener.trusted:
        try:
            ip_network(network)
        except ValueError:
            remedy = 'write "10.0.0.0/8" or "127.0.0.1"'
            yield KeyFault(("trusted",), f"{network!r} is not a network", remedy)
    if listener.source and not listener.trusted:
        remedy = 'name the proxy: trusted = ["10.0.0.0/8"]'
        yield KeyFault(("source", "trusted"), "nobody is trusted to send it", remedy)
    if listener.trusted and not listener.source:
        remedy = 'add source = "x-forwarded" or "forwarded"'
        yield KeyFault(("trusted", "source"), "trusted for what", remedy)
    if listener.trust_host and not listener.source:
        remedy = "name `source` and `trusted`"
        yield KeyFault(("trust_host", "source"), "there is no `source` to take the host from", remedy)
