"""An origin that says what arrived: one JSON line on stdout for each request, and the same as its answer.

    python examples/echo_origin.py                          # http://127.0.0.1:8309
    python examples/echo_origin.py --port 0                 # a port of the kernel's choice, told on stderr
    python examples/echo_origin.py --cert cert.pem,key.pem  # https

A line holds method, target, fields, and the length and SHA-256 of the content; of multipart forms, those of
each part too. `complete` is false when the content ended before its announced end. CORS preflights are
granted and not told: they ask, they bring nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import ssl
import sys
import threading
from email.message import Message
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

DEFAULT_PORT = 8309
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "*, GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "*, Authorization",
}


def read_content(fields: Message, stream: BufferedIOBase) -> tuple[bytes, bool]:
    """The content of a request, and whether all of it came (RFC 9112 §6.3)."""
    if fields.get("Transfer-Encoding", "").lower() == "chunked":
        return _read_chunks(stream)
    length = int(fields.get("Content-Length") or 0)
    content = stream.read(length)
    return content, len(content) == length


def _read_chunks(stream: BufferedIOBase) -> tuple[bytes, bool]:
    content = b""
    while line := stream.readline():
        size = int(line.partition(b";")[0], 16)
        chunk = stream.read(size)
        content += chunk
        if len(chunk) < size:
            break
        if size == 0:
            while stream.readline().strip():  # the trailer section
                pass
            return content, True
        stream.readline()
    return content, False


def read_parts(content_type: str, content: bytes) -> list[dict[str, Any]]:
    """Name, file name, length and SHA-256 of each part of a multipart/form-data content (RFC 7578)."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        return []
    delimiter = b"\r\n--" + boundary[1].encode()
    return [_part(piece) for piece in (b"\r\n" + content).split(delimiter)[1:] if piece[:2] == b"\r\n"]


def _part(piece: bytes) -> dict[str, Any]:
    head, _, content = piece[2:].partition(b"\r\n\r\n")
    fields = BytesHeaderParser().parsebytes(head)
    name = fields.get_param("name", header="content-disposition")
    return {"name": name, "filename": fields.get_filename(), **_measure(content)}


def _measure(content: bytes) -> dict[str, Any]:
    return {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}


class Echo(BaseHTTPRequestHandler):
    """One connection: every request is read to its end, told, and answered with what was told."""

    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds without a sign of life

    def echo(self) -> None:
        """Answer any method."""
        if self.command == "OPTIONS" and "Access-Control-Request-Method" in self.headers:
            return self._answer(204, b"")
        content, complete = read_content(self.headers, self.rfile)
        arrival = {
            "method": self.command,
            "target": self.path,
            "fields": self.headers.items(),
            **_measure(content),
            "parts": read_parts(self.headers.get("Content-Type", ""), content),
            "complete": complete,
        }
        line = json.dumps(arrival)
        self._tell(line)
        self.close_connection |= not complete
        return self._answer(200, f"{line}\n".encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = echo

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        for name, value in CORS.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _tell(self, line: str) -> None:
        with Origin.telling:
            print(line, flush=True)

    def log_message(self, format: str, *args: object) -> None:
        """What arrived is told on stdout; nothing else is worth a line."""


class Origin(ThreadingHTTPServer):
    """The origin: bound at birth, answering from `start` to `close`."""

    telling = threading.Lock()  # one line at a time
    request_queue_size = 128

    def __init__(self, port: int = DEFAULT_PORT, cert: str = "") -> None:
        super().__init__(("127.0.0.1", port), Echo)
        if cert:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*cert.split(","))
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"http{'s' if cert else ''}://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Answer, in a thread of its own."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or never spoke TLS, is no news."""


def main() -> int:
    """Answer until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any (default %(default)s)")
    parser.add_argument("--cert", default="", metavar="FILE,KEY", help="answer over TLS")
    flags = parser.parse_args()
    try:
        origin = Origin(flags.port, flags.cert)
    except OSError as error:
        print(
            f"echo_origin: cannot listen on port {flags.port}: {error.strerror}; choose another --port",
            file=sys.stderr,
        )
        return 2
    print(f"echo origin: {origin.url}", file=sys.stderr, flush=True)
    try:
        origin.serve_forever()
    except KeyboardInterrupt:
        return 130
    finally:
        origin.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
