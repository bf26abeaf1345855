"""The control channel between the parent and one child: small fixed messages that may carry descriptors.

A Unix stream socket pair (macOS has no SOCK_SEQPACKET), so the end of either process is an end of
file at the other: a worker whose parent is gone notices without asking.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
import struct
from enum import IntEnum

import msgspec

_FRAME = struct.Struct("<IQ")
_MOST_DESCRIPTORS = 4


class Kind(IntEnum):
    """What a message says; the parent sends the first three, a child answers with the others."""

    RULES = 1  # descriptors: snapshot, slots; answered by READY
    DRAIN = 2
    CERTIFICATES = 3
    READY = 4
    AGAIN = 5  # the rules came without their descriptors, for want of free ones: send them again


_CARRIED = {Kind.RULES: 2}  # descriptors


class Message(msgspec.Struct, frozen=True):
    """One message; whoever receives it owns `descriptors`."""

    kind: Kind
    generation: int = 0
    descriptors: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every descriptor arrived; whoever may open no more gets fewer (recvmsg, MSG_CTRUNC)."""
        return len(self.descriptors) == _CARRIED.get(self.kind, 0)

    def close(self) -> None:
        """Close the descriptors received."""
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)


class Channel:
    """One end. Neither `send` nor `receive` ever blocks."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._held = b""
        self._descriptors: list[int] = []

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two connected ends."""
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(left), cls(right)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, kind: Kind, generation: int = 0, descriptors: tuple[int, ...] = ()) -> bool:
        """Send one message; False when the other end is gone or has not read for very long."""
        frame = _FRAME.pack(kind, generation)
        rights = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        )
        try:
            # A frame is far below the buffer's low-water mark: the kernel takes all of it or nothing.
            return self._socket.sendmsg([frame], rights) == len(frame)
        except OSError:
            return False

    def receive(self) -> Message | None:
        """The next message, None when none has come yet; raises `EOFError` when the other end is gone."""
        try:
            # Never more than the rest of one frame: descriptors stay with the frame they came with.
            wanted = _FRAME.size - len(self._held)
            data, descriptors, _, _ = socket.recv_fds(self._socket, wanted, _MOST_DESCRIPTORS)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        self._held += data
        self._descriptors += descriptors
        return self._take() if len(self._held) == _FRAME.size else None

    def _take(self) -> Message:
        kind, generation = _FRAME.unpack(self._held)
        message = Message(Kind(kind), generation, tuple(self._descriptors))
        self._held, self._descriptors = b"", []
        return message
