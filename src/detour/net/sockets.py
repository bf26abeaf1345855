"""Sockets for libcurl, opened only where the guard lets them go."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pycurl

from detour.net.address import Mode, refusal

_NO_SOCKET: int = pycurl.SOCKET_BAD


class Opened:
    """A socket for pycurl, which duplicates what `fileno` names; the original is closed with this object."""

    __slots__ = ("_socket",)

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def fileno(self) -> int:
        """The descriptor to be duplicated."""
        return self._socket.fileno()

    def __del__(self) -> None:
        self._socket.close()


def open_socket(guard: Mode, before: str, address: tuple[int, int, int, Any]) -> tuple[Opened | int, str]:
    """A socket for a resolved address, or libcurl's sign for none and why."""
    family, kind, protocol, place = address
    why = refusal(guard, before, _host(place))
    if why:
        return _NO_SOCKET, why
    try:
        return Opened(socket.socket(family, kind, protocol)), ""
    except OSError:  # no such address family here, or too many open files: no connection
        return _NO_SOCKET, ""


def guarded_socket(guard: Mode, before: str) -> Callable[[int, Any], Opened | int]:
    """OPENSOCKETFUNCTION of one hop after the address `before`."""
    return lambda _purpose, address: open_socket(guard, before, address)[0]


def _host(place: Any) -> str:
    host = place[0] if isinstance(place, tuple) else place
    return host.decode() if isinstance(host, bytes) else str(host)
