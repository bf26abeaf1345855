"""Which sockets libcurl waits for, and which of them are ready: epoll where there is one, else a selector.

libcurl forgets a connection between two requests and asks for it again with the next; here it stays
watched meanwhile, and is dropped when it becomes ready while nobody waits for it. A socket may have been
closed and its number given to another in between: the kernel then says that it does not know it.
"""

from __future__ import annotations

import select
import selectors
import sys
from typing import Any

import pycurl

_NOT_WAITING = (pycurl.POLL_REMOVE, pycurl.POLL_NONE)
_IN, _OUT, _ERR = pycurl.CSELECT_IN, pycurl.CSELECT_OUT, pycurl.CSELECT_ERR


class SelectorWatch:
    """Sockets watched by whatever the platform has."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def change(self, what: int, place: int, _multi: Any, _data: Any) -> None:
        """M_SOCKETFUNCTION: libcurl begins, changes or ends to wait for a socket."""
        known = self._selector.get_map()
        if what in _NOT_WAITING:
            if place in known:
                self._selector.unregister(place)
        elif place in known:
            self._selector.modify(place, what)
        else:
            self._selector.register(place, what)

    def ready(self, seconds: float) -> list[tuple[int, int]]:
        """The sockets that became ready within `seconds`, and for what."""
        return [(key.fd, events) for key, events in self._selector.select(seconds)]

    def close(self) -> None:
        """Watch no more."""
        self._selector.close()


if sys.platform == "linux":
    _EVENTS = {
        pycurl.POLL_IN: select.EPOLLIN,
        pycurl.POLL_OUT: select.EPOLLOUT,
        pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
    }
    # What epoll reports, as libcurl wants to hear it.
    _HEARD = {
        events: (_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0)
        | (_OUT if events & select.EPOLLOUT else 0)
        | (_ERR if events & (select.EPOLLERR | select.EPOLLHUP) else 0)
        for events in range(32)
    }

    class EpollWatch:
        """Sockets watched by epoll; a number below 0 marks one that nobody waits for at present."""

        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._known: dict[int, int] = {}

        def change(self, what: int, place: int, _multi: Any, _data: Any) -> None:
            """M_SOCKETFUNCTION: libcurl begins, changes or ends to wait for a socket."""
            known = self._known
            if what in _NOT_WAITING:
                known[place] = -1
                return
            events = _EVENTS[what]
            if place in known:
                try:
                    self._epoll.modify(place, events)
                except FileNotFoundError:
                    self._epoll.register(place, events)
            else:
                self._epoll.register(place, events)
            known[place] = events

        def ready(self, seconds: float) -> list[tuple[int, int]]:
            """The sockets that became ready within `seconds`, and for what."""
            known = self._known
            found = []
            for place, events in self._epoll.poll(seconds):
                if known[place] < 0:
                    del known[place]
                    self._epoll.unregister(place)
                else:
                    found.append((place, _HEARD[events]))
            return found

        def close(self) -> None:
            """Watch no more."""
            self._epoll.close()

    Watch = EpollWatch
else:
    Watch = SelectorWatch
