"""What applications, their frameworks and the servers they run on leave in a redirect.

A row that *is* somebody's rests on a capture (`tests/follow/captures`), and no other captured program has its
marks.
"""

from __future__ import annotations

from detour.follow.fingerprint import Fingerprint
from detour.follow.fingerprints.marks import field
from detour.follow.fingerprints.python import PYTHON
from detour.follow.fingerprints.relayed import RELAYED
from detour.follow.fingerprints.runtimes import RUNTIMES

# --- The servers applications run on: who answered is behind them ---


def _server(name: str, value: str, capture: str, remedy: str) -> Fingerprint:
    marks = (field("Server", value),)
    return Fingerprint(name, "application", marks, "suggests", capture, remedy, between=True)


_HOST_ROWS = (
    _server("uvicorn", "uvicorn", "starlette-uvicorn/get-moved", "the ASGI application that uvicorn runs"),
    _server("Hypercorn", "hypercorn-.+", "starlette-hypercorn/get-moved", "the application Hypercorn runs"),
    _server("gunicorn", "gunicorn.*", "django-gunicorn/get-view", "the application that gunicorn runs"),
    _server("Werkzeug", "Werkzeug/.+", "flask-werkzeug/get-moved", "the application in Werkzeug's server"),
    _server("WEBrick", "WEBrick/.+", "sinatra-webrick/get-moved", "the Rack application in WEBrick"),
    _server("daphne", "daphne", "cited: daphne/cli.py --server-name", "the ASGI application daphne runs"),
    _server("granian", "granian", "cited: field notes 10", "the application that granian runs"),
    _server(
        "wsgiref",
        r"WSGIServer/.+ CPython/.+",
        "cited: Lib/wsgiref/simple_server.py",
        "the WSGI application in wsgiref's server: Django's runserver is one",
    ),
    _server("waitress", "waitress", "cited: waitress/adjustments.py ident", "the application waitress runs"),
)

APPLICATIONS: tuple[Fingerprint, ...] = (*PYTHON, *RUNTIMES, *RELAYED, *_HOST_ROWS)
