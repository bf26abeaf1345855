"""The loads, the proof that a peer answers them rightly, and the run that is measured."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import msgspec

from bench.serve.process import Absent

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


def _request(method: str, fields: dict[str, str], content: bytes = b"") -> bytes:
    lines = [f"{method} {TARGET} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + content


_MARK = "00000000-0000-0000-0000-000000000000"  # as in load.wrk.lua: another one in each request

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


class Outcome(msgspec.Struct, frozen=True):
    """What the load generator saw: requests answered, microseconds, and what went wrong."""

    requests: int
    microseconds: int
    strange: int  # answers that are not 307; counted only while warming
    status: int  # answers of 400 and above
    connect: int
    read: int
    write: int
    timeout: int

    @property
    def errors(self) -> int:
        """Everything that is no redirect received."""
        return self.strange + self.status + self.connect + self.read + self.write + self.timeout


class Generator(msgspec.Struct, frozen=True):
    """wrk on its core, with a number of connections; `folder` holds the prepared requests."""

    core: int
    connections: int
    folder: Path

    def run(self, load: Load, port: int, seconds: float, *, count: bool = False) -> Outcome:
        """Send `load` for `seconds`; with `count`, look at each status (slower: for warming
        only). Raises `Absent` when the peer is gone."""
        octets = self.folder / f"{load.name}.request"
        octets.write_bytes(load.octets)
        argv = ["taskset", "--cpu-list", str(self.core), "wrk", "--threads", "1"]
        argv += ["--connections", str(self.connections), "--duration", f"{seconds:.0f}s", "--timeout", "5s"]
        argv += [
            "--script",
            str(Path(__file__).with_name("load.wrk.lua")),
            f"http://127.0.0.1:{port}{TARGET}",
        ]
        argv += ["--", str(octets), "count" if count else "run"]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30, check=False)
        if ended.returncode:
            raise Absent(f"wrk cannot load it: {(ended.stderr + ended.stdout).strip().splitlines()[-1]}")
        return msgspec.json.decode(ended.stdout.strip().splitlines()[-1], type=Outcome)


def prove(port: int) -> None:
    """Each load gets 307 with the right Location, content is drained; raises `Absent` with the fact."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        for load in LOADS:
            connection.sendall(load.octets)
            head = _read_answer(connection)
            _check_head(load, head)
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(LOADS[1].octets)
        head = _read_answer(connection)
        if b"\r\nconnection: close" not in head.lower():
            connection.sendall(LOADS[0].octets)
            _check_head(LOADS[0], _read_answer(connection))


def _check_head(load: Load, head: bytes) -> None:
    lines = head.decode("latin-1").split("\r\n")
    locations = [line[9:].strip() for line in lines if line.lower().startswith("location:")]
    if not lines[0].startswith("HTTP/1.1 307") or locations != [LOCATION]:
        raise Absent(f"wrong answer to {load.name}: {lines[0]!r}, Location {locations}")


def _read_answer(connection: socket.socket) -> bytes:
    held = b""
    while b"\r\n\r\n" not in held:
        held += _more(connection)
    head, _, content = held.partition(b"\r\n\r\n")
    length = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while length and len(content) < int(length[0]):
        content += _more(connection)
    return head


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise Absent("closes before its answer is complete")
    return data
