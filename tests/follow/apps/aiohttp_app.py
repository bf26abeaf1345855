"""aiohttp's ways to redirect, on the port it is given."""

from __future__ import annotations

import sys

from aiohttp import web

EXCEPTIONS = {
    "301": web.HTTPMovedPermanently,
    "302": web.HTTPFound,
    "303": web.HTTPSeeOther,
    "307": web.HTTPTemporaryRedirect,
    "308": web.HTTPPermanentRedirect,
}


async def here(request: web.Request) -> web.Response:
    return web.Response(text="here")


async def moved(request: web.Request) -> web.Response:
    raise EXCEPTIONS[request.query.get("status", "307")]("/slash/")


app = web.Application(middlewares=[web.normalize_path_middleware()])
app.router.add_route("*", "/slash/", here)
app.router.add_route("*", "/moved", moved)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=lambda *_: None)
