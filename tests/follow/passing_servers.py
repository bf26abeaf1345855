"""Applications asked through a proxy that writes their fields in an order of its own, or in lower case."""

from __future__ import annotations

from tests.follow.application_servers import APPLICATION_SERVERS
from tests.follow.edge_servers import CADDY_CONF, CADDY_RUN, HAPROXY_RUN, haproxy
from tests.follow.programs import Program

PASSED_ON = (
    "starlette-uvicorn",
    "starlette-https-uvicorn",
    "django-gunicorn",
    "django-https-gunicorn",
    "flask-gunicorn",
    "aiohttp",
    "tornado",
    "node",
    "express-unnamed",
    "fastify",
    "go",
    "php",
    "sinatra-webrick",
    "rails-webrick",
)
CADDY_FILE = CADDY_CONF % "  reverse_proxy 127.0.0.1:{behind}"
HAPROXY_BACK = "  default_backend back\nbackend back\n  server one 127.0.0.1:{behind}"

PASSING_SERVERS: tuple[Program, ...] = tuple(
    Program(f"{proxy}-{one.name}", one.emitter, run, one.asks, files=files, behind=one)
    for proxy, run, files in (
        ("caddy", CADDY_RUN, {"Caddyfile": CADDY_FILE}),
        ("haproxy", HAPROXY_RUN, haproxy(HAPROXY_BACK)),
    )
    for one in APPLICATION_SERVERS
    if one.name in PASSED_ON
)
