"""treq: an `HTTPClient` on an agent of Twisted, redirects followed as it does of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from treq.client import HTTPClient
from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import blockingCallFromThread
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers

from lab import Answer, Case, Unsupported, run

Opened = tuple[HTTPClient, HTTPConnectionPool]


@contextmanager
def client() -> Iterator[HTTPClient]:
    """A client with a pool of its own, closed at the end: treq's functions share one."""
    pool = HTTPConnectionPool(reactor)
    try:
        yield HTTPClient(Agent(reactor, pool=pool))
    finally:
        blockingCallFromThread(reactor, pool.closeCachedConnections)


def send(opened: HTTPClient, case: Case) -> Answer:
    """One `HTTPClient.request`, in the reactor's thread."""
    return blockingCallFromThread(reactor, _request, opened, case)


@inlineCallbacks
def _request(opened: HTTPClient, case: Case) -> Iterator[Deferred[Any]]:
    answer = yield opened.request(case.method, case.url, timeout=case.timeout, **_content(case))
    yield answer.content()
    return answer.code, answer.request.absoluteURI.decode()


def _content(case: Case) -> dict[str, Any]:
    fields = Headers()
    for name, value in case.fields if case.kind == "form" else case.typed():
        fields.addRawHeader(name, value)
    told: dict[str, Any] = {"headers": fields}
    match case.kind:
        case "none":
            return told
        case "form":
            return told | {"data": case.pairs}
        case "multipart":
            return told | _form(case)
        case "empty" | "json" | "large":
            return told | {"data": case.octets()}
        case "file":
            return told | {"data": case.opened()}
    raise Unsupported(f"knows no content of kind {case.kind}")


def _form(case: Case) -> dict[str, Any]:
    plain = {part.name: part.text for part in case.parts if not part.filename}
    files = {
        part.name: (part.filename, part.media_type, part.file.open("rb"))
        for part in case.parts
        if part.filename
    }
    return {"data": plain, "files": files}


def _all() -> None:
    try:
        run(send, client)
    finally:
        reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(reactor.callInThread, _all)
reactor.run()
