"""tornado: an `AsyncHTTPClient` (the simple one), redirects followed as it does of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from lab import PIECE, Answer, Case, Unsupported, run_async

Write = Callable[[bytes], Awaitable[None]]


@asynccontextmanager
async def client() -> AsyncIterator[AsyncHTTPClient]:
    """A client of its own; `AsyncHTTPClient()` is one for all."""
    opened = AsyncHTTPClient(force_instance=True)
    try:
        yield opened
    finally:
        opened.close()


async def send(opened: AsyncHTTPClient, case: Case) -> Answer:
    """One `fetch`. It wants content with some methods, none with others, and knows no QUERY, unless
    `allow_nonstandard_methods` says that this is meant."""
    fields = HTTPHeaders()
    for name, value in case.typed():
        fields.add(name, value)
    request = HTTPRequest(
        case.url,
        case.method,
        fields,
        request_timeout=case.timeout,
        connect_timeout=case.timeout,
        allow_nonstandard_methods=True,
        **_content(case),
    )
    try:
        answer = await opened.fetch(request)
    except (HTTPStreamClosedError, HTTPTimeoutError):
        raise
    except HTTPClientError as error:
        if error.response is None or error.code == 599:
            raise
        answer = error.response
    return answer.code, answer.effective_url


def _content(case: Case) -> dict[str, Any]:
    if case.kind in ("stream", "chunked") and case.method not in ("POST", "PUT", "PATCH"):
        raise Unsupported(f"calls no body_producer for a {case.method}")
    match case.kind:
        case "none":
            return {}
        case "form":
            return {"body": urlencode(case.pairs)}
        case "empty" | "json" | "large":
            return {"body": case.octets()}
        case "stream":
            return {"body_producer": _once(case)}
        case "chunked":
            return {"body_producer": _again(case)}
        case "expect":
            return {"body": case.octets(), "expect_100_continue": True}
    raise Unsupported(f"knows no content of kind {case.kind}")


def _once(case: Case) -> Callable[[Write], Awaitable[None]]:
    pieces = case.stream()

    async def produce(write: Write) -> None:
        for piece in pieces:
            await write(piece)

    return produce


def _again(case: Case) -> Callable[[Write], Awaitable[None]]:
    octets = case.octets()

    async def produce(write: Write) -> None:
        for at in range(0, len(octets), PIECE):
            await write(octets[at : at + PIECE])

    return produce


run_async(send, client)
