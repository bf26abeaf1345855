"""The loads, and the proof that a peer answers them rightly."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import msgspec

from bench.answer import read_head
from bench.process import Absent

LOCATION = "https://api.example.com/v2/resource"
TARGET = "/v1/resource"
HOST = "api.example.com"

_ORDER = {"order": 7, "note": "x" * 160, "lines": [{"sku": "A-17", "count": 3}, {"sku": "B-4", "count": 1}]}
_CONTENT = json.dumps(_ORDER).ljust(256).encode()
_FIELDS = {
    "Host": HOST,
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "application/json, text/plain, */*",
    "Accept-Language": "en-GB,en;q=0.8,de;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Content-Type": "application/json",
    "Authorization": "Bearer 6f1d0f6a5e6c4b0f9f0f7a3f2f1e7d55",
    "Origin": "https://shop.example.com",
    "Referer": "https://shop.example.com/basket",
    "X-Request-Id": "2b3b0f0e-6a43-4f6c-9a55-0c4f3f3f9f10",
    "Cookie": "sid=8c7d2f0b1a; theme=dark",
    "Content-Length": str(len(_CONTENT)),
}


class Load(msgspec.Struct, frozen=True):
    """One request, or one but for its X-Request-Id, sent over and over on connections that are kept."""

    name: str
    title: str
    octets: bytes

    def write(self, folder: Path) -> Path:
        """The file that wrk reads it from."""
        path = folder / f"{self.name}.request"
        path.write_bytes(self.octets)
        return path


def _request(method: str, fields: dict[str, str], content: bytes = b"") -> bytes:
    lines = [f"{method} {TARGET} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + content


_MARK = "00000000-0000-0000-0000-000000000000"  # as in wrk.lua: another one in each request

# The same head over and over is a client at its most regular, and what Detour's connections remember
# helps it; a field that differs in each request is what a tracing proxy in front makes of it.
LOADS = (
    Load("get", "GET with one field", _request("GET", {"Host": HOST})),
    Load(
        "post",
        f"POST with twelve fields and {len(_CONTENT)} octets of JSON",
        _request("POST", _FIELDS, _CONTENT),
    ),
    Load(
        "get-own-id",
        "GET with two fields, X-Request-Id another each time",
        _request("GET", {"Host": HOST, "X-Request-Id": _MARK}),
    ),
    Load(
        "post-own-id",
        "POST as above, X-Request-Id another each time",
        _request("POST", _FIELDS | {"X-Request-Id": _MARK}, _CONTENT),
    ),
)


def prove(port: int) -> None:
    """Each load gets 307 with the right Location, content is drained; raises `Absent` with the fact."""
    for load in LOADS:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(load.octets)
            _check_head(load, read_head(connection))
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(LOADS[1].octets)
        head = read_head(connection)
        if b"\r\nconnection: close" not in head.lower():
            connection.sendall(LOADS[0].octets)
            _check_head(LOADS[0], read_head(connection))


def _check_head(load: Load, head: bytes) -> None:
    lines = head.decode("latin-1").split("\r\n")
    locations = [line[9:].strip() for line in lines if line.lower().startswith("location:")]
    if not lines[0].startswith("HTTP/1.1 307") or locations != [LOCATION]:
        raise Absent(f"wrong answer to {load.name}: {lines[0]!r}, Location {locations}")
