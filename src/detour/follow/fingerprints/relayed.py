"""What is left of an application's redirect when a proxy orders its fields anew and names itself.

Marks here ask neither order nor case nor Server, so each row *suggests*, and the rows of `python` and
`runtimes` that ask more come before. Seen in `tests/follow/captures/passed_on`: behind Caddy, which sorts
fields by name, and HAProxy, which writes names in lower case.
"""

from __future__ import annotations

from detour.follow.fingerprint import Fingerprint, Mark
from detour.follow.fingerprints.marks import (
    ABSOLUTE,
    EMPTY,
    HTML_UTF8,
    NO_CONTENT,
    REASONS,
    change,
    content,
    field,
    no_field,
    status,
)
from detour.follow.fingerprints.python import PYTHON
from detour.follow.fingerprints.runtimes import RUNTIMES

_REMEDIES = {(row.emitter, row.cause): row.remedy for row in reversed((*PYTHON, *RUNTIMES))}
_ADDED, _DROPPED, _TO_HTTPS = change("slash-added"), change("slash-dropped"), change("https")
_ANY = status("30[12378]")


def _rows(
    emitter: str, source: str, of: tuple[Mark, ...], *causes: tuple[str, tuple[Mark, ...]]
) -> tuple[Fingerprint, ...]:
    return tuple(
        Fingerprint(emitter, cause, (*marks, *of), "suggests", source, _REMEDIES[emitter, cause])
        for cause, marks in causes
    )


_BARE = (EMPTY, NO_CONTENT, no_field("Content-Type"), no_field("Cache-Control"))
_ASGI = field("Server", "(uvicorn|hypercorn-.+|gunicorn.*)")
_DJANGO = (
    HTML_UTF8,
    NO_CONTENT,
    field("Referrer-Policy", "same-origin"),
    field("X-Content-Type-Options", "nosniff"),
)
_AIOHTTP = (content(rf"30[12378]: {REASONS}"), field("Content-Type", "text/plain; charset=utf-8"))
_TORNADO = (field("Content-Type", "text/html; charset=UTF-8"), EMPTY, NO_CONTENT)
_NODE = (no_field("Server"), no_field("X-Powered-By"), Mark("reason", ".+"))

RELAYED: tuple[Fingerprint, ...] = (
    *_rows(
        "Starlette",
        "caddy-starlette-uvicorn/get-slash",
        _BARE,
        ("redirect-slashes", (status("307"), ABSOLUTE, _ADDED)),
        ("redirect-slashes", (status("307"), ABSOLUTE, _DROPPED)),
        ("https-redirect", (status("307"), _TO_HTTPS)),
        ("redirect", (_ANY, _ASGI)),
    ),
    *_rows(
        "Django",
        "caddy-django-gunicorn/get-slash",
        _DJANGO,
        ("append-slash", (status("301"), _ADDED)),
        ("https-redirect", (status("301"), _TO_HTTPS)),
        ("login-required", (status("302"), field("Location", r".*[?&]next=.*"))),
        ("redirect", (_ANY,)),
    ),
    *_rows(
        "aiohttp",
        "caddy-aiohttp/get-slash",
        _AIOHTTP,
        ("normalize-path", (status("308"), change("slash-added|slash-dropped"))),
        ("redirect", ()),
    ),
    *_rows(
        "Tornado",
        "caddy-tornado/get-added",
        _TORNADO,
        ("addslash", (status("301"), _ADDED)),
        ("removeslash", (status("301"), _DROPPED)),
        ("redirect", (_ANY,)),
    ),
    *_rows(
        "Fastify",
        "haproxy-fastify/get-moved",
        (*_NODE, field("Keep-Alive", "timeout=72"), EMPTY),
        ("directory-slash", (status("301"), _ADDED)),
        ("redirect", (_ANY,)),
    ),
    *_rows(
        "Node.js",
        "haproxy-node/get-bare",
        (*_NODE, field("Keep-Alive", "timeout=5")),
        ("write-head", (_ANY,)),
    ),
    *_rows(
        "Node.js",
        "caddy-node/get-bare",
        (
            no_field("Server"),
            no_field("X-Powered-By"),
            no_field("Content-Type"),
            field("Transfer-Encoding", "chunked"),
            NO_CONTENT,
        ),
        ("write-head", ()),
    ),
    *_rows(
        "Go",
        "caddy-go/get-files-folder",
        (status("301"), EMPTY, no_field("Content-Type"), field("Location", r"\./|\.\./[^/]+|[^/:]+/(\?.*)?")),
        ("file-server", ()),
    ),
)
