"""Proxies that stand between: what they are told, and what comes through them."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from detour.core.chain import Outgoing, Response
from detour.core.url import URL
from detour.net.ends import Failed
from detour.net.transport import Sending, Transport, TransportSettings
from tests.net.origin import Peer, Talk, keeping, origin

FOUND = b"HTTP/1.1 307 T\r\nLocation: /a\r\nX: y\r\nContent-Length: 0\r\n\r\n"
SECRET = (("Authorization", "Basic c2VjcmV0"), ("Cookie", "sid=1"))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    return context


def relay(one: socket.socket, other: socket.socket) -> None:
    """Octets from one to the other until it closes."""
    with suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def joined(peer: Peer, port: int) -> None:
    """Octets both ways between a client and a port of loopback."""
    with socket.create_connection(("127.0.0.1", port)) as behind:
        back = threading.Thread(target=relay, args=(behind, peer.connection))
        back.start()
        relay(peer.connection, behind)
        back.join()


def tunnel(port: int) -> Talk:
    """An HTTP proxy whose every tunnel leads to one port, with a field of its own."""

    def talk(peer: Peer) -> None:
        if peer.head():
            peer.say(b"HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
            joined(peer, port)

    return talk


def socks(port: int) -> Talk:
    """A SOCKS5 proxy without authentication whose every connection leads to one port (RFC 1928)."""

    def talk(peer: Peer) -> None:
        offered = peer.content(2)[1]
        peer.content(offered)
        peer.say(b"\x05\x00")
        peer.content(4 + 1 + len("shop.example") + 2)
        peer.say(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        joined(peer, port)

    return talk


def test_a_tunnel_is_told_host_and_port_alone(tls: ssl.SSLContext, ca: str) -> None:
    request = Outgoing("GET", URL.parse("https://shop.example/secret?q"), SECRET)
    with origin(keeping(FOUND), tls=tls) as seen, origin(tunnel(seen.port)) as proxy:
        settings = TransportSettings(proxy=f"http://127.0.0.1:{proxy.port}", guard="off", ca=ca, timeout=10)
        with Transport(settings) as transport:
            answer = transport.send(Sending(request))
    assert isinstance(answer, Response), answer
    assert proxy.heads[0].splitlines()[:2] == [
        b"CONNECT shop.example:443 HTTP/1.1",
        b"Host: shop.example:443",
    ]
    assert b"uthorization" not in proxy.heads[0]
    assert b"ookie" not in proxy.heads[0]
    assert b"secret" not in proxy.heads[0]
    assert seen.heads[0].startswith(b"GET /secret?q HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic ")


def test_what_a_proxy_says_of_its_tunnel_is_no_part_of_the_answer(tls: ssl.SSLContext, ca: str) -> None:
    request = Outgoing("GET", URL.parse("https://shop.example/"))
    with origin(keeping(FOUND), tls=tls) as seen, origin(tunnel(seen.port)) as proxy:
        settings = TransportSettings(proxy=f"http://127.0.0.1:{proxy.port}", guard="off", ca=ca, timeout=10)
        with Transport(settings) as transport:
            answer = transport.send(Sending(request))
    assert isinstance(answer, Response), answer
    assert (answer.status, answer.interim, answer.raw_head) == (307, (), FOUND)
    assert answer.first("x-proxy") is None
    assert answer.certificate is not None
    assert answer.certificate.names == ("shop.example",)


def test_a_socks_proxy_looks_the_name_up_itself() -> None:
    request = Outgoing("GET", URL.parse("http://shop.example/a%2fb"))
    with origin(keeping(FOUND)) as seen, origin(socks(seen.port)) as proxy:
        settings = TransportSettings(
            proxy=f"socks5h://127.0.0.1:{proxy.port}", guard="off", http="1.1", timeout=10
        )
        with Transport(settings) as transport:
            answer = transport.send(Sending(request))
    assert isinstance(answer, Response), answer
    assert proxy.contents[2] == b"\x05\x01\x00\x03\x0cshop.example\x00\x50"
    assert seen.heads == [b"GET /a%2fb HTTP/1.1\r\nHost: shop.example\r\n\r\n"]


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_is_not_there_is_an_end(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    settings = TransportSettings(proxy=f"{scheme}://127.0.0.1:{port}", guard="off", timeout=5)
    with Transport(settings) as transport:
        end = transport.send(Sending(Outgoing("GET", URL.parse("http://shop.example/"))))
    assert isinstance(end, Failed)
    assert end.name in ("connect", "proxy")
    assert "\n" not in end.detail


def test_a_proxy_that_hangs_up_on_a_tunnel_is_an_end() -> None:
    with origin(lambda peer: peer.head() and None) as proxy:
        settings = TransportSettings(proxy=f"http://127.0.0.1:{proxy.port}", guard="off", timeout=5)
        with Transport(settings) as transport:
            end = transport.send(Sending(Outgoing("GET", URL.parse("https://shop.example/"))))
    assert isinstance(end, Failed)
    assert (end.name, "CONNECT" in end.detail) == ("proxy", True)
