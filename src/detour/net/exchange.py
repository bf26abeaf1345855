"""What a piece of work may ask of a transport: to send a request, or to wait.

A piece of work is a generator. It yields a `Sending` and gets the response, or the end that came instead;
it yields a `Pause` and is resumed when that is over; what it returns is its result. One transport runs one
after another, a pool runs many at once, and the work does not know which.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import BinaryIO, TypeVar

import msgspec

from detour.core.chain import End, Outgoing, Response

T = TypeVar("T")


class Sending(msgspec.Struct, frozen=True):
    """A request to be sent; `before`: the address the hop before it was connected to ("": the first hop)."""

    request: Outgoing
    content: bytes | BinaryIO | None = None  # a file that can seek is sent from its start
    before: str = ""


class Pause(msgspec.Struct, frozen=True):
    """A wish to be resumed after some seconds."""

    seconds: float


Exchange = Generator[Sending | Pause, Response | End | None, T]
