"""Lines to slow readers: whole, bounded, never waited for."""

from __future__ import annotations

import contextlib
import os
import re
import select
import threading
import time
from pathlib import Path

from detour.serve.log import LineWriter, Voice, batches
from detour.snapshot import anonymous_file


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


def test_every_line_of_a_failed_batch_counts_as_dropped() -> None:
    reader, out = os.pipe()
    dropped: list[int] = []
    writer = LineWriter(out, dropped=lambda: dropped.append(1))
    os.close(reader)
    for _ in range(7):
        writer.write(b"lost\n")
    writer.close(10)
    assert len(dropped) == 7
    os.close(out)


def test_a_descriptor_that_somebody_made_non_blocking_is_waited_for() -> None:
    reader, out = os.pipe()
    os.set_blocking(out, False)
    dropped: list[int] = []
    writer = LineWriter(out, dropped=lambda: dropped.append(1))
    lines = [b"%05d" % number + b"x" * 94 + b"\n" for number in range(5000)]  # more than a pipe holds
    for line in lines:
        writer.write(line)
    received = bytearray()
    collecting = threading.Thread(target=lambda: received.extend(_read_all(reader)))
    collecting.start()
    writer.close(10)
    os.close(out)
    collecting.join(10)
    assert bytes(received) == b"".join(lines)
    assert dropped == []


def _filled_pipe() -> tuple[int, int]:
    reader, out = os.pipe()
    os.set_blocking(out, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(out, b"x" * 4096)
    os.set_blocking(out, True)
    return reader, out


def _read_what_is_there(reader: int) -> bytes:
    octets = b""
    while select.select([reader], [], [], 0)[0]:
        octets += os.read(reader, 65536)
    return octets


def test_a_long_text_for_a_person_who_does_not_read_is_cut_and_never_waited_for() -> None:
    reader, out = os.pipe()
    voice = Voice(out)
    text = "\n".join(f"{number} " + "y" * 200 for number in range(1000))  # more than a pipe holds
    began = time.monotonic()
    for _ in range(3):
        voice.say(text)
    assert time.monotonic() - began < 3
    told = _read_what_is_there(reader)
    whole = re.findall(rb"detour: \d+ y{200}\n", told)
    voice.say("the next")
    first, second = _read_what_is_there(reader).splitlines()
    assert first.endswith(f"lost before this one, because nobody read: {3000 - len(whole)}".encode())
    assert second == b"detour: the next"
    for end in (reader, out):
        os.close(end)


def test_a_full_pipe_costs_the_speaker_a_moment_and_the_lines() -> None:
    reader, out = _filled_pipe()
    voice = Voice(out)
    began = time.monotonic()
    voice.say("one\ntwo")
    voice.say("three")
    assert time.monotonic() - began < 2
    _read_what_is_there(reader)
    voice.say("four")
    voice.say("five")
    lines = _read_what_is_there(reader).decode().splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["3", "four", "five"]
    for end in (reader, out):
        os.close(end)


def test_a_text_for_nobody_is_no_error() -> None:
    reader, out = os.pipe()
    os.close(reader)
    voice = Voice(out)
    voice.say("lost")
    os.close(out)
    voice.say("lost, too")
    assert voice.lost == 2


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
