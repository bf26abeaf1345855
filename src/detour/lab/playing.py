"""What an origin says: the answer of a script, in the manner the script wants."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus

from detour.core.chain import Fields
from detour.lab.case import Answer, Origin, filled
from detour.lab.contents import answer_octets
from detour.lab.origins import Connection
from detour.lab.recording import Recording, is_preflight
from detour.lab.wire import Content, Head

# RFC 9110 §6.4.1: these never have content, and no Content-Length speaks of it.
_WITHOUT_CONTENT = {204, 205, 304}
_CLOSE = (("Connection", "close"),)


def play(connection: Connection, head: Head, recording: Recording, station: int, origin: Origin) -> bool:
    """Answer one request as the case says; True when the connection may have another."""
    arriving, answer = recording.arrive(station, origin, head)
    try:
        fields, octets = _answer(answer, recording, station)
        whole = _written(answer.status, (*fields, *cors_fields(head)), octets, head)
        return _say(connection, head, answer, arriving.content, whole)
    finally:
        arriving.content.ended = True
        recording.ended()


def _answer(answer: Answer, recording: Recording, station: int) -> tuple[Fields, bytes]:
    octets, needed = answer_octets(answer)
    locations = (("Location", location) for location in answer.locations)
    fields = (*locations, *answer.fields, *needed, *(_CLOSE if answer.manner in _CLOSING else ()))
    values = ((name, filled(value, recording.origins, recording.token, station)) for name, value in fields)
    return tuple(values), octets


_CLOSING = ("early-close", "early-linger")


def _say(connection: Connection, head: Head, answer: Answer, content: Content, whole: bytes) -> bool:
    match answer.manner:
        case "drain" | "silent":
            read = connection.read(head, content, grant=answer.manner == "drain")
            return read and connection.send(whole) and head.keeps
        case "early-drain":
            return connection.send(whole) and connection.read(head, content, grant=False) and head.keeps
        case "early-linger":
            connection.send(whole)
            connection.linger()
            if connection.read(head, content, grant=False):
                connection.reader.discard()
            return False
        case "early-close":
            content.complete = not head.has_content
            connection.send(whole)
            return False


def _written(status: int, fields: Fields, octets: bytes, head: Head) -> bytes:
    keeping = () if head.keeps else _CLOSE
    without = status in _WITHOUT_CONTENT
    length = () if without else (("Content-Length", str(len(octets))),)
    written = http_head(status, (*fields, *length, *keeping))
    return written if without or head.method == "HEAD" else written + octets


def http_head(status: int, fields: Fields) -> bytes:
    """A response's head, in UTF-8; `fields` in this order, after Date."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    lines = [f"HTTP/1.1 {status} {reason}", f"Date: {formatdate(time.time(), usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def cors_fields(head: Head) -> Fields:
    """Whatever a page asks leave for is granted: what it does then is of interest (Fetch §3.3.3)."""
    origin = head.values("origin")
    if not origin:
        return ()
    granted: list[tuple[str, str]] = [
        ("Access-Control-Allow-Origin", origin[0]),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "Location"),
        ("Vary", "Origin"),
    ]
    if is_preflight(head):
        names = ", ".join(head.values("access-control-request-headers"))
        granted += [
            ("Access-Control-Allow-Methods", head.values("access-control-request-method")[0]),
            ("Access-Control-Max-Age", "0"),
            *([("Access-Control-Allow-Headers", names)] if names else []),
        ]
    return tuple(granted)
