"""Six origins on loopback that play scripts and record what arrives, octet by octet.

A thread a connection, and blocking reads: 10 MiB of content cost 6 ms of the machine that way, and every
manner of answering too early is three lines. Nothing is answered that the script does not say.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Literal, get_args

from detour.errors import LabError
from detour.lab.authority import Authority
from detour.lab.case import Origin
from detour.lab.wire import Content, Head, Reader

# `lab` serves the protocol alone: what a program says of a case never shares a connection with it.
Letter = Origin | Literal["lab"]

HOSTS: dict[Letter, tuple[str, str]] = {
    "a": ("http", "127.0.0.1"),
    "p": ("http", "127.0.0.1"),
    "b": ("http", "127.0.0.2"),
    "s": ("https", "127.0.0.1"),
    "t": ("https", "127.0.0.2"),
    "f": ("ftp", "127.0.0.1"),
    "lab": ("http", "127.0.0.1"),
}
ADDRESSES = tuple(sorted({host for _, host in HOSTS.values()}))

_IDLE = 60.0  # seconds a connection may be silent
_LINGER = 10.0  # seconds a client may go on sending after an early answer


class Connection:
    """One accepted connection: its requests in order, and what may be done to it."""

    def __init__(self, sock: socket.socket, letter: Letter) -> None:
        self.letter = letter
        self._socket = sock
        self.reader = Reader(self._receive)

    def _receive(self, buffer: memoryview) -> int:
        try:
            return self._socket.recv_into(buffer)
        except OSError:  # a reset or a silence: nothing more will come
            return 0

    def send(self, octets: bytes) -> bool:
        """Send all of it; False when nobody takes it any more."""
        try:
            self._socket.sendall(octets)
        except OSError:
            return False
        return True

    def read(self, head: Head, content: Content, *, grant: bool) -> bool:
        """Read the content of a request, with 100 Continue before it where asked for and granted."""
        if grant and head.expects and head.has_content and not self.reader.unread:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self.reader.content(head, content)

    def linger(self) -> None:
        """Say that nothing more is sent, and read until the client ends (RFC 9112 §9.6)."""
        if not isinstance(self._socket, ssl.SSLSocket):  # over TLS: only stop writing
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            self._socket.settimeout(_LINGER)

    def close(self) -> None:
        """Close at once: what was not read makes it a reset."""
        with suppress(OSError):
            self._socket.close()

    def end(self) -> None:
        """Wake whoever reads it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


Attend = Callable[[Connection, Head], bool]
Converse = Callable[[Connection], None]


class Origins:
    """The listeners. `attend` answers one request and says whether the connection goes on; `converse` has
    all of a connection that does not speak HTTP."""

    def __init__(
        self, authority: Authority, attend: Attend, converse: Converse, ports: Mapping[Letter, int]
    ) -> None:
        self._attend, self._converse = attend, converse
        self._context = authority.context()
        self._open: set[Connection] = set()
        self._closed = False
        self._listeners: dict[Letter, socket.socket] = {}
        try:
            for letter, (_, host) in HOSTS.items():
                self._listeners[letter] = _listen(host, ports.get(letter, 0))
        except BaseException:
            self.close()
            raise
        self.bases: dict[Origin, str] = {letter: self.base(letter) for letter in get_args(Origin)}

    def open(self) -> None:
        """Begin to answer."""
        for letter, listener in self._listeners.items():
            threading.Thread(target=self._accept, args=(letter, listener), daemon=True).start()

    def base(self, letter: Letter) -> str:
        """Scheme and authority of an origin."""
        scheme, host = HOSTS[letter]
        return f"{scheme}://{host}:{self._listeners[letter].getsockname()[1]}"

    def close(self) -> None:
        """Nobody is listened to any more; every connection ends."""
        self._closed = True
        for listener in self._listeners.values():
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._open):
            connection.end()

    def _accept(self, letter: Letter, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(letter, accepted), daemon=True).start()

    def _serve(self, letter: Letter, accepted: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(accepted.close)
            sock = self._prepared(letter, accepted)
            if sock is None:
                return
            connection = Connection(sock, letter)
            stack.callback(connection.close)
            stack.enter_context(self._opened(connection))
            if HOSTS[letter][0] == "ftp":
                self._converse(connection)
                return
            while (head := connection.reader.head()) is not None:
                if not self._attend(connection, head):
                    return

    def _prepared(self, letter: Letter, accepted: socket.socket) -> socket.socket | None:
        try:
            accepted.settimeout(_IDLE)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if HOSTS[letter][0] != "https":
                return accepted
            return self._context.wrap_socket(accepted, server_side=True)
        except OSError:  # no TLS, or no trust in the authority: the client says so itself
            return None

    @contextlib.contextmanager
    def _opened(self, connection: Connection) -> Iterator[None]:
        self._open.add(connection)
        if self._closed:  # while it was being opened
            connection.end()
        try:
            yield
        finally:
            self._open.discard(connection)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        fact = error.strerror or str(error)
        raise LabError(
            f"{host}:{port}: cannot listen there: {fact}; the lab needs the loopback addresses "
            f"{' and '.join(ADDRESSES)} (on macOS: ifconfig lo0 alias 127.0.0.2)"
        ) from None
