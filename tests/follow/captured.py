"""What real programs answered, kept as octets: one file a program.

`python -m tests.follow.captured [PROGRAM…]` starts the programs of the table of fingerprints and writes the
files anew.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from detour.core.chain import End, Hop, Outgoing, Response
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL
from detour.follow.fingerprint import Guess
from detour.follow.fingerprints import emitters
from detour.net.settings import TransportSettings
from detour.net.transport import Sending, Transport
from tests.examples.running import eventually
from tests.follow.application_servers import APPLICATION_SERVERS
from tests.follow.edge_servers import EDGE_SERVERS
from tests.follow.passing_servers import PASSING_SERVERS
from tests.follow.programs import HOST, Ask, Program, running

CAPTURES = Path(__file__).parent / "captures"
APPLICATIONS, EDGES = CAPTURES / "applications", CAPTURES / "edges"
PASSED_ON = CAPTURES / "passed_on"  # applications behind a proxy
HELD_OUT = CAPTURES / "held_out"  # the table was not made from these
FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Capture(msgspec.Struct, frozen=True):
    """One request and what came back; octets are written as latin-1."""

    name: str
    emitter: str
    cause: str
    method: str
    url: str
    head: str
    content: str

    @property
    def hop(self) -> Hop:
        """The request and the response, as the tracer would have them."""
        request = Outgoing(self.method, URL.parse(self.url))
        return Hop(request, response_of(self.head, self.content.encode("latin-1")))


class Captures(msgspec.Struct, frozen=True):
    """The captures of one program."""

    program: str
    captures: tuple[Capture, ...]


def response_of(head: str, content: bytes) -> Response:
    """A response of these lines and this content."""
    first, *lines = head.rstrip("\r\n").split("\r\n")
    version, status, *reason = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    fields = tuple((name, value.strip()) for name, value in pairs)
    return Response(int(status), "".join(reason), version[5:], fields, content, len(content))


def read(folder: Path) -> Iterator[Capture]:
    """Every capture in the folder."""
    for written in sorted(folder.glob("*.json")):
        yield from msgspec.json.decode(written.read_bytes(), type=Captures).captures


def answers(asked: Program, port: int) -> tuple[Capture, ...]:
    """What the program answers now, once it redirects at all."""
    eventually(lambda: _redirects(asked, port), f"{asked.name} redirects")
    return tuple(_capture(asked, ask, _sent(asked, ask, port)) for ask in asked.asks)


def write(programs: Iterable[Program], folder: Path) -> None:
    """Start each program, ask it everything, write its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in programs:
        with tempfile.TemporaryDirectory() as room, running(one, Path(room)) as port:
            written = msgspec.json.encode(Captures(one.name, answers(one, port)))
        (folder / f"{one.name}.json").write_bytes(msgspec.json.format(written, indent=1) + b"\n")


def named(hop: Hop) -> str:
    """The emitter that is named first; "" for none."""
    return next((guess.emitter for guess in emitters(hop)), "")


def unchanged(hop: Hop) -> Hop:
    """The hop as received."""
    return hop


def stripped(hop: Hop) -> Hop:
    """The same hop without Server."""
    assert hop.response is not None
    kept = tuple((name, value) for name, value in hop.response.fields if name.lower() != "server")
    return msgspec.structs.replace(hop, response=msgspec.structs.replace(hop.response, fields=kept))


def wrongly_certain(captures: Iterable[Capture], seen: Callable[[Hop], Hop]) -> list[tuple[str, Guess]]:
    """Each capture that is said to *be* somebody else's."""
    return [
        (capture.name, guess)
        for capture in captures
        for guess in emitters(seen(capture.hop))
        if guess.confidence == "is" and guess.emitter != capture.emitter
    ]


def _sent(asked: Program, ask: Ask, port: int) -> Response | End:
    plain = ask.method in ("GET", "HEAD")
    url, content = URL.parse(f"{asked.scheme}://{HOST}{ask.target}"), "none" if plain else "replayable"
    request = Outgoing(ask.method, url, () if plain else (FORM,), content)
    settings = TransportSettings(connect_to=(f"{HOST}::127.0.0.1:{port}",), guard="off", insecure=True)
    with Transport(settings) as transport:
        return transport.send(Sending(request, None if plain else b"a=1"))


def _redirects(asked: Program, port: int) -> bool:
    response = _sent(asked, asked.asks[0], port)
    return isinstance(response, Response) and response.status in REDIRECT_STATUSES


def _capture(asked: Program, ask: Ask, response: Response | End) -> Capture:
    assert isinstance(response, Response), f"{asked.name}/{ask.name}: {response}"
    assert response.locations, f"{asked.name}/{ask.name}: {response}"
    return Capture(
        f"{asked.name}/{ask.name}",
        ask.emitter or asked.emitter,
        ask.cause,
        ask.method,
        f"{asked.scheme}://{HOST}{ask.target}",
        _head(response),
        response.content.decode("latin-1"),
    )


def _head(response: Response) -> str:
    """The head as received; HTTP/2 has no lines, so it is written as if it had."""
    lines = (f"HTTP/{response.http_version} {response.status}", *map(": ".join, response.fields), "", "")
    return response.raw_head.decode("latin-1") or "\r\n".join(lines)


if __name__ == "__main__":
    tables = ((APPLICATION_SERVERS, APPLICATIONS), (EDGE_SERVERS, EDGES), (PASSING_SERVERS, PASSED_ON))
    for servers, folder in tables:
        write((one for one in servers if one.name in sys.argv[1:] or not sys.argv[1:]), folder)
