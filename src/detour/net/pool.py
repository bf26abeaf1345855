"""Many exchanges at once in one thread, each over the connections that the others left open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from time import monotonic
from typing import Generic

from detour.core.chain import End, Response
from detour.errors import DetourError
from detour.net.exchange import Exchange, Pause, Sending, T
from detour.net.lines import Lines
from detour.net.settings import TransportSettings
from detour.net.turns import Turns

_LONG = 3600.0  # seconds; libcurl's own timers end the waiting
_AHEAD = 8  # times `at_once`: exchanges taken from the input that wait for their host or for a pause to end
_MOST_FINISHED = 64  # results that are kept before they are handed out


class Pool:
    """Runs exchanges: at most `at_once` requests at a time, `per_host` to one host, `rate` begun a second."""

    def __init__(
        self,
        settings: TransportSettings | None = None,
        at_once: int = 64,
        per_host: int = 8,
        rate: float | None = None,
    ) -> None:
        self._settings = settings or TransportSettings()
        self._at_once = at_once
        self._per_host = per_host
        self._rate = rate

    def run(self, exchanges: Iterable[Exchange[T]]) -> Iterator[T]:
        """The results of `exchanges` as they finish; the input is taken as there is room for it."""
        running = _Run(
            Lines(self._settings, self._at_once),
            Turns(self._per_host, self._rate),
            iter(exchanges),
            self._at_once * _AHEAD,
        )
        try:
            yield from running.results()
        finally:
            running.lines.close()


class _Work(Generic[T]):
    """One exchange, and what it wants to be sent."""

    __slots__ = ("exchange", "host", "sending")

    def __init__(self, exchange: Exchange[T]) -> None:
        self.exchange = exchange
        self.host = ""
        self.sending: Sending | None = None


class _Run(Generic[T]):
    """One run of a pool."""

    def __init__(
        self, lines: Lines, turns: Turns[_Work[T]], source: Iterator[Exchange[T]], most_taken: int
    ) -> None:
        self.lines = lines
        self._turns = turns
        self._source: Iterator[Exchange[T]] | None = source
        self._most_taken = most_taken
        self._taken = 0  # exchanges that have begun and not finished
        self._paused: list[tuple[float, int, _Work[T]]] = []
        self._pauses = 0  # tells two that end at one instant apart
        self._finished: list[T] = []

    def results(self) -> Iterator[T]:
        """Send and receive until nothing is left."""
        while True:
            self._start_what_may()
            if self._finished:
                finished, self._finished = self._finished, []
                yield from finished
            if not self._taken:
                if self._source is None:
                    return
                continue
            for work, outcome in self.lines.wait(self._patience()):
                self._turns.done(work.host)
                self._go_on(work, outcome)

    def _start_what_may(self) -> None:
        if self._paused:
            self._end_pauses()
        for _ in range(self.lines.room):
            if not self._turns.any_ready and not self._take_more():
                return
            work = self._turns.next()
            if work is None:
                return
            self._start(work)

    def _start(self, work: _Work[T]) -> None:
        assert work.sending
        try:
            self.lines.start(work.sending, work)
        except DetourError as error:
            self._turns.done(work.host)
            self._go_on(work, error)

    def _take_more(self) -> bool:
        """Begin exchanges until one is ready to send; whether there is one."""
        while self._source and self._taken < self._most_taken:
            exchange = next(self._source, None)
            if exchange is None:
                self._source = None
                return False
            self._taken += 1
            self._go_on(_Work(exchange), None)
            if self._turns.any_ready:
                return True
            if len(self._finished) >= _MOST_FINISHED:
                return False
        return False

    def _go_on(self, work: _Work[T], answer: Response | End | DetourError | None) -> None:
        """Give an exchange what it waited for, and see what it asks for next."""
        try:
            if isinstance(answer, DetourError):
                asked = work.exchange.throw(answer)
            else:
                asked = work.exchange.send(answer)
        except StopIteration as stop:
            self._taken -= 1
            self._finished.append(stop.value)
            return
        if isinstance(asked, Pause):
            self._pauses += 1
            heappush(self._paused, (monotonic() + asked.seconds, self._pauses, work))
        else:
            work.sending = asked
            work.host = asked.request.url.hostname
            self._turns.ask(work.host, work)

    def _end_pauses(self) -> None:
        now = monotonic()
        while self._paused and self._paused[0][0] <= now:
            self._go_on(heappop(self._paused)[2], None)

    def _patience(self) -> float:
        """Seconds to wait for the network at most."""
        seconds = _LONG
        if self._paused:
            seconds = max(0.0, self._paused[0][0] - monotonic())
        if self._turns.any_ready and self.lines.room:
            seconds = min(seconds, self._turns.until_next())
        return 0.0 if self._finished else seconds
