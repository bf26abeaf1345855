"""Tornado's ways to redirect, on the port it is given."""

from __future__ import annotations

import asyncio
import sys

from tornado.web import Application, RedirectHandler, RequestHandler, addslash, removeslash


class Added(RequestHandler):
    @addslash
    def get(self) -> None:
        self.write("here")


class Removed(RequestHandler):
    @removeslash
    def get(self) -> None:
        self.write("here")


class Moved(RequestHandler):
    def get(self) -> None:
        self.redirect("/here", status=int(self.get_argument("status", "302")))

    post = put = get


async def main() -> None:
    routes = [
        ("/added/?", Added),
        ("/removed/?", Removed),
        ("/moved", Moved),
        ("/table", RedirectHandler, {"url": "/here"}),
    ]
    Application(routes).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
