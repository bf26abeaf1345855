"""A connection without a network: bytes in by hand, bytes out in a list, time that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from detour.core.matcher import RuleSet
from detour.core.settings import ListenerSettings
from detour.formats.conversion import Document
from detour.formats.native import read
from detour.serve.answering import Endpoint, Service
from detour.serve.protocol import Connection
from detour.serve.stats import Counters

RULES = """
[[rule]]
name = "resource"
pattern = "/v1/resource"
location = "https://api.example.com/v2/resource"

[[rule]]
name = "moved"
pattern = "/old/*"
location = "/new/{0}"
methods = ["GET", "POST"]

[[rule]]
name = "gone"
pattern = "/gone"
pass = true
status = 410

[[rule]]
name = "shared"
pattern = "/cors"
location = "https://cors.example.com/"
cors = true

[[rule]]
name = "secure"
pattern = "http://shop.example.com/*"
location = "https://{url.hostname}/{0}"

[[rule]]
name = "beta"
pattern = "/beta"
location = "/beta-site"
when = { header = { X-Beta = true } }

[[rule]]
name = "inside"
pattern = "/inside"
location = "/intranet"
when = { client = ["10.0.0.0/8"] }

[[rule]]
name = "window"
pattern = "/window"
location = "/open"
from = 2026-11-22T00:00:00Z
until = 2026-12-01T00:00:00Z
"""


def ruleset(text: str = RULES) -> RuleSet:
    """The rules of a native file that was never a file."""
    return read(Document.parse("detours.toml", text), {}).ruleset


class Answer(NamedTuple):
    """A response as a client reads it."""

    status: int
    fields: dict[str, str]
    content: bytes


def read_answers(octets: bytes, methods: list[str] | None = None) -> list[Answer]:
    """The responses in `octets`, one after the other; `methods` says which were asked with HEAD."""
    answers: list[Answer] = []
    while octets:
        head, empty_line, octets = octets.partition(b"\r\n\r\n")
        assert empty_line, "a response head without its end"
        line, *lines = head.decode("ascii").split("\r\n")
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1"
        fields = dict(line.split(": ", 1) for line in lines)
        assert len(fields) == len(lines), "a field sent twice"
        asked = methods[len(answers)] if methods else "GET"
        length = 0 if asked == "HEAD" else int(fields.get("Content-Length", "0"))
        assert len(octets) >= length, "content that is too short"
        answers.append(Answer(int(status), fields, octets[:length]))
        octets = octets[length:]
    return answers


class Clock:
    """Time that passes when it is told to; starts on 2026-11-25, inside the window of RULES."""

    def __init__(self) -> None:
        self.now = 1_795_600_000.0
        self.passed = 1000.0

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.passed

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.passed += seconds


class Transport:
    """What a protocol may do with a transport, remembered."""

    def __init__(self, peer: str, tls: bool) -> None:
        self.peer = peer
        self.tls = tls
        self.sent = bytearray()
        self.writes = 0
        self.reads = True
        self.ended = False  # half-closed by us
        self.closed = False
        self.aborted = False
        self.stalled: Callable[[], None] | None = None  # the client does not read
        self.limits: int | None = None

    def write(self, octets: bytes) -> None:
        assert not self.closed, "a write after the close"
        assert not self.ended, "a write after the half-close"
        self.sent += octets
        self.writes += 1
        if self.stalled is not None:
            self.stalled()

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return not self.tls

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def set_write_buffer_limits(self, high: int) -> None:
        self.limits = high

    def get_extra_info(self, name: str) -> Any:
        return (self.peer, 50000) if name == "peername" and self.peer else None


class Client:
    """One connection, seen from the other side."""

    def __init__(
        self,
        endpoint: Endpoint,
        peer: str = "192.0.2.7",
        tls: bool = False,
        turn: Callable[[], None] = lambda: None,
    ) -> None:
        self._turn = turn
        self.protocol = Connection(endpoint)
        self.transport = Transport(peer, tls)
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type]

    def send(self, *pieces: bytes) -> Client:
        """Send `pieces`, each as soon as the server listens."""
        for piece in pieces:
            if piece and not self.transport.closed:
                self.protocol.data_received(piece)
            self._turn()
        return self

    def stall(self) -> None:
        """Stop reading: from the next write on, the transport has something left."""
        self.transport.stalled = self.protocol.pause_writing

    def read_on(self) -> None:
        """Read again."""
        self.transport.stalled = None
        self.protocol.resume_writing()
        self._turn()

    def leave(self, exc: Exception | None = None) -> None:
        self.protocol.connection_lost(exc)

    @property
    def octets(self) -> bytes:
        return bytes(self.transport.sent)

    @property
    def answers(self) -> list[Answer]:
        return read_answers(self.octets)

    @property
    def answer(self) -> Answer:
        (answer,) = self.answers
        return answer

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]

    @property
    def keeps(self) -> bool:
        """Whether the next request would be answered."""
        return not (self.transport.closed or self.transport.ended)


class Rig:
    """A service on one listener, with a clock to turn and ears for what it says."""

    def __init__(self, rules: str = RULES, *, log: bool = False, **settings: Any) -> None:
        self.clock = Clock()
        self.warnings: list[str] = []
        self.log: list[bytes] = []
        rule_set = ruleset(rules)
        self.service = Service(
            rule_set,
            Counters.private(rule_set.series),
            self.clock,
            self.clock.monotonic,
            self.log.append if log else None,
            warn=self.warnings.append,
        )
        self.endpoint = Endpoint(self.service, ListenerSettings(**settings))
        self.later: list[tuple[Callable[..., object], *tuple[object, ...]]] = []
        self.service.soon = lambda *call: self.later.append(call)

    def client(self, peer: str = "192.0.2.7", tls: bool = False) -> Client:
        return Client(self.endpoint, peer, tls, self.turn)

    def turn(self) -> None:
        """Let the loop turn until nothing waits for its next turn."""
        while self.later:
            self.step()

    def step(self) -> None:
        """One turn of the loop."""
        calls, self.later = self.later, []
        for callback, *arguments in calls:
            callback(*arguments)

    def ask(self, octets: bytes, peer: str = "192.0.2.7") -> Client:
        """A new connection that sends `octets` at once."""
        return self.client(peer).send(octets)

    def wait(self, seconds: float) -> None:
        """Let time pass, with a sweep every quarter of a second."""
        for _ in range(int(seconds * 4)):
            self.clock.pass_by(0.25)
            self.service.sweep()

    def count(self, slot: int) -> int:
        return self.service.counters.view[slot]


def request(
    line: str = "GET /v1/resource HTTP/1.1",
    *fields: str,
    content: bytes = b"",
    host: str | None = "api.example.com",
) -> bytes:
    """A request as bytes; `fields` are whole lines."""
    lines = [line, *([f"Host: {host}"] if host is not None else []), *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + content
