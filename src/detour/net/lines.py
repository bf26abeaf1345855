"""The lines of a transport and the loop that serves them: one thread waits for all their sockets at once.

libcurl is driven by its socket interface: it says which sockets it waits for, and is told which are ready,
so a request under way costs nothing while nothing happens to it.
"""

from __future__ import annotations

from typing import Any

import pycurl

from detour.core.chain import End, Response
from detour.core.url import DEFAULT_PORTS
from detour.net.address import refusal_of_name
from detour.net.certificate import Certificates
from detour.net.ends import Failed
from detour.net.exchange import Sending
from detour.net.inquiry import Inquiries
from detour.net.line import Line
from detour.net.settings import TransportSettings
from detour.net.watch import Watch

_GLANCE = 0.02  # seconds between two looks at evidence that is being fetched
_LEAST_KEPT = 16  # connections that stay open, if so many were opened
Arrival = tuple[Any, Response | End]  # the tag of a request, and what came of it


class Lines:
    """Up to `count` requests under way at once; not for several threads."""

    def __init__(self, settings: TransportSettings, count: int) -> None:
        self._settings = settings
        self._certificates = Certificates()
        self._multi = pycurl.CurlMulti()
        self._watch = Watch()
        self._free = [Line(settings, self._certificates)]
        self._count = count
        self._busy: dict[pycurl.Curl, Line] = {}
        self._running = 0
        self._late: list[Arrival] = []  # what was decided without libcurl
        self._inquiries = Inquiries(settings)
        self._multi.setopt(pycurl.M_MAXCONNECTS, max(count, _LEAST_KEPT))
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch.change)

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return len(self._busy)

    @property
    def room(self) -> int:
        """How many more may be started."""
        return self._count - len(self._busy)

    def start(self, sending: Sending, tag: Any = None) -> None:
        """Begin to send a request; raises `DetourError` for what HTTP cannot say."""
        refused = self._refused(sending)
        if refused:
            self._late.append((tag, refused))
            return
        line = self._free.pop() if self._free else Line(self._settings, self._certificates)
        try:
            line.load(sending, tag)
        except Exception:
            self._free.append(line)
            raise
        self._busy[line.curl] = line
        self._multi.add_handle(line.curl)

    def wait(self, seconds: float) -> list[Arrival]:
        """What has arrived, within `seconds` at most; less if something happens sooner."""
        if self._late or self._inquiries:
            seconds = 0.0 if self._late else min(seconds, _GLANCE)
        milliseconds = self._multi.timeout()  # cheaper than to be told of every change (M_TIMERFUNCTION)
        if milliseconds == 0:
            self._act(pycurl.SOCKET_TIMEOUT, 0)
            seconds = 0.0
        elif milliseconds > 0:
            seconds = min(seconds, milliseconds / 1000)
        for place, events in self._watch.ready(seconds):
            self._act(place, events)
        arrived = self._arrivals() if self._running < len(self._busy) else []
        if self._late or self._inquiries:
            arrived += self._late + self._inquiries.finished()
            self._late = []
        return arrived

    def close(self) -> None:
        """End what is under way and close every connection."""
        for curl in self._busy:
            self._multi.remove_handle(curl)
        for line in (*self._busy.values(), *self._free):
            line.curl.close()
        self._inquiries.close()
        self._busy.clear()
        self._free.clear()
        self._multi.close()
        self._watch.close()

    def _refused(self, sending: Sending) -> Failed | None:
        """The end of a request that no address is looked up for."""
        url = sending.request.url
        if url.scheme not in DEFAULT_PORTS:
            return Failed("refused-scheme", f"{url.scheme}: is neither http nor https")
        why = refusal_of_name(self._settings.guard, sending.before, url.hostname)
        return Failed("refused-address", why) if why else None

    def _act(self, place: int, events: int) -> None:
        self._running = self._multi.socket_action(place, events)[1]

    def _arrivals(self) -> list[Arrival]:
        queued = 1
        arrived: list[Arrival] = []
        while queued:
            queued, done, failed = self._multi.info_read()
            for curl in done:
                self._take(curl, 0, "", arrived)
            for curl, code, words in failed:
                self._take(curl, code, words, arrived)
        return arrived

    def _take(self, curl: pycurl.Curl, code: int, words: str, arrived: list[Arrival]) -> None:
        """Free the line of a request that is done; what came has arrived, or evidence of it is fetched."""
        line = self._busy.pop(curl)
        self._multi.remove_handle(curl)
        outcome = line.result(code, words)
        self._free.append(line)
        if not self._inquiries.takes(line.sending, outcome, line.tag):
            arrived.append((line.tag, outcome))
