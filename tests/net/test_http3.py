"""HTTP/2 and HTTP/3 against Caddy, with an origin behind it that records what came through."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from detour.core.chain import Outgoing, Response
from detour.core.url import URL
from detour.net import handle
from detour.net.ends import Failed
from detour.net.settings import HTTPVersion
from detour.net.transport import Sending, Transport, TransportSettings
from tests.examples.running import Running, free_port, program
from tests.examples.staging import Certificate
from tests.net.origin import Origin, Peer, origin

PUBLIC = "93.184.216.34"
CADDYFILE = """
{{
  admin off
  auto_https off
  persist_config off
  storage file_system {folder}/storage
  servers {{
    protocols h1 h2 h3
  }}
}}
https://127.0.0.1:{port}, https://shop.example:{port} {{
  bind 127.0.0.1
  tls {certificate.cert} {certificate.key}
  reverse_proxy 127.0.0.1:{behind}
}}
"""


class Caddy(Running):
    """Caddy that speaks HTTP/1.1, 2 and 3 on one port and hands everything to an origin behind it."""

    def __init__(self, folder: Path, port: int, behind: int, certificate: Certificate) -> None:
        self._port = port
        text = CADDYFILE.format(folder=folder, port=port, behind=behind, certificate=certificate)
        written = folder / "Caddyfile"
        written.write_text(text)
        super().__init__(
            [program("caddy"), "run", "--config", str(written), "--adapter", "caddyfile"], folder
        )

    def ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False


class Edge(NamedTuple):
    """Caddy's port, the authority to trust, and what the origin behind has seen."""

    port: int
    ca: str
    behind: Origin

    def ask(
        self, method: str, http: HTTPVersion, content: bytes | None = None, before: str = "", host: str = ""
    ) -> Response | Failed:
        url = URL.parse(f"https://{host or '127.0.0.1'}:{self.port}/a%2fb?c")
        resolve = (f"shop.example:{self.port}:127.0.0.1",)
        settings = TransportSettings(ca=self.ca, http=http, timeout=10, resolve=resolve)
        request = Outgoing(method, url, (("X-One", "1"), ("Accept", "*/*"), ("X-Two", "2")))
        with Transport(settings) as transport:
            outcome = transport.send(Sending(request, content, before))
        assert isinstance(outcome, Response | Failed)
        return outcome


def behind(peer: Peer) -> None:
    while head := peer.head():
        length = next(
            (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), b":0"
        )
        peer.content(int(length.partition(b":")[2]))
        peer.say(
            b"HTTP/1.1 307 T\r\nLocation: /next\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 0\r\n\r\n"
        )


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    certificate = Certificate.issue(folder, "127.0.0.1", "shop.example")
    with origin(behind) as seen, Caddy(folder, port, seen.port, certificate):
        yield Edge(port, str(certificate.ca), seen)


@pytest.fixture(params=["1.1", "2", "3"])
def http(request: pytest.FixtureRequest) -> HTTPVersion:
    if request.param == "3" and not handle.has_http3():
        pytest.skip("this libcurl was built without HTTP/3")
    version: HTTPVersion = request.param
    return version


def test_each_version_brings_method_target_fields_and_content(edge: Edge, http: HTTPVersion) -> None:
    answer = edge.ask("PATCH", http, b"a\0b")
    assert isinstance(answer, Response), answer
    assert (answer.status, answer.http_version) == (307, http)
    assert (answer.locations, answer.values("x-twice")) == (("/next",), ("a", "b"))
    head, content = edge.behind.heads[-1], edge.behind.contents[-1]
    assert head.startswith(b"PATCH /a%2fb?c HTTP/1.1\r\n")
    assert b"\r\nX-One: 1\r\n" in head
    assert b"\r\nX-Two: 2\r\n" in head
    assert (content, answer.sent) == (b"a\0b", 3)


def test_each_version_tells_its_phases_its_address_and_the_certificate(edge: Edge, http: HTTPVersion) -> None:
    answer = edge.ask("GET", http, host="shop.example")
    assert isinstance(answer, Response), answer
    times = answer.timings
    assert 0 < times.dns <= times.tls < times.first_byte <= times.total < 10
    assert 0 < times.connect <= times.tls
    assert answer.remote == "127.0.0.1"
    assert answer.certificate is not None
    assert answer.certificate.names == ("127.0.0.1", "shop.example")


def test_the_guard_stands_before_each_version(edge: Edge, http: HTTPVersion) -> None:
    before = len(edge.behind.heads)
    end = edge.ask("GET", http, before=PUBLIC)
    assert isinstance(end, Failed)
    assert (end.name, end.remote, len(edge.behind.heads)) == ("refused-address", "", before)


def test_each_version_trusts_only_whom_it_is_told_to_trust(edge: Edge, http: HTTPVersion) -> None:
    """With HTTP/3, libcurl tries the older versions, too: none of them gets through."""
    before = len(edge.behind.heads)
    request = Outgoing("GET", URL.parse(f"https://127.0.0.1:{edge.port}/"))
    with Transport(TransportSettings(http=http, timeout=10)) as transport:
        end = transport.send(Sending(request))
    assert isinstance(end, Failed)
    assert (end.name, len(edge.behind.heads)) == ("tls", before)


def test_no_listener_is_no_connection_in_each_version(http: HTTPVersion) -> None:
    request = Outgoing("GET", URL.parse(f"https://127.0.0.1:{free_port()}/"))
    with Transport(TransportSettings(http=http, timeout=10)) as transport:
        end = transport.send(Sending(request))
    assert isinstance(end, Failed)
    assert (end.name, end.remote) == ("connect", "")
