"""An origin on raw sockets: it records what arrives, octet by octet, and answers as a test says."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from detour.core.chain import Fields, Outgoing
from detour.core.url import URL

Talk = Callable[["Peer"], None]


class Peer:
    """One accepted connection."""

    def __init__(self, connection: socket.socket, origin: Origin) -> None:
        self.connection = connection
        self.origin = origin
        self._rest = b""

    def head(self) -> bytes:
        """The next request's head, recorded; b"" when the client has closed."""
        while b"\r\n\r\n" not in self._rest:
            piece = self.connection.recv(65536)
            if not piece:
                return b""
            self._rest += piece
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        self.origin.heads.append(head + b"\r\n\r\n")
        return head

    def content(self, octets: int) -> bytes:
        """That many octets of content, or fewer when the client closes; recorded."""
        while len(self._rest) < octets:
            piece = self.connection.recv(65536)
            if not piece:
                break
            self._rest += piece
        content, self._rest = self._rest[:octets], self._rest[octets:]
        self.origin.contents.append(content)
        return content

    def until(self, mark: bytes) -> bytes:
        """Content up to and with `mark`; recorded."""
        while mark not in self._rest:
            piece = self.connection.recv(65536)
            if not piece:
                break
            self._rest += piece
        before, _, self._rest = self._rest.partition(mark)
        self.origin.contents.append(before + mark)
        return before + mark

    def say(self, octets: bytes) -> None:
        self.connection.sendall(octets)

    def drip(self, octets: bytes, pause: float) -> None:
        """Say one octet after another, until the test is over."""
        for octet in octets:
            self.say(bytes([octet]))
            if self.origin.over.wait(pause):
                return


class Origin:
    """What a test's origin has seen."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.scheme = scheme
        self.connections = 0
        self.heads: list[bytes] = []
        self.contents: list[bytes] = []
        self.over = threading.Event()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> URL:
        return URL.parse(f"{self.scheme}://{host}:{self.port}{path}")

    def request(self, method: str = "GET", path: str = "/", fields: Fields = ()) -> Outgoing:
        return Outgoing(method, self.url(path), fields)


@contextmanager
def origin(talk: Talk, *, tls: ssl.SSLContext | None = None) -> Iterator[Origin]:
    """An origin on a port from the kernel, one thread a connection; every thread has ended afterwards."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    seen = Origin(listener.getsockname()[1], "https" if tls else "http")
    threads: list[threading.Thread] = []
    open_now: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        try:
            with tls.wrap_socket(connection, server_side=True) if tls else connection as wrapped:
                open_now.append(wrapped)
                talk(Peer(wrapped, seen))
        except OSError:
            pass  # the client has gone, which is for the test to judge

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            seen.connections += 1
            open_now.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield seen
    finally:
        seen.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in open_now:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def saying(answer: bytes) -> Talk:
    """Answers every request that has no content with these octets; the connection closes after the first."""

    def talk(peer: Peer) -> None:
        if peer.head():
            peer.say(answer)

    return talk


def keeping(answer: bytes) -> Talk:
    """Answers every request that has no content, and keeps the connection."""

    def talk(peer: Peer) -> None:
        while peer.head():
            peer.say(answer)

    return talk
