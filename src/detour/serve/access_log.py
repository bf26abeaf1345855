"""One line of the access log: JSON, so that nothing a client sends can begin another line. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from detour.serve.forwarded import Asker
from detour.serve.wire import Answer

_encode = msgspec.json.Encoder().encode


class AccessLine(msgspec.Struct, frozen=True):
    """What was asked and answered; None where the client broke HTTP before it said."""

    time: datetime
    client: str
    method: str | None
    scheme: str
    host: str | None
    target: str | None
    status: int
    rule: str | None
    location: str | None
    bytes: int  # sent: head and content


def access_line(
    now: float, asker: Asker, method: str | None, target: str | None, answer: Answer, sent: int
) -> bytes:
    """The line, its end included; `now` in seconds since the epoch."""
    line = AccessLine(
        time=datetime.fromtimestamp(now, UTC),
        client=asker.client,
        method=method,
        scheme=asker.scheme,
        host=asker.host,
        target=target,
        status=answer.status,
        rule=answer.rule or None,
        location=answer.location or None,
        bytes=sent,
    )
    return _encode(line) + b"\n"
