"""Real applications that redirect, each with the server it runs on."""

from __future__ import annotations

from tests.follow.programs import MODULES, Program, asks

ASGI_SLASH = asks("redirect-slashes", "/slash", "/bare/", "/slash?a=1")
MOUNT = asks("redirect-slashes", "/mount")  # looks the same
MOVED = asks("redirect", "/moved", "/moved?status=302", "/moved?status=308")
STARLETTE = (*ASGI_SLASH, *MOUNT, *MOVED)
SECURE = asks("https-redirect", "/bare", "/slash/?a=1")
DJANGO = (
    *asks("append-slash", "/slash", "/slash?a=1"),
    *asks("redirect", "/view", "/view-for-good", "/kept"),
    *asks("login-required", "/private"),
)
FLASK = (*asks("strict-slashes", "/slash", "/slash?a=1"), *asks("redirect", "/moved", "/moved?status=307"))
AIOHTTP = (
    *asks("normalize-path", "/slash", "/slash?a=1"),
    *asks("redirect", "/moved", "/moved?status=302", "/moved?status=308"),
)
TORNADO = (
    *asks("addslash", "/added", "/added?a=1", methods="GET"),
    *asks("removeslash", "/removed/", methods="GET"),
    *asks("redirect", "/moved", "/moved?status=307"),
    *asks("redirect", "/table", methods="GET"),
)
NODE = asks("write-head", "/bare", "/set", "/set?status=302", "/written")
EXPRESS = (
    *asks("redirect", "/moved", "/moved?status=307"),
    *asks("directory-slash", "/files/folder", methods="GET"),
)
FASTIFY = EXPRESS
GO = (
    *asks("servemux-slash", "/tree"),
    *asks("servemux-clean-path", "/tree//a"),
    *asks("redirect", "/moved", "/moved?status=307", "/table"),
    *asks("file-server", "/files/folder", methods="GET"),
    *asks("file-server", "/files/folder/index.html", methods="GET"),
)
PHP = asks("header-location", "/", "/?status=307", "/written")
SINATRA = asks("redirect", "/moved", "/moved?status=307", "/to")
RAILS = (
    *asks("redirect-to", "/moved", "/moved?status=307"),
    *asks("route-redirect", "/table", "/kept"),
)
FORCE_SSL = asks("force-ssl", "/moved", "/here?a=1")

ASGI = ("--app-dir", "{apps}", "--port", "{port}", "--log-level", "warning")
WSGI = ("--chdir", "{apps}", "--bind", "127.0.0.1:{port}", "--no-control-socket")
HYPERCORN = ("hypercorn", "--bind", "127.0.0.1:{port}")
WEBRICK = ("rackup", "--server", "webrick", "--host", "127.0.0.1", "--port", "{port}", "--env", "production")
EXPRESS_APP = ("node", "{apps}/express_app.cjs", "{port}")

APPLICATION_SERVERS: tuple[Program, ...] = (
    Program("starlette-uvicorn", "Starlette", ("uvicorn", "starlette_app:app", *ASGI), STARLETTE),
    Program("starlette-https-uvicorn", "Starlette", ("uvicorn", "starlette_app:secure", *ASGI), SECURE),
    Program("starlette-hypercorn", "Starlette", (*HYPERCORN, "starlette_app:app"), STARLETTE),
    Program(
        "starlette-gunicorn",
        "Starlette",
        ("gunicorn", *WSGI, "--worker-class", "asgi", "starlette_app:app"),
        STARLETTE,
    ),
    Program("django-gunicorn", "Django", ("gunicorn", *WSGI, "django_app:app"), DJANGO),
    Program(
        "django-https-gunicorn",
        "Django",
        ("gunicorn", *WSGI, "django_app:app"),
        asks("https-redirect", "/slash", "/slash/?a=1"),
        {"DETOUR_SECURE": "1"},
    ),
    Program("flask-werkzeug", "Flask", ("{python}", "{apps}/flask_app.py", "{port}"), FLASK),
    Program("flask-gunicorn", "Flask", ("gunicorn", *WSGI, "flask_app:app"), FLASK),
    Program("aiohttp", "aiohttp", ("{python}", "{apps}/aiohttp_app.py", "{port}"), AIOHTTP),
    Program("tornado", "Tornado", ("{python}", "{apps}/tornado_app.py", "{port}"), TORNADO),
    Program("node", "Node.js", ("node", "{apps}/node_http.cjs", "{port}"), NODE),
    Program("express", "Express", EXPRESS_APP, EXPRESS, {"DETOUR_MODULES": str(MODULES)}),
    Program(
        "express-unnamed",
        "Express",
        EXPRESS_APP,
        EXPRESS,
        {"DETOUR_MODULES": str(MODULES), "DETOUR_QUIET": "1"},
    ),
    Program(
        "fastify",
        "Fastify",
        ("node", "{apps}/fastify_app.cjs", "{port}"),
        FASTIFY,
        {"DETOUR_MODULES": str(MODULES)},
    ),
    Program("go", "Go", ("{go}", "{port}", "{apps}/public"), GO),
    Program("php", "PHP", ("php", "-S", "127.0.0.1:{port}", "{apps}/redirects.php"), PHP),
    Program("sinatra-webrick", "Sinatra", ("ruby", "{apps}/sinatra_app.rb", "{port}", "webrick"), SINATRA),
    Program("rails-webrick", "Rails", (*WEBRICK, "{apps}/rails_app.ru"), RAILS),
    Program(
        "rails-https-webrick", "Rails", (*WEBRICK, "{apps}/rails_app.ru"), FORCE_SSL, {"DETOUR_SECURE": "1"}
    ),
)
