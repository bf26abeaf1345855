"""Real servers with a configuration, asked the same as the layer that was read from it."""

from __future__ import annotations

import contextlib
import http.client
import socket
from pathlib import Path
from typing import Any

from detour.core.url import URL
from detour.formats.layer import Layer
from tests.examples.running import Running
from tests.formats.layers import Answer, decide

Fields = tuple[tuple[str, str], ...]


class Server(Running):
    """A program that listens on a port of loopback."""

    def __init__(self, argv: list[str], port: int, folder: Path) -> None:
        self.port = port
        super().__init__(argv, folder)

    def ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def answer(self, method: str, url: str, fields: Fields = ()) -> Answer:
        """Status and absolute Location for a request whose Host field is the URL's; None: no redirect."""
        target = URL.parse(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, target.reference, skip_host=True, skip_accept_encoding=True)
            for name, value in (("Host", target.authority), ("Content-Length", "0"), *fields):
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        location = response.getheader("Location")
        if not 300 <= response.status < 400 or location is None:
            return None
        return response.status, str(URL.parse(location, url))


def differences(server: Server, layer: Layer, asked: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The requests (method, URL, fields) that the program and the layer answer differently, with both."""
    found = []
    for method, url, *more in asked:
        fields: Fields = more[0] if more else ()
        real, ours = server.answer(method, url, fields), decide(layer, method, url, fields, "127.0.0.1")
        if real != ours:
            found.append((method, url, fields, real, ours))
    return found
