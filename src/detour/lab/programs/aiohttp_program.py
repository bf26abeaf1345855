"""aiohttp: a `ClientSession`, redirects followed as it does of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from lab import Answer, Case, Unsupported, run_async


async def send(session: aiohttp.ClientSession, case: Case) -> Answer:
    """One `ClientSession.request`, or one `ws_connect`."""
    if case.api == "websocket":
        async with session.ws_connect(case.url, headers=case.fields):
            return 101, ""
    async with session.request(case.method, case.url, **_content(case)) as answer:
        await answer.read()
        return answer.status, str(answer.url)


def _content(case: Case) -> dict[str, Any]:
    match case.kind:
        case "none":
            return {"headers": case.fields}
        case "form":
            return {"headers": case.fields, "data": case.pairs}
        case "multipart":
            return {"headers": case.fields, "data": _form(case)}
        case "empty" | "json" | "large":
            return {"headers": case.typed(), "data": case.octets()}
        case "file":
            return {"headers": case.typed(), "data": case.opened()}
        case "stream":
            return {"headers": case.typed(), "data": _stream(case)}
        case "chunked":
            return {"headers": case.typed(), "data": case.octets(), "chunked": True}
        case "expect":
            return {"headers": case.typed(), "data": case.octets(), "expect100": True}
    raise Unsupported(f"knows no content of kind {case.kind}")


def _form(case: Case) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for part in case.parts:
        if part.filename:
            form.add_field(
                part.name, part.file.open("rb"), filename=part.filename, content_type=part.media_type
            )
        else:
            form.add_field(part.name, part.text)
    return form


async def _stream(case: Case) -> AsyncIterator[bytes]:
    for piece in case.stream():
        yield piece


run_async(send, aiohttp.ClientSession, ("http", "websocket"))
