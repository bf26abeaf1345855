"""Lines to slow readers: whole, bounded, never waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from detour.serve.log import LineWriter, batches
from detour.serve.process import anonymous_file


def test_batches_never_cut_a_line() -> None:
    assert batches([b"aa\n", b"bb\n", b"c" * 9 + b"\n", b"d\n"], 6) == [b"aa\nbb\n", b"c" * 9 + b"\n", b"d\n"]
    assert batches([], 6) == []


def test_lines_are_written_in_order(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab") as out:
        writer = LineWriter(out.fileno())
        lines = [b"%d\n" % number for number in range(10_000)]
        for line in lines:
            writer.write(line)
        writer.close(10)
    assert (tmp_path / "log").read_bytes() == b"".join(lines)


def test_a_reader_that_reads_nothing_costs_lines_and_no_time() -> None:
    reader, out = os.pipe()
    dropped: list[int] = []
    writer = LineWriter(out, dropped=lambda: dropped.append(1))
    began = time.monotonic()
    for _ in range(40_000):
        writer.write(b"x" * 99 + b"\n")
    assert time.monotonic() - began < 5
    assert dropped
    os.close(reader)
    writer.close()
    os.close(out)


def test_a_reader_that_is_gone_ends_the_writing_but_not_the_writer() -> None:
    reader, out = os.pipe()
    os.close(reader)
    dropped: list[int] = []
    writer = LineWriter(out, dropped=lambda: dropped.append(1))
    writer.write(b"lost\n")
    deadline = time.monotonic() + 10
    while not dropped and time.monotonic() < deadline:
        writer.write(b"counted\n")
    assert dropped
    writer.close()
    os.close(out)


def test_batches_of_several_processes_do_not_mix_on_a_pipe() -> None:
    reader, out = os.pipe()
    lock = anonymous_file("detour-test")
    children = [_write_in_child(out, lock, letter) for letter in b"abc"]
    os.close(out)
    received = bytearray()
    collecting = threading.Thread(target=lambda: received.extend(_read_all(reader)))
    collecting.start()
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    collecting.join(10)
    lines = bytes(received).split(b"\n")[:-1]
    assert len(lines) == 3 * 200
    assert all(len(line) == 6000 and len(set(line)) == 1 for line in lines)
    os.close(lock)


def _write_in_child(out: int, lock: int, letter: int) -> int:
    child = os.fork()
    if child == 0:
        writer = LineWriter(out, lock)
        for number in range(200):
            writer.write(bytes([letter]) * 6000 + b"\n")
            if number % 20 == 0:
                time.sleep(0.01)  # several batches
        writer.close(10)
        os._exit(0)
    return child


def _read_all(reader: int) -> bytes:
    with os.fdopen(reader, "rb") as source:
        return source.read()
