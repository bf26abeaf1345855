"""The children that serve: each holds a post, is replaced when it dies, and is spoken to by channel.

Workers and the admin process alike. What is done at a worker's post the server says (worker); the office
is the admin process as the parent has it, its address bound like any other.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence

from detour.serve import process
from detour.serve.board import Application, Board, Readings
from detour.serve.channel import Channel, Kind
from detour.serve.edition import Edition
from detour.serve.listener import Address, bind
from detour.serve.log import say
from detour.serve.options import OFF
from detour.serve.stats import Bank

# A child that dies sooner than this has not served: its post waits before it is filled again.
_SHORT_LIFE = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Post:
    """One place in the crew: what is done there, what only it keeps open, and who holds it now."""

    def __init__(self, name: str, body: Callable[[Channel], int], keeps: Sequence[process.Closeable]) -> None:
        self.name = name
        self.body = body
        self.keeps = tuple(keeps)
        self.process: int | None = None
        self.channel: Channel | None = None
        self.generation = 0  # of the rules it answers from; 0: not ready yet
        self.lacks = False  # it was sent rules, and could not receive them
        self.status: int | None = None  # how its last holder ended
        self._began = 0.0
        self._told: float | None = None  # when it was given rules that it has yet to take
        self._newest = 0  # of the rules it was given
        self._due = 0.0
        self._short_lives = 0

    def due(self, now: float) -> bool:
        """Whether it stands empty and may be filled."""
        return self.process is None and now >= self._due

    def taken(self, holder: int, channel: Channel, now: float) -> None:
        """The process `holder` has it from now on."""
        self.process, self.channel, self._began, self.generation = holder, channel, now, 0
        self._told, self._newest, self.lacks = now, 0, False

    def tell(self, kind: Kind, generation: int = 0, descriptors: tuple[int, ...] = ()) -> None:
        """Send its holder a message."""
        if self.channel is None:
            return
        if kind is Kind.RULES:
            self._newest, self.lacks = generation, False
            self._told = time.monotonic() if self._told is None else self._told
        if not self.channel.send(kind, generation, descriptors):
            say(f"{self.name} does not listen; it keeps what it has")

    def hear(self) -> None:
        """Take in what its holder says."""
        with contextlib.suppress(EOFError):  # its end is noticed by `Crew.reap`
            while self.channel is not None and (message := self.channel.receive()) is not None:
                if message.kind is Kind.AGAIN:
                    self.lacks = message.generation == self._newest
                    continue
                self.generation = message.generation
                if self.generation >= self._newest:
                    self._told = None

    def hangs(self, now: float, limit: float) -> bool:
        """Whether its holder has been given rules and not taken them for `limit` seconds."""
        return self.process is not None and self._told is not None and now - self._told >= limit

    def kill(self) -> None:
        """End its holder at once; `Crew.reap` notices."""
        if self.process is not None:
            process.kill(self.process)
            self._told = None

    def left(self, status: int, now: float) -> None:
        """Its holder has ended."""
        if self.channel is not None:
            self.channel.close()
        self.process, self.channel, self.generation, self.status = None, None, 0, status
        self._short_lives = self._short_lives + 1 if now - self._began < _SHORT_LIFE else 0
        self._due = now + self._pause()

    def dismiss(self) -> None:
        """Ask its holder to drain and end."""
        if self.channel is not None:
            self.channel.send(Kind.DRAIN)

    def _pause(self) -> float:
        # The first early death may be a chance; from the second on the pause doubles.
        return min(_FIRST_PAUSE * 2**self._short_lives, _LONGEST_PAUSE) if self._short_lives > 1 else 0.0


class Crew:
    """All posts. `release` yields what every child of this parent must close."""

    def __init__(self, posts: Sequence[Post], release: Callable[[], Iterable[process.Closeable]]) -> None:
        self.posts = tuple(posts)
        self._release = release

    def fill(self) -> None:
        """Start a child at every post that is due."""
        for post in self.posts:
            if post.due(time.monotonic()):
                self._start(post)

    def reap(self) -> list[Post]:
        """The posts whose holders have ended since the last call."""
        left = []
        for post in self.posts:
            status = process.reap(post.process) if post.process is not None else None
            if status is not None:
                post.left(status, time.monotonic())
                left.append(post)
        return left

    def hear(self) -> None:
        """Take in what the children say."""
        for post in self.posts:
            post.hear()

    def tell(self, kind: Kind, generation: int = 0, descriptors: tuple[int, ...] = ()) -> None:
        """Send a message to every post that is held."""
        for post in self.posts:
            post.tell(kind, generation, descriptors)

    def kill(self) -> None:
        """End every child at once, and wait for it."""
        for post in self.posts:
            if post.process is not None:
                process.kill(post.process)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(post.process, 0)
                post.left(-9, time.monotonic())

    def waiting_on(self) -> list[int]:
        """Descriptors that become readable when a child speaks."""
        return [post.channel.fileno() for post in self.posts if post.channel is not None]

    def belongings(self, post: Post | None = None) -> list[process.Closeable]:
        """What a child, the one at `post` or any other, must not keep open."""
        channels = [other.channel for other in self.posts if other.channel is not None]
        return [*channels, *(kept for other in self.posts if other is not post for kept in other.keeps)]

    def _start(self, post: Post) -> None:
        ours, theirs = Channel.pair()
        release = (*self._release(), *self.belongings(post), ours)
        holder = process.fork(lambda: post.body(theirs), release)
        theirs.close()
        post.taken(holder, ours, time.monotonic())


class Office:
    """The admin listener, or none."""

    def __init__(
        self,
        bound: socket.socket | None,
        application: Application | None,
        board: Board,
        banks: Sequence[Bank],
    ) -> None:
        self._bound = bound
        self._application = application
        self._board = board
        self._banks = banks

    @classmethod
    def bind(
        cls, address: str, application: Application | None, board: Board, banks: Sequence[Bank]
    ) -> Office:
        """Bind `ADDRESS:PORT`, or nothing for "off"; raises `ServeError` naming `--admin off`."""
        remedy = "choose another with --admin ADDRESS:PORT, or --admin off"
        bound = None if address == OFF else bind(Address.of_text(address), f"{address} for admin", remedy)
        return cls(bound, application, board, banks)

    def posts(self, edition: Callable[[], Edition]) -> list[Post]:
        """The post of the admin process, which begins with what `edition` returns then."""
        if self._bound is None:
            return []
        return [Post("admin", lambda channel: self._work(channel, edition()), [self._bound])]

    def announce(self) -> None:
        if self._bound is not None:
            host, port = self._bound.getsockname()[:2]
            say(f"admin on http://{Address(self._bound.family, host, port)}")

    def close(self) -> None:
        if self._bound is not None:
            self._bound.close()

    def _work(self, channel: Channel, edition: Edition) -> int:
        # Imported here only: neither the parent nor a worker should carry a web framework.
        from detour.serve import admin

        assert self._bound is not None
        return admin.run(self._bound, Readings(self._board, self._banks), edition, channel, self._application)
