"""A worker by itself: what it is told, and how fast it obeys."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from detour.core.matcher import MOST_NEAR_MISSES, RuleSet
from detour.core.message import Request
from detour.core.settings import ListenerSettings
from detour.load import compile_into
from detour.serve.channel import Channel, Kind
from detour.serve.edition import Edition
from detour.serve.listener import bind_all
from detour.serve.process import fork, kill, reap
from detour.serve.stats import Counters, Ledger
from detour.serve.worker import Door, Place, Worker
from detour.snapshot import anonymous_file
from tests.serve.fake_transport import ruleset
from tests.serve.running_server import eventually, rule

SLOW = 3.0  # seconds


class Slow(Worker):
    """It takes long to open any rules but the first."""

    def _open(self, edition: Edition) -> tuple[RuleSet, Counters]:
        if edition.generation > 1:
            time.sleep(SLOW)
        return super()._open(edition)


class Post:
    """A slow worker in a child, and the parent's end of its channel."""

    def __init__(self, folder: Path) -> None:
        self.edition = _edition(folder)
        (self.listener,) = bind_all([ListenerSettings(listen="http://127.0.0.1:0")], workers=1)
        ledger = Ledger(1)
        ledger.assign(("moved",))
        door = Door(self.listener.settings, self.listener.sockets[0], None)
        self.place = Place((door,), ledger.banks[0], None, 0.5)
        self.channel, self._theirs = Channel.pair()
        self.process = fork(self._work, (self.channel,))
        self._theirs.close()
        self.listener.close()

    def _work(self) -> int:
        return uvloop.run(Slow(self.place, self._theirs).run(self.edition))

    def connects(self) -> bool:
        address = self.listener.address
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((address.host, address.port), timeout=5).close()
            return True
        return False

    def hears(self) -> int | None:
        """The generation of a READY, if one came."""
        message = self.channel.receive()
        return None if message is None else message.generation


def _edition(folder: Path) -> Edition:
    path = folder / "detours.toml"
    path.write_text(rule("moved", "/v", "https://v.example/"))
    descriptor = anonymous_file("detour-test")
    manifest = compile_into(descriptor, path)
    return Edition.issue(1, descriptor, manifest.series, Ledger(1).assign(manifest.series))


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    started = Post(tmp_path)
    yield started
    kill(started.process)
    eventually(lambda: reap(started.process) is not None, "its end")
    started.channel.close()
    started.edition.close()
    os.close(started.place.bank.descriptor)


def test_a_drain_does_not_wait_for_rules_that_are_being_opened(post: Post) -> None:
    assert eventually(post.hears, "a worker") == 1
    assert post.connects()
    began = time.monotonic()
    post.channel.send(Kind.RULES, 2, post.edition.descriptors)
    post.channel.send(Kind.DRAIN)
    eventually(lambda: not post.connects(), "a closed door")
    assert time.monotonic() - began < SLOW / 2


def test_rules_are_taken_in_order(post: Post) -> None:
    assert eventually(post.hears, "a worker") == 1
    for generation in (2, 3):
        post.channel.send(Kind.RULES, generation, post.edition.descriptors)
    assert [eventually(post.hears, "new rules") for _ in range(2)] == [2, 3]


def test_the_search_for_near_misses_ends() -> None:
    rules = "".join(rule(f"r{number}", "/near", "/far") for number in range(5 * MOST_NEAR_MISSES))
    _, skipped = ruleset(rules).explain(Request.of("GET", "http://a/near/"), 0)
    assert len(skipped) == MOST_NEAR_MISSES
    assert {near.reason for near in skipped} == {"near-miss"}
