"""The admin process as the parent has it: its address, bound like any other, and its post."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from detour.serve.board import Board
from detour.serve.channel import Channel
from detour.serve.crew import Post
from detour.serve.diagnostics import say
from detour.serve.edition import Edition
from detour.serve.listener import Address, bind
from detour.serve.options import OFF
from detour.serve.readings import Application, Readings
from detour.serve.stats import Bank

__all__ = ["Application", "Office"]


class Office:
    """The admin listener, or none."""

    def __init__(
        self,
        bound: socket.socket | None,
        application: Application | None,
        board: Board,
        banks: Sequence[Bank],
    ) -> None:
        self._bound = bound
        self._application = application
        self._board = board
        self._banks = banks

    @classmethod
    def bind(
        cls, address: str, application: Application | None, board: Board, banks: Sequence[Bank]
    ) -> Office:
        """Bind `ADDRESS:PORT`, or nothing for "off"; raises `ServeError` naming `--admin off`."""
        remedy = "choose another with --admin ADDRESS:PORT, or --admin off"
        bound = None if address == OFF else bind(Address.of_text(address), f"{address} for admin", remedy)
        return cls(bound, application, board, banks)

    def posts(self, edition: Callable[[], Edition]) -> list[Post]:
        """The post of the admin process, which begins with what `edition` returns then."""
        if self._bound is None:
            return []
        return [Post("admin", lambda channel: self._work(channel, edition()), [self._bound])]

    def announce(self) -> None:
        if self._bound is not None:
            host, port = self._bound.getsockname()[:2]
            say(f"admin on http://{Address(self._bound.family, host, port)}")

    def close(self) -> None:
        if self._bound is not None:
            self._bound.close()

    def _work(self, channel: Channel, edition: Edition) -> int:
        # Imported here only: neither the parent nor a worker should carry a web framework.
        from detour.serve import admin

        assert self._bound is not None
        return admin.run(self._bound, Readings(self._board, self._banks), edition, channel, self._application)
