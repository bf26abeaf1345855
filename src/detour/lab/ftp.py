"""A server that speaks enough FTP to see who goes where a Location of scheme ftp leads, and has no file.

A client that waits for a greeting would hang at an origin of HTTP, and the lab would call it *hung*; here it
logs in, names the place it wants, which is noted, and is told that there is nothing (RFC 959 §5.4).
"""

from __future__ import annotations

from collections.abc import Callable

from detour.lab.origins import Connection

GREETING = "220 Detour lab, nothing to be had"
_MOST_LINES = 1000  # a pool of connections may keep one for many cases

# By command, RFC 959 §5.4; what is not here is 502: who gets no connection for data gives up.
REPLIES = {
    "USER": "331 any password",
    "PASS": "230 logged in",
    "SYST": "215 UNIX Type: L8",
    "PWD": '257 "/"',
    "TYPE": "200 as you like",
    "NOOP": "200 nothing done",
    "CWD": "250 as you like",
    "RETR": "550 no such file",
    "SIZE": "550 no such file",
    "MDTM": "550 no such file",
    "QUIT": "221 goodbye",
}
_NAMES_A_PLACE = ("CWD", "RETR", "SIZE", "MDTM")

Visit = Callable[[str, bytes], None]


def converse(connection: Connection, visit: Visit) -> None:
    """Until the client ends; `visit` takes each path that is named, and the line that named it."""
    folder, sent = "", connection.send(f"{GREETING}\r\n".encode())
    for _ in range(_MOST_LINES):
        line = connection.reader.line() if sent else b""
        if not line:
            return
        command, _, argument = line.decode("latin-1").strip().partition(" ")
        command = command.upper()
        if command in _NAMES_A_PLACE:
            path = argument if argument.startswith("/") else f"{folder.rstrip('/')}/{argument}"
            folder = path if command == "CWD" else folder
            visit(path, line)
        sent = connection.send(f"{REPLIES.get(command, '502 not here')}\r\n".encode()) and command != "QUIT"
