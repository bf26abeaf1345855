"""Starlette's ways to redirect: `app`, and `secure` that enforces https."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

METHODS = ["GET", "POST", "PUT"]


async def here(request: Request) -> Response:
    return PlainTextResponse("here")


async def moved(request: Request) -> Response:
    return RedirectResponse("/here", status_code=int(request.query_params.get("status", "307")))


routes = [
    Route("/slash/", here, methods=METHODS),
    Route("/bare", here, methods=METHODS),
    Route("/moved", moved, methods=METHODS),
    Mount("/mount", routes=[Route("/", here, methods=METHODS)]),
]
app = Starlette(routes=routes)
secure = Starlette(routes=routes, middleware=[Middleware(HTTPSRedirectMiddleware)])
