"""The yardstick: the least an asyncio protocol on uvloop and httptools does to answer a redirect.

What a user would write in an afternoon: no limits, no timeouts, no rules; the answer is a look-up in a
dict of prebuilt bytes, emptied each second so that `Date` is true. It answers at the end of the head and
drains content.
Usage: python -m bench.serve.bare PORT
"""

from __future__ import annotations

import asyncio
import sys
from email.utils import formatdate
from typing import cast

import httptools
import uvloop

LOCATION = b"https://api.example.com/v2/resource"
KNOWN = {b"/v1/resource": LOCATION}
NOTE = b'<p>Temporarily at <a href="%b">%b</a>.</p>\n' % (LOCATION, LOCATION)

memo: dict[tuple[bytes, bytes], bytes] = {}


def compose(method: bytes, target: bytes) -> bytes:
    """The whole answer as octets, with the fields that Detour's has."""
    location = KNOWN.get(target)
    if location is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    note = NOTE if method == b"GET" else b""
    lines = [
        b"HTTP/1.1 307 Temporary Redirect",
        b"Location: " + location,
        b"Cache-Control: no-store",
        b"Date: " + formatdate(usegmt=True).encode(),
        b"X-Redirect-By: bare resource",
        *([b"Content-Type: text/html; charset=utf-8"] if note else []),
        b"Content-Length: %d" % len(note),
    ]
    return b"\r\n".join([*lines, b"", note])


class Bare(asyncio.Protocol):
    """One connection; httptools calls the `on_` methods."""

    __slots__ = ("fields", "keep", "parser", "transport", "url")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.keep = True

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        key = (self.parser.get_method(), self.url)
        self.keep = self.parser.should_keep_alive()
        answer = memo.get(key)
        if answer is None:
            answer = memo[key] = compose(*key)
        self.transport.write(answer)

    def on_message_complete(self) -> None:
        self.url = b""
        self.fields = []
        if not self.keep:
            self.transport.close()


def forget(loop: asyncio.AbstractEventLoop) -> None:
    """Empty the memo, now and each second."""
    memo.clear()
    loop.call_later(1.0, forget, loop)


async def serve(protocol: type[asyncio.BaseProtocol], port: int) -> None:
    """Answer on loopback until killed."""
    loop = asyncio.get_running_loop()
    forget(loop)
    server = await loop.create_server(protocol, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Bare, int(sys.argv[1])))
