"""Clients that lie, as programs: each keeps to the standards but for one thing. `liars.py NAME`.

`honest` keeps to them in everything: its verdicts show that the lab asks nobody too much.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import ada_url

from lab import Answer, Case, Repeatable, Unsupported, run

REDIRECTS = (301, 302, 303, 307, 308)
CONTENT_FIELDS = ("content-type", "content-encoding", "content-language", "content-location")
MOST_HOPS = 20  # Fetch §4.4


@dataclass(frozen=True)
class Request:
    """What is sent next."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...]
    content: bytes | None  # None: none is given
    hop: int = 0


class Honest:
    """Follows as Fetch does; drops credentials where it must."""

    statuses: tuple[int, ...] = REDIRECTS

    def run(self, case: Case) -> Answer:
        """Send and follow."""
        self.case = case
        if case.kind == "expect":
            raise Unsupported("does not wait for 100")
        request = Request(case.method, case.url, tuple(case.typed()), self._content(case))
        while True:
            status, locations = self.send(request)
            if status not in self.statuses or not locations:
                return status, request.url
            request = self.following(request, status, self.one(locations))

    def one(self, locations: list[str]) -> str:
        """Fetch §2.2.6: more than one is a failure."""
        if len(set(locations)) > 1:
            raise ValueError("several Locations")
        return locations[0].encode("latin-1").decode("utf-8", "replace")

    def _content(self, case: Case) -> bytes | None:
        if case.kind == "multipart":
            raise Unsupported("makes no forms")
        return None if case.kind == "none" else case.octets()

    def send(self, request: Request) -> tuple[int, list[str]]:
        """One request, on a connection of its own."""
        parts = urlsplit(request.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        more = {"context": CONTEXT} if parts.scheme == "https" else {}
        connection = connect(parts.hostname or "", parts.port, timeout=self.case.timeout, **more)
        target = request.url.partition("://")[2].partition("/")[2].partition("#")[0]
        try:
            connection.putrequest(request.method, f"/{target}", skip_accept_encoding=True)
            self._head_and_content(connection, request)
            answer = connection.getresponse()
            return answer.status, answer.headers.get_all("Location") or []
        finally:
            connection.close()

    def _head_and_content(self, connection: http.client.HTTPConnection, request: Request) -> None:
        for name, value in request.fields:
            connection.putheader(name, value)
        chunked = self.case.kind in ("chunked", "stream") and request.content is not None
        if request.content is not None:
            framing = (
                ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", len(request.content))
            )
            connection.putheader(*framing)
        content: Iterable[bytes] | bytes | None = request.content
        with suppress(BrokenPipeError, ConnectionResetError):  # answered early: what was sent back counts
            connection.endheaders(Repeatable(content or b"") if chunked else content, encode_chunked=chunked)

    def following(self, before: Request, status: int, location: str) -> Request:
        """The request after a redirect."""
        url = ada_url.URL(location, base=before.url)
        if url.protocol not in ("http:", "https:"):
            raise ValueError(f"no way to {url.href}")
        if before.hop == MOST_HOPS:
            raise ValueError("too many redirects")
        after = replace(before, url=url.href, hop=before.hop + 1)
        after = replace(after, fields=self.carried(before, after))
        if self.rewrites(before.method, status):
            return without_content(after, "HEAD" if before.method == "HEAD" else "GET")
        if self.case.kind == "stream" and before.content is not None:
            raise ValueError("a stream cannot be sent again")
        return after

    def rewrites(self, method: str, status: int) -> bool:
        """Fetch §4.4, step 12."""
        return (status in (301, 302) and method == "POST") or (
            status == 303 and method not in ("GET", "HEAD")
        )

    def carried(self, before: Request, after: Request) -> tuple[tuple[str, str], ...]:
        """The fields that go on: credentials stay within their origin, cookies on their host."""
        old, new = urlsplit(before.url), urlsplit(after.url)
        kept = before.fields
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            kept = without(kept, "authorization", "proxy-authorization")
        return kept if old.hostname == new.hostname else without(kept, "cookie")


def without(fields: tuple[tuple[str, str], ...], *names: str) -> tuple[tuple[str, str], ...]:
    """All but those."""
    return tuple((name, value) for name, value in fields if name.lower() not in names)


def without_content(request: Request, method: str) -> Request:
    """As a retrieval."""
    return replace(request, method=method, content=None, fields=without(request.fields, *CONTENT_FIELDS))


class Later(Honest):
    """Lies about every request after the first."""

    def lie(self, request: Request) -> Request:
        raise NotImplementedError

    def following(self, before: Request, status: int, location: str) -> Request:
        return self.lie(super().following(before, status, location))


class DropsContent(Later):
    def lie(self, request: Request) -> Request:
        return replace(request, content=b"")


class DoublesContent(Later):
    def lie(self, request: Request) -> Request:
        return replace(request, content=(request.content or b"") * 2)


class ChangesOneByte(Later):
    def lie(self, request: Request) -> Request:
        content = bytearray(request.content or b"")
        content[len(content) // 2] ^= 1
        return replace(request, content=bytes(content))


class ChangesTheMethodsCase(Later):
    def lie(self, request: Request) -> Request:
        return replace(request, method=request.method.lower())


class Follows300(Honest):
    statuses = (300, *REDIRECTS)


class Hangs(Honest):
    """At every PUT."""

    def run(self, case: Case) -> Answer:
        if case.method == "PUT":
            time.sleep(60)
        return super().run(case)


class Dies(Honest):
    """At every PUT, and says why."""

    def run(self, case: Case) -> Answer:
        if case.method == "PUT":
            sys.stderr.write("a PUT is more than I can bear\n")
            sys.stderr.flush()
            os._exit(3)
        return super().run(case)


class Fickle(Honest):
    """Every second time it goes no further."""

    times = 0

    def run(self, case: Case) -> Answer:
        Fickle.times += 1
        self.statuses = REDIRECTS if Fickle.times % 2 else ()
        return super().run(case)


class ClaimsSuccess(Honest):
    def run(self, case: Case) -> Answer:
        self.case = case
        self.send(Request(case.method, case.url, tuple(case.typed()), self._content(case)))
        return 200, case.url


class LeaksOnTheThirdHop(Honest):
    def carried(self, before: Request, after: Request) -> tuple[tuple[str, str], ...]:
        if after.hop == 2:
            return tuple(self.case.fields)
        return super().carried(before, after)


LIARS = {
    "honest": Honest,
    "drops content": DropsContent,
    "doubles content": DoublesContent,
    "changes one byte": ChangesOneByte,
    "changes the method's case": ChangesTheMethodsCase,
    "follows 300": Follows300,
    "hangs": Hangs,
    "dies": Dies,
    "is fickle": Fickle,
    "claims success": ClaimsSuccess,
    "leaks on the third hop": LeaksOnTheThirdHop,
}

if __name__ == "__main__":
    CONTEXT = ssl.create_default_context()
    run(lambda _, case: LIARS[sys.argv[1]]().run(case))
