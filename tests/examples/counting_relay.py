"""A TCP relay that counts: what a client really sent to a server, octet by octet, whatever either says."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Passage:
    """One connection through the relay: the octets of the client, the first of them kept."""

    KEPT = 64 * 1024

    def __init__(self) -> None:
        self.sent = 0
        self.first = b""

    def count(self, data: bytes) -> None:
        """Note what passes."""
        self.sent += len(data)
        self.first += data[: max(0, self.KEPT - len(self.first))]

    @property
    def content(self) -> int:
        """Octets the client sent after its first head; -1 before the head is complete."""
        end = self.first.find(b"\r\n\r\n")
        return self.sent - end - 4 if end >= 0 else -1


class CountingRelay:
    """Listens on a port of the kernel's choice and passes everything on to `port`, half-closes too."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.passages: list[Passage] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accept
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._relay, client)

    def _relay(self, client: socket.socket) -> None:
        passage = Passage()
        self.passages.append(passage)
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            back = threading.Thread(target=_pump, args=(server, client, None), daemon=True)
            back.start()
            _pump(client, server, passage)
            back.join()


def _pump(source: socket.socket, sink: socket.socket, passage: Passage | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if passage is not None:
                passage.count(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
