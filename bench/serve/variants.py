"""What-ifs: the bare protocol with one thing changed, measured like a peer.

`python -m bench.serve --variants` compares them. They exist to decide how serve/protocol.py is written; none
is a server. Usage: python -m bench.serve.variants NAME PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import select
import socket
import sys
from typing import cast

import uvloop

from bench.process import Launch
from bench.programs import python_version
from bench.serve.bare import Bare, compose, serve
from bench.serve.peers import PEERS, Peer, Start

WANTED = frozenset((b"host", b"connection", b"content-length", b"expect", b"transfer-encoding", b"upgrade"))
SCAN = re.compile(  # the look-ahead skips most lines before the alternatives are tried
    rb"\n(?=[CcEeHhTtUu])(connection|content-length|expect|host|transfer-encoding|upgrade):([^\r]*)",
    re.IGNORECASE,
)


class WriteNow(Bare):
    """The transport tries to write at once, not at the end of the loop's turn."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)


class Lower(Bare):
    """Each field name is lowered and looked up; only wanted fields are kept."""

    __slots__ = ()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in WANTED:
            self.fields.append((name, value))


class NoFields(Bare):
    """No `on_header` at all: the least that parsing can cost."""

    __slots__ = ()
    on_header = None  # type: ignore[assignment]


class DictFields(Bare):
    """`on_header` is a C function, a dict's `setdefault`: no Python frame a field; repeats are lost."""

    __slots__ = ("known", "on_header")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.known: dict[bytes, bytes] = {}
        self.on_header = self.known.setdefault  # type: ignore[assignment, method-assign]
        super().connection_made(transport)

    def on_message_complete(self) -> None:
        self.known.clear()
        super().on_message_complete()


class Scan(Bare):
    """No `on_header`; the few fields that decide on an answer are looked for in the octets themselves."""

    __slots__ = ()
    on_header = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.fields = SCAN.findall(data)
        super().data_received(data)


class Asking(Bare):
    """Asks the parser for the version and for an upgrade as well."""

    __slots__ = ()

    def on_headers_complete(self) -> None:
        if self.parser.get_http_version() == "2.0" or self.parser.should_upgrade():
            self.transport.close()
        super().on_headers_complete()


class Buffered(asyncio.BufferedProtocol):
    """Reads into a buffer of its own; otherwise Bare (which cannot be its base: uvloop looks at the type)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Bare.connection_made(cast(Bare, self), transport)
        self.buffer = memoryview(bytearray(16384))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        Bare.data_received(cast(Bare, self), self.buffer[:nbytes])  # type: ignore[arg-type]

    on_url = Bare.on_url
    on_header = Bare.on_header
    on_headers_complete = Bare.on_headers_complete
    on_message_complete = Bare.on_message_complete


whole: dict[bytes, bytes] = {}


class WholeHead(Bare):
    """A segment seen before that was exactly one GET is answered unparsed: a bound on what memos save."""

    __slots__ = ("between",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.between = True

    def data_received(self, data: bytes) -> None:
        if self.between and (answer := whole.get(data)) is not None:
            self.transport.write(answer)
            return
        fresh, self.between = self.between, False
        super().data_received(data)
        if fresh and self.between and self.keep and data.startswith(b"GET ") and data.count(b"\r\n\r\n") == 1:
            whole[data] = compose(b"GET", data.split(b" ", 2)[1])

    def on_message_complete(self) -> None:
        self.between = True
        super().on_message_complete()


class Wire:
    """As much of a transport as Bare uses, over a socket; writes at once."""

    __slots__ = ("close", "write")

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.send
        self.close = connection.close


def serve_without_loop(port: int) -> None:
    """Bare on `select.epoll`, `recv` and `send`: no event loop at all, and nothing a server needs."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    open_ones: dict[int, tuple[socket.socket, Bare]] = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                _take(listener, poll, open_ones)
            else:
                _read(fd, open_ones)


def _take(
    listener: socket.socket, poll: select.epoll, open_ones: dict[int, tuple[socket.socket, Bare]]
) -> None:
    connection, _ = listener.accept()
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    protocol = Bare()
    protocol.connection_made(cast(asyncio.BaseTransport, Wire(connection)))
    open_ones[connection.fileno()] = (connection, protocol)
    poll.register(connection, select.EPOLLIN)


def _read(fd: int, open_ones: dict[int, tuple[socket.socket, Bare]]) -> None:
    connection, protocol = open_ones[fd]
    data = b""
    with contextlib.suppress(OSError):  # a client that went away
        data = connection.recv(65536)
        if data:
            protocol.data_received(data)
    if not data or connection.fileno() < 0:
        del open_ones[fd]
        connection.close()


PROTOCOLS: dict[str, tuple[type[asyncio.BaseProtocol], str]] = {
    "write-now": (WriteNow, "set_write_buffer_limits(high=0)"),
    "fields-lower": (Lower, "on_header lowers each name and keeps six"),
    "fields-none": (NoFields, "no on_header"),
    "fields-dict": (DictFields, "on_header is dict.setdefault"),
    "fields-scan": (Scan, "no on_header; one regex over the segment"),
    "asking": (Asking, "asks for version and upgrade too"),
    "buffered": (Buffered, "BufferedProtocol"),
    "gc-off": (Bare, "gc.freeze() and gc.disable()"),
    "whole-head": (WholeHead, "known segments are not parsed"),
}


def _start(name: str) -> Start:
    return lambda folder, port: Launch((sys.executable, "-m", "bench.serve.variants", name, str(port)))


VARIANTS = (
    next(peer for peer in PEERS if peer.name == "bare"),
    *(Peer(name, python_version, _start(name), note) for name, (_, note) in PROTOCOLS.items()),
    Peer("python-epoll", python_version, _start("python-epoll"), "select.epoll, recv, send; no event loop"),
)


def main(name: str, port: int) -> None:
    """Run one variant until killed."""
    if name == "python-epoll":
        serve_without_loop(port)
    if name == "gc-off":
        gc.freeze()
        gc.disable()
    uvloop.run(serve(PROTOCOLS[name][0], port))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
