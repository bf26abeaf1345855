"""Answers read from a socket: enough of HTTP/1.1 to see whether a peer redirects rightly."""

from __future__ import annotations

import socket

from bench.process import Absent


def ask(port: int, target: str, host: str) -> tuple[int, list[str]]:
    """Status and Location lines of a GET on a connection of its own; raises `Absent`, OSError."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = read_head(connection).decode("latin-1").split("\r\n")
    status = head[0].split(" ")[1] if " " in head[0] else "0"
    return int(status), [line[9:].strip() for line in head[1:] if line.lower().startswith("location:")]


def read_head(connection: socket.socket) -> bytes:
    """The head of the next answer, whose content is read and dropped; raises `Absent`, OSError."""
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
