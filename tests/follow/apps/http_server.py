"""A handler of Python's http.server that redirects, on the port it is given."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit


class Moved(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        self.send_response(int(asked.get("status", ["307"])[0]))
        self.send_header("Location", "/here")
        self.end_headers()

    do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing."""


HTTPServer(("127.0.0.1", int(sys.argv[1])), Moved).serve_forever()
