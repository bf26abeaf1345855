"""What hostile requests cost: `python -m bench.serve.hostile`. Prints a table, and fails as the tests do.

The requests are those of tests/serve/test_hostile.py. Each is sent whole on a connection of its own,
then the client says that it is done; ms is until all is sent and the answer has begun to arrive.
Memory is what the worker has resident, before the first request of a row and after the last.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import msgspec
from tests.serve.hostile_clients import Target, read_all, statuses, unharmed
from tests.serve.test_hostile import EXPECTED

_PIECE = 64 * 1024
_TIMES = 1024  # pieces: 64 MiB
_ROUNDS = 5  # the ms of a row are the median of so many connections


class Row(msgspec.Struct, frozen=True):
    """One kind of request and what became of it."""

    name: str
    octets: int
    expected: list[int]
    answers: list[int]
    milliseconds: float
    before: float  # MiB
    after: float

    @property
    def text(self) -> str:
        said = " ".join(map(str, self.answers))
        if self.answers != self.expected:
            said += f" WRONG, not {self.expected}"
        memory = f"{self.before:8.1f} {self.after:8.1f}"
        return f"{self.name[:46]:<46} {self.octets:>12,} {self.milliseconds:8.2f} {memory}  {said}"


_HEAD = b"GET / HTTP/1.1\r\nHost: a.example\r\n"
_ENDLESS = {
    "64 MiB of one field value": (431, _HEAD + b"X: ", b"x"),
    "64 MiB of fields": (431, _HEAD, b"X: y\r\n"),
    "64 MiB of one field name": (431, _HEAD, b"x"),
    "64 MiB of a target": (414, b"GET /", b"x"),
    "64 MiB of empty lines": (431, b"", b"\r\n"),
    "64 MiB of a method": (501, b"", b"X"),
    "64 MiB of NUL": (400, b"", b"\0"),
}


def _mebibytes(target: Target) -> float:
    return sum(target.rss()) / 2**20


def _ask(target: Target, pieces: Iterator[bytes]) -> tuple[list[int], float, int]:
    """Statuses, milliseconds until the first answer, octets sent."""
    with target.connect() as client:
        sent, began = 0, time.perf_counter()
        for piece in pieces:
            client.sendall(piece)
            sent += len(piece)
        client.recv(1, socket.MSG_PEEK)
        took = (time.perf_counter() - began) * 1000
        client.shutdown(socket.SHUT_WR)
        return statuses(read_all(client)), took, sent


def _row(target: Target, name: str, expected: list[int], octets: bytes) -> Row:
    before = _mebibytes(target)
    asked = [_ask(target, iter([octets])) for _ in range(_ROUNDS)]
    answers, sent = asked[0][0], asked[0][2]
    return Row(
        name, sent, expected, answers, sorted(a[1] for a in asked)[_ROUNDS // 2], before, _mebibytes(target)
    )


def _endless_row(target: Target, name: str, status: int, start: bytes, unit: bytes) -> Row:
    before = _mebibytes(target)

    def pieces() -> Iterator[bytes]:
        yield start or unit
        yield from repeat(unit * (_PIECE // len(unit)), _TIMES)

    answers, took, sent = _ask(target, pieces())
    return Row(name, sent, [status], answers, took, before, _mebibytes(target))


def main() -> int:
    """Print the table; 1 when an answer is not what it should be."""
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}; 1 worker")
    print(f"{'sent':<46} {'octets':>12} {'ms':>8} {'MiB before':>8}    after  answers")
    rows = []
    with tempfile.TemporaryDirectory() as folder, unharmed(Path(folder), server={"workers": 1}) as target:
        for name, (expected, octets) in EXPECTED.items():
            rows.append(_row(target, name, expected, octets))
            print(rows[-1].text)
        for name, endless in _ENDLESS.items():
            rows.append(_endless_row(target, name, *endless))
            print(rows[-1].text)
    wrong = sum(row.answers != row.expected for row in rows)
    print(f"{len(rows)} rows, {wrong} wrong; the worker lives, no traceback, memory flat")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
