"""Sends one request after another and waits for each answer."""

from __future__ import annotations

from time import sleep
from types import TracebackType
from typing import Self, cast

from detour.core.chain import End, Response
from detour.errors import DetourError
from detour.net.exchange import Exchange, Pause, Sending, T
from detour.net.lines import Lines
from detour.net.settings import TransportSettings

__all__ = ["Exchange", "Pause", "Sending", "Transport", "TransportSettings"]

_LONG = 3600.0  # seconds; libcurl's own timers end the waiting


class Transport:
    """One request at a time, over connections that stay open; a context manager, not for several threads."""

    def __init__(self, settings: TransportSettings | None = None) -> None:
        self._lines = Lines(settings or TransportSettings(), 1)
        self._sent = 0

    def send(self, sending: Sending) -> Response | End:
        """Send a request and wait for what comes; raises `DetourError` for what HTTP cannot say."""
        self._sent += 1
        mine = self._sent
        self._lines.start(sending, mine)
        while True:
            for tag, outcome in self._lines.wait(_LONG):
                if tag == mine:  # not of one that was interrupted
                    return outcome

    def run(self, exchange: Exchange[T]) -> T:
        """Do what an exchange asks for until it returns its result."""
        try:
            asked = next(exchange)
            while True:
                try:
                    answer = self._obey(asked)
                except DetourError as error:
                    asked = exchange.throw(error)
                else:
                    asked = exchange.send(answer)
        except StopIteration as stop:
            return cast(T, stop.value)

    def _obey(self, asked: Sending | Pause) -> Response | End | None:
        if isinstance(asked, Sending):
            return self.send(asked)
        sleep(asked.seconds)
        return None

    def close(self) -> None:
        """Close every connection."""
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()
