"""`python -m bench.check.bare_pycurl LIST AT_ONCE`: libcurl's own loop and following, no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pycurl


def _handle() -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.FOLLOWLOCATION, True)
    handle.setopt(pycurl.MAXREDIRS, 20)
    handle.setopt(pycurl.NOSIGNAL, True)
    handle.setopt(pycurl.WRITEFUNCTION, lambda _piece: None)
    return handle


class Loop:
    """A multi handle and the handles that are under way."""

    def __init__(self, urls: Iterator[str], at_once: int) -> None:
        self.urls, self.arrived, self.busy = urls, 0, 0
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, at_once)
        self.handles = [_handle() for _ in range(at_once)]
        for handle in self.handles:
            self.start(handle)

    def start(self, handle: pycurl.Curl) -> None:
        """Give a handle its next URL, if there is one."""
        url = next(self.urls, None)
        if url is not None:
            handle.setopt(pycurl.URL, url)
            self.multi.add_handle(handle)
            self.busy += 1

    def done(self, handle: pycurl.Curl) -> None:
        """Count what a handle ended with, and go on."""
        self.multi.remove_handle(handle)
        self.busy -= 1
        self.arrived += handle.getinfo(pycurl.RESPONSE_CODE) == 200
        self.start(handle)

    def run(self) -> int:
        """To the end of the list."""
        while self.busy:
            while self.multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
                pass
            queued = 1
            while queued:
                queued, good, bad = self.multi.info_read()
                for handle in (*good, *(one[0] for one in bad)):
                    self.done(handle)
            self.multi.select(0.1)
        return self.arrived


if __name__ == "__main__":
    print(f"{Loop(iter(Path(sys.argv[1]).read_text().split()), int(sys.argv[2])).run()} arrived")
