"""The service as a worker sees it: made once, with an endpoint for each listener."""

from __future__ import annotations

from detour.serve.answering import Desk, Service
from detour.serve.protocol import Connection

__all__ = ["Endpoint", "Service"]


class Endpoint(Desk):
    """The service on one listener: answers, and the connections that bring the questions."""

    def connection(self) -> Connection:
        """A new connection's protocol: the factory for `loop.create_server`."""
        return Connection(self)
