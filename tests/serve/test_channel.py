"""The control channel: frames and descriptors, and the end of the other side."""

from __future__ import annotations

import os
import resource
import socket

import pytest

from detour.serve.channel import Channel, Kind


def test_messages_arrive_in_order_each_with_its_own_descriptors() -> None:
    parent, child = Channel.pair()
    reader, writer = os.pipe()
    parent.send(Kind.RULES, 1, (reader, writer))
    parent.send(Kind.DRAIN)
    parent.send(Kind.RULES, 2, (writer,))
    first, second, third = (child.receive() for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.kind, first.generation, len(first.descriptors)) == (Kind.RULES, 1, 2)
    assert (second.kind, second.descriptors) == (Kind.DRAIN, ())
    assert (third.generation, len(third.descriptors)) == (2, 1)
    os.write(first.descriptors[1], b"through")
    assert os.read(reader, 7) == b"through"
    for message in (first, third):
        message.close()
    for end in (reader, writer):
        os.close(end)
    parent.close()
    child.close()


def test_rules_without_their_descriptors_are_known_not_to_be_whole() -> None:
    parent, child = Channel.pair()
    reader, writer = os.pipe()
    parent.send(Kind.RULES, 1, (reader, writer))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(reader)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))  # one more, once `free` is closed
    os.close(free)
    try:
        cut = child.receive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert cut is not None
    assert (cut.kind, cut.generation, cut.whole) == (Kind.RULES, 1, False)
    cut.close()
    parent.send(Kind.RULES, 1, (reader, writer))
    again = child.receive()
    assert again is not None
    assert again.whole
    again.close()
    for end in (reader, writer):
        os.close(end)
    parent.close()
    child.close()


def test_nothing_to_read_is_not_waited_for() -> None:
    parent, child = Channel.pair()
    assert child.receive() is None
    parent.close()
    child.close()


def test_a_frame_that_comes_in_pieces_is_put_together() -> None:
    left, right = socket.socketpair()
    channel = Channel(right)
    frame = b"\x04\0\0\0" + (77).to_bytes(8, "little")
    for octet in frame[:-1]:
        left.send(bytes([octet]))
        assert channel.receive() is None
    left.send(frame[-1:])
    message = channel.receive()
    assert message is not None
    assert (message.kind, message.generation) == (Kind.READY, 77)
    left.close()
    channel.close()


def test_the_end_of_the_other_side_is_the_end() -> None:
    parent, child = Channel.pair()
    parent.send(Kind.DRAIN)
    parent.close()
    message = child.receive()
    assert message is not None
    assert message.kind is Kind.DRAIN
    with pytest.raises(EOFError):
        child.receive()
    assert child.send(Kind.READY) is False
    child.close()


def test_a_peer_that_never_reads_does_not_block_the_sender() -> None:
    parent, child = Channel.pair()
    assert any(not parent.send(Kind.DRAIN) for _ in range(100_000))
    parent.close()
    child.close()
