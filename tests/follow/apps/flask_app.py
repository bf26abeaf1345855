"""Flask's ways to redirect; run with a port, Werkzeug's own server answers."""

from __future__ import annotations

import sys

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

app = Flask(__name__)
METHODS = ["GET", "POST", "PUT"]


@app.route("/slash/", methods=METHODS)
def here() -> str:
    return "here"


@app.route("/moved", methods=METHODS)
def moved() -> Response:
    return redirect("/slash/", code=int(request.args.get("status", "302")))


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]))
