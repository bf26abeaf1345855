"""What Python's frameworks leave in a redirect, whatever server they run on.

A proxy may replace Server and add fields, so every framework has rows that do without; those marks are
weaker, and most of their rows *suggest*.
"""

from __future__ import annotations

from detour.follow.fingerprint import Confidence, Fingerprint, Mark
from detour.follow.fingerprints.marks import (
    ABSOLUTE,
    EMPTY,
    HTML_UTF8,
    NO_CONTENT,
    REASONS,
    RELATIVE,
    change,
    content,
    field,
    no_field,
    order,
    status,
)

# --- Starlette, FastAPI ---

# starlette/responses.py writes content-length when the response is made and location after it; the server
# puts date before (uvicorn) or after (hypercorn, gunicorn). HAProxy has the same pair, but never a Date.
_STARLETTE = (EMPTY, order("(.* )?content-length location( .*)?"), field("Date", ".+"))
_STARLETTE_BARE = (*_STARLETTE, no_field("Cache-Control"), no_field("Content-Type"), NO_CONTENT)
_ASGI_SERVER = field("Server", "(uvicorn|hypercorn-.+|gunicorn.*)")
_SLASH = (status("307"), ABSOLUTE)
_ADDED_REMEDY = (
    "Starlette(redirect_slashes=False) or FastAPI(redirect_slashes=False), and a route for the path without "
    "the slash; for a Mount: a Route for its path beside it"
)
_DROPPED_REMEDY = (
    "Starlette(redirect_slashes=False) or FastAPI(redirect_slashes=False), and a route with the slash"
)
_HTTPS_REMEDY = (
    "HTTPSRedirectMiddleware: take it away where a proxy ends TLS, or uvicorn --proxy-headers "
    "--forwarded-allow-ips=ADDRESS-OF-THE-PROXY"
)
_RESPONSE_REMEDY = "RedirectResponse(url, status_code=…): its default is 307"
_MOUNT_NOTE = "A Mount asked for without its slash looks the same, and answers before any authentication."

_STARLETTE_ROWS = (
    Fingerprint(
        "Starlette",
        "redirect-slashes",
        (*_SLASH, *_STARLETTE_BARE, change("slash-added"), _ASGI_SERVER),
        "is",
        "starlette-uvicorn/get-slash",
        _ADDED_REMEDY,
        _MOUNT_NOTE,
    ),
    Fingerprint(
        "Starlette",
        "redirect-slashes",
        (*_SLASH, *_STARLETTE_BARE, change("slash-dropped"), _ASGI_SERVER),
        "is",
        "starlette-uvicorn/get-bare",
        _DROPPED_REMEDY,
    ),
    Fingerprint(
        "Starlette",
        "https-redirect",
        (status("307"), *_STARLETTE_BARE, change("https"), _ASGI_SERVER),
        "is",
        "starlette-https-uvicorn/get-bare",
        _HTTPS_REMEDY,
    ),
    Fingerprint(
        "Starlette",
        "redirect",
        (status("30[12378]"), *_STARLETTE, no_field("Content-Type"), NO_CONTENT, _ASGI_SERVER),
        "is",
        "starlette-uvicorn/get-moved",
        _RESPONSE_REMEDY,
    ),
    Fingerprint(
        "Starlette",
        "redirect-slashes",
        (*_SLASH, *_STARLETTE_BARE, change("slash-added")),
        "suggests",
        "starlette-uvicorn/get-slash",
        _ADDED_REMEDY,
        _MOUNT_NOTE,
    ),
    Fingerprint(
        "Starlette",
        "redirect-slashes",
        (*_SLASH, *_STARLETTE_BARE, change("slash-dropped")),
        "suggests",
        "starlette-uvicorn/get-bare",
        _DROPPED_REMEDY,
    ),
    Fingerprint(
        "Starlette",
        "https-redirect",
        (status("307"), *_STARLETTE_BARE, change("https")),
        "suggests",
        "starlette-https-uvicorn/get-bare",
        _HTTPS_REMEDY,
    ),
    Fingerprint(
        "Starlette",
        "redirect",
        (status("30[12378]"), *_STARLETTE_BARE),
        "suggests",
        "starlette-uvicorn/get-moved",
        _RESPONSE_REMEDY,
    ),
)

# --- Django ---

# SecurityMiddleware sets both after the view's own fields (django/middleware/security.py).
_DJANGO = (
    HTML_UTF8,
    order("(.* )?content-type location (.* )?x-content-type-options referrer-policy( .*)?"),
    field("Referrer-Policy", "same-origin"),
    field("X-Content-Type-Options", "nosniff"),
    NO_CONTENT,
)
# Without SecurityMiddleware only XFrameOptionsMiddleware is left to be seen.
_DJANGO_FRAME = (HTML_UTF8, order("(.* )?content-type location x-frame-options( .*)?"), NO_CONTENT)

_DJANGO_ROWS = (
    Fingerprint(
        "Django",
        "append-slash",
        (status("301"), *_DJANGO, RELATIVE, change("slash-added")),
        "is",
        "django-gunicorn/get-slash",
        "settings.py: APPEND_SLASH = False, and a path() without the slash",
        "301 for POST, too: clients then send GET.",
    ),
    Fingerprint(
        "Django",
        "https-redirect",
        (status("301"), *_DJANGO, change("https")),
        "is",
        "django-https-gunicorn/get-slash",
        "settings.py: SECURE_SSL_REDIRECT = False where a proxy ends TLS, or "
        'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")',
    ),
    Fingerprint(
        "Django",
        "login-required",
        (status("302"), *_DJANGO, field("Location", r".*[?&]next=.*")),
        "is",
        "django-gunicorn/get-private",
        "the view's login_required or LoginRequiredMixin; settings.py: LOGIN_URL",
    ),
    Fingerprint(
        "Django",
        "redirect",
        _DJANGO,
        "is",
        "django-gunicorn/get-view",
        "the view's redirect() or RedirectView; preserve_request=True makes it 307 or 308 (Django 5.2)",
    ),
    Fingerprint(
        "Django",
        "redirect",
        _DJANGO_FRAME,
        "suggests",
        "django-gunicorn/get-view, without its last two fields",
        "the view's redirect() or RedirectView; preserve_request=True makes it 307 or 308 (Django 5.2)",
    ),
)

# --- Flask, Werkzeug ---

_WERKZEUG_NOTE = content(
    r"<!doctype html>\n.*<title>Redirecting\.\.\.</title>\n<h1>Redirecting\.\.\.</h1>\n.*"
)
_LOUD = Mark("reason", "MOVED PERMANENTLY|FOUND|SEE OTHER|TEMPORARY REDIRECT|PERMANENT REDIRECT")
_STRICT_REMEDY = "app.url_map.strict_slashes = False, or @app.route(…, strict_slashes=False)"
_FLASK_REMEDY = "redirect(location, code=…) in the view: its default is 302"

_FLASK_ROWS = (
    Fingerprint(
        "Flask",
        "strict-slashes",
        (status("308"), _WERKZEUG_NOTE, HTML_UTF8, ABSOLUTE, change("slash-added")),
        "is",
        "flask-gunicorn/get-slash",
        _STRICT_REMEDY,
    ),
    Fingerprint(
        "Flask",
        "redirect",
        (_WERKZEUG_NOTE, HTML_UTF8),
        "is",
        "flask-gunicorn/get-moved",
        _FLASK_REMEDY,
    ),
    Fingerprint(
        "Flask",
        "strict-slashes",
        (status("308"), _LOUD, HTML_UTF8, ABSOLUTE, change("slash-added")),
        "suggests",
        "flask-gunicorn/get-slash, as HEAD shows it",
        _STRICT_REMEDY,
    ),
    Fingerprint(
        "Flask",
        "redirect",
        (_LOUD, HTML_UTF8),
        "suggests",
        "flask-gunicorn/get-moved, as HEAD shows it",
        _FLASK_REMEDY,
    ),
)

# --- aiohttp ---

_AIOHTTP_NOTE = content(rf"30[12378]: {REASONS}")
_AIOHTTP = (
    field("Content-Type", "text/plain; charset=utf-8"),
    order("(.* )?content-type location content-length( .*)?"),
)
_NORMALIZE_REMEDY = "web.normalize_path_middleware(append_slash=False), or add the path to the router"
_AIOHTTP_REMEDY = "the handler that raises web.HTTPTemporaryRedirect, HTTPFound or another HTTPRedirection"

_AIOHTTP_ROWS = (
    Fingerprint(
        "aiohttp",
        "normalize-path",
        (status("308"), _AIOHTTP_NOTE, *_AIOHTTP, RELATIVE, change("slash-added|slash-dropped")),
        "is",
        "aiohttp/get-slash",
        _NORMALIZE_REMEDY,
    ),
    Fingerprint(
        "aiohttp", "redirect", (_AIOHTTP_NOTE, *_AIOHTTP), "is", "aiohttp/get-moved", _AIOHTTP_REMEDY
    ),
    Fingerprint(
        "aiohttp",
        "normalize-path",
        (
            status("308"),
            field("Server", r"Python/3\.\d+ aiohttp/.+"),
            RELATIVE,
            change("slash-added|slash-dropped"),
        ),
        "is",
        "aiohttp/get-slash",
        _NORMALIZE_REMEDY,
    ),
    Fingerprint(
        "aiohttp",
        "redirect",
        (field("Server", r"Python/3\.\d+ aiohttp/.+"),),
        "is",
        "aiohttp/get-moved",
        _AIOHTTP_REMEDY,
    ),
)

# --- Tornado ---

_TORNADO = (
    field("Content-Type", "text/html; charset=UTF-8"),
    order("(.* )?content-type date location content-length( .*)?"),
    EMPTY,
)
_TORNADO_SERVER = field("Server", "TornadoServer/.+")
_ADDSLASH_REMEDY = "take @addslash from the handler's method"
_REMOVESLASH_REMEDY = "take @removeslash from the handler's method"
_TORNADO_REMEDY = "self.redirect(url, status=307) in the handler, or the RedirectHandler of the route"


def _tornado(confidence: Confidence, of: tuple[Mark, ...]) -> tuple[Fingerprint, ...]:
    rows = (
        ("addslash", (status("301"), RELATIVE, change("slash-added")), "get-added", _ADDSLASH_REMEDY),
        ("removeslash", (status("301"), change("slash-dropped")), "get-removed", _REMOVESLASH_REMEDY),
        ("redirect", (status("30[12378]"),), "get-moved", _TORNADO_REMEDY),
    )
    return tuple(
        Fingerprint("Tornado", cause, (*marks, *of), confidence, f"tornado/{capture}", remedy)
        for cause, marks, capture, remedy in rows
    )


_TORNADO_ROWS = (*_tornado("is", (_TORNADO_SERVER,)), *_tornado("suggests", _TORNADO))

PYTHON: tuple[Fingerprint, ...] = (
    *_STARLETTE_ROWS,
    *_DJANGO_ROWS,
    *_FLASK_ROWS,
    *_AIOHTTP_ROWS,
    *_TORNADO_ROWS,
)
