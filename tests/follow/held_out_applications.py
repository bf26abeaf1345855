"""Captures that the table of fingerprints was not made from: other versions, servers, settings, a proxy.

`python -m tests.follow.held_out_applications [PROGRAM…]` writes them anew. Debian's builds stand for other
versions; `MODULES_4` is a folder with Fastify 4. They are for scoring: nothing in the table may be fitted
to them.
"""

from __future__ import annotations

import os
import sys

from tests.follow.application_servers import APPLICATION_SERVERS, ASGI, FORCE_SSL, HYPERCORN, RAILS, SINATRA
from tests.follow.captured import HELD_OUT, write
from tests.follow.programs import Ask, Program, asks

DEBIAN = "/usr/bin/python3"
GUNICORN = (DEBIAN, "/usr/bin/gunicorn", "--chdir", "{apps}", "--bind", "127.0.0.1:{port}")
PUMA = ("puma", "--bind", "tcp://127.0.0.1:{port}", "--environment", "production")

STARLETTE: tuple[Ask, ...] = (
    *asks("redirect-slashes", "/slash?b=2", "/bare/?c", "/mount", methods="GET POST PUT"),
    *asks("redirect", "/moved?status=301", "/moved?status=303", methods="GET POST PUT"),
)
HTTPS = asks("https-redirect", "/slash/?b=2", "/moved", methods="GET PUT")
DJANGO = (
    *asks("append-slash", "/slash?b=2", methods="GET PUT"),
    *asks("redirect", "/view", "/view-for-good", "/kept", methods="GET PUT"),
    *asks("login-required", "/private", methods="GET PUT"),
)
FLASK = (
    *asks("strict-slashes", "/slash?b=2", methods="GET PUT"),
    *asks("redirect", "/moved?status=301", "/moved?status=303", "/moved?status=308", methods="GET PUT"),
)
AIOHTTP = (
    *asks("normalize-path", "/slash?b=2", methods="GET PUT"),
    *asks("redirect", "/moved?status=301", "/moved?status=303", methods="GET PUT"),
)
TORNADO = (
    *asks("addslash", "/added?b=2", methods="GET"),
    *asks("removeslash", "/removed/?b=2", methods="GET"),
    *asks("redirect", "/moved?status=303", "/moved?status=308", methods="GET PUT"),
)
NODE = asks("write-head", "/other", "/set?status=301", "/written?status=308", methods="GET PUT")
EXPRESS = (
    *asks("redirect", "/moved?status=301", "/moved?status=303", "/moved?status=308", methods="GET PUT"),
    *asks("directory-slash", "/files/folder", methods="GET"),
)
GO = (
    *asks("servemux-slash", "/tree?b=2", methods="GET PUT"),
    *asks("servemux-clean-path", "/tree//b//c", methods="GET PUT"),
    *asks("redirect", "/moved?status=301", "/moved?status=303", methods="GET PUT"),
    *asks("redirect", "/moved?status=308", methods="GET PUT"),
    *asks("file-server", "/files/folder", methods="GET"),
)
PHP = asks("header-location", "/?status=301", "/written?status=308", methods="GET PUT")

HELD_OUT_SERVERS: tuple[Program, ...] = (
    Program(
        "starlette-0-uvicorn", "Starlette", (DEBIAN, "-m", "uvicorn", "starlette_app:app", *ASGI), STARLETTE
    ),
    Program(
        "starlette-0-https", "Starlette", (DEBIAN, "-m", "uvicorn", "starlette_app:secure", *ASGI), HTTPS
    ),
    Program(
        "starlette-0-hypercorn",
        "Starlette",
        (DEBIAN, "-m", *HYPERCORN, "starlette_app:app"),
        STARLETTE,
    ),
    Program(
        "starlette-0-gunicorn",
        "Starlette",
        (*GUNICORN, "-k", "uvicorn.workers.UvicornWorker", "starlette_app:app"),
        STARLETTE,
    ),
    Program("starlette-https-hypercorn", "Starlette", (*HYPERCORN, "starlette_app:secure"), HTTPS),
    Program("django-3-gunicorn", "Django", (*GUNICORN, "django_app:app"), DJANGO),
    Program("django-3-uvicorn", "Django", (DEBIAN, "-m", "uvicorn", "django_app:asgi", *ASGI), DJANGO),
    Program("django-uvicorn", "Django", ("uvicorn", "django_app:asgi", *ASGI), DJANGO),
    Program("django-hypercorn", "Django", (*HYPERCORN, "django_app:asgi"), DJANGO),
    Program(
        "django-https-uvicorn",
        "Django",
        ("uvicorn", "django_app:asgi", *ASGI),
        asks("https-redirect", "/slash?b=2", "/view", methods="GET PUT"),
        {"DETOUR_SECURE": "1"},
    ),
    Program("flask-2-werkzeug", "Flask", (DEBIAN, "{apps}/flask_app.py", "{port}"), FLASK),
    Program("flask-2-gunicorn", "Flask", (*GUNICORN, "flask_app:app"), FLASK),
    Program("flask-hypercorn", "Flask", (*HYPERCORN, "flask_app:app"), FLASK),
    Program("aiohttp-38", "aiohttp", (DEBIAN, "{apps}/aiohttp_app.py", "{port}"), AIOHTTP),
    Program(
        "aiohttp-gunicorn",
        "aiohttp",
        (*GUNICORN, "-k", "aiohttp.GunicornWebWorker", "aiohttp_app:app"),
        AIOHTTP,
    ),
    Program("tornado-62", "Tornado", (DEBIAN, "{apps}/tornado_app.py", "{port}"), TORNADO),
    Program("node-other", "Node.js", ("node", "{apps}/node_http.cjs", "{port}"), NODE),
    Program(
        "express-4",
        "Express",
        ("node", "{apps}/express_app.cjs", "{port}"),
        EXPRESS,
        {"DETOUR_MODULES": "/usr/share/nodejs", "NODE_PATH": "/usr/share/nodejs"},
    ),
    Program(
        "express-4-unnamed",
        "Express",
        ("node", "{apps}/express_app.cjs", "{port}"),
        EXPRESS,
        {"DETOUR_MODULES": "/usr/share/nodejs", "NODE_PATH": "/usr/share/nodejs", "DETOUR_QUIET": "1"},
    ),
    Program(
        "fastify-4",
        "Fastify",
        ("node", "{apps}/fastify_app.cjs", "{port}"),
        EXPRESS,
        {"DETOUR_MODULES": os.environ.get("MODULES_4", "/nowhere")},
    ),
    Program(
        "go-119",
        "Go",
        ("{go}", "{port}", "{apps}/public"),
        GO,
        {"DETOUR_GO": "/usr/lib/go-1.19/bin/go", "GO111MODULE": "off"},
    ),
    Program(
        "php-unnamed",
        "PHP",
        ("php", "-d", "expose_php=0", "-S", "127.0.0.1:{port}", "{apps}/redirects.php"),
        PHP,
    ),
    Program("sinatra-puma", "Sinatra", ("ruby", "{apps}/sinatra_app.rb", "{port}", "puma"), SINATRA),
    Program("rails-puma", "Rails", (*PUMA, "{apps}/rails_app.ru"), RAILS),
    Program("rails-https-puma", "Rails", (*PUMA, "{apps}/rails_app.ru"), FORCE_SSL, {"DETOUR_SECURE": "1"}),
)

# Programs of the table's own captures, asked through nginx, which names itself and orders fields anew.
PROXIED = (
    "starlette-uvicorn",
    "starlette-hypercorn",
    "django-gunicorn",
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
    "rails-https-webrick",
)
PROXY = """
daemon off;
{nginx user}
pid {folder}/nginx.pid;
events { }
http {
  access_log off;
  server {
    listen 127.0.0.1:{port};
    location / {
      proxy_pass http://127.0.0.1:{behind};
      proxy_http_version 1.1;
      proxy_redirect off;
      proxy_set_header Host $host;
    }
  }
}
"""
NGINX = ("nginx", "-e", "stderr", "-p", "{folder}", "-c", "{folder}/nginx.conf")
BEHIND_NGINX = tuple(
    Program(f"nginx-{one.name}", one.emitter, NGINX, one.asks, files={"nginx.conf": PROXY}, behind=one)
    for one in APPLICATION_SERVERS
    if one.name in PROXIED
)

if __name__ == "__main__":
    folders = ((HELD_OUT_SERVERS, "applications"), (BEHIND_NGINX, "applications_behind_nginx"))
    for servers, name in folders:
        write((one for one in servers if one.name in sys.argv[1:] or not sys.argv[1:]), HELD_OUT / name)
