"""TLS: who is trusted, what the certificate says, and HTTP/2 where both agree on it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from detour.core.chain import End, Outgoing, Response
from detour.core.url import URL
from detour.errors import DetourError
from detour.net import handle
from detour.net.transport import Sending, Transport, TransportSettings
from tests.net.origin import keeping, origin

ANSWER = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "shop.example").configure_cert(context)
    return context


def test_a_certificate_nobody_vouches_for_is_a_tls_end(tls: ssl.SSLContext) -> None:
    with origin(keeping(ANSWER), tls=tls) as seen, Transport() as transport:
        end = transport.send(Sending(seen.request()))
    assert isinstance(end, End)
    assert end.name == "tls"
    assert "not trusted" in end.detail
    assert seen.heads == []


def test_a_certificate_of_a_trusted_authority_is_told(tls: ssl.SSLContext, ca: str) -> None:
    with origin(keeping(ANSWER), tls=tls) as seen, Transport(TransportSettings(ca=ca)) as transport:
        answer = transport.send(Sending(seen.request()))
    assert isinstance(answer, Response)
    assert answer.status == 307
    assert 0 < answer.timings.connect < answer.timings.tls < answer.timings.first_byte
    certificate = answer.certificate
    assert certificate is not None
    assert "trustme" in certificate.issuer
    assert certificate.names == ("127.0.0.1", "localhost", "shop.example")
    assert certificate.not_before < "2026-11-25" < certificate.not_after
    assert certificate.not_after.endswith("Z")


def test_a_certificate_is_told_on_an_open_connection_too(tls: ssl.SSLContext, ca: str) -> None:
    with origin(keeping(ANSWER), tls=tls) as seen, Transport(TransportSettings(ca=ca)) as transport:
        first, second = (transport.send(Sending(seen.request())) for _ in range(2))
    assert isinstance(first, Response)
    assert isinstance(second, Response)
    assert seen.connections == 1
    assert second.certificate == first.certificate is not None


def test_a_certificate_of_another_host_is_a_tls_end(authority: trustme.CA, ca: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    with origin(keeping(ANSWER), tls=context) as seen, Transport(TransportSettings(ca=ca)) as transport:
        end = transport.send(Sending(seen.request()))
    assert isinstance(end, End)
    assert end.name == "tls"


def test_insecure_takes_any_certificate(tls: ssl.SSLContext) -> None:
    with origin(keeping(ANSWER), tls=tls) as seen, Transport(TransportSettings(insecure=True)) as transport:
        assert isinstance(transport.send(Sending(seen.request())), Response)


def test_a_plain_answer_to_tls_is_a_tls_end() -> None:
    with origin(lambda peer: peer.say(ANSWER)) as seen, Transport() as transport:
        end = transport.send(Sending(Outgoing("GET", URL.parse(f"https://127.0.0.1:{seen.port}/"))))
    assert isinstance(end, End)
    assert end.name == "tls"


def test_a_client_certificate_is_shown(
    authority: trustme.CA, ca: str, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    mine = authority.issue_cert("me.example")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    mine.private_key_pem.write_to_path(str(key))
    for piece in mine.cert_chain_pems:
        piece.write_to_path(str(cert), append=True)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 refuses only after the handshake
    authority.configure_trust(tls)
    shown = TransportSettings(ca=ca, client_cert=str(cert), client_key=str(key))
    with origin(keeping(ANSWER), tls=tls) as seen:
        with Transport(shown) as transport:
            assert isinstance(transport.send(Sending(seen.request())), Response)
        with Transport(TransportSettings(ca=ca)) as transport:
            end = transport.send(Sending(seen.request("POST")))
    assert isinstance(end, End)
    assert end.name == "tls"
    assert len(seen.heads) == 1


def test_evidence_is_fetched_over_tls_too(tls: ssl.SSLContext, ca: str) -> None:
    broken = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n"

    with origin(keeping(broken), tls=tls) as seen, Transport(TransportSettings(ca=ca)) as transport:
        end = transport.send(Sending(seen.request()))
    assert isinstance(end, End)
    assert end.name == "malformed-response"
    assert end.evidence.locations == ("/a", "/b")  # type: ignore[attr-defined]


# -- HTTP/2, against nginx -----------------------------------------------------------------------------------

NGINX = """
daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {root}/c; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{
    listen unix:{root}/ready;
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;
    location / {{ return 307 /moved$request_uri; }}
    location /slash {{ return 200 "hello"; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def nginx(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of an nginx that speaks HTTP/2 over TLS."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not program:
        pytest.skip("nginx is not installed (nginx-light)")
    root = tmp_path_factory.mktemp("nginx")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(root / "key.pem"))
    for piece in issued.cert_chain_pems:
        piece.write_to_path(str(root / "cert.pem"), append=True)
    port = free_port()
    (root / "nginx.conf").write_text(NGINX.format(root=root, port=port))
    running = subprocess.Popen([program, "-p", str(root), "-c", str(root / "nginx.conf")])
    try:
        wait_until_there(root / "pid", running)
        yield f"https://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_there(file: Path, running: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        if file.exists() and file.read_text():
            return
        assert running.poll() is None, "nginx did not start"
        time.sleep(0.01)


@pytest.mark.parametrize(("http", "version"), [("auto", "2"), ("2", "2"), ("1.1", "1.1"), ("3", "2")])
def test_http_2_is_spoken_where_both_agree(nginx: str, ca: str, http: str, version: str) -> None:
    if http == "3" and not handle.has_http3():
        pytest.skip("this libcurl was built without HTTP/3")
    settings = TransportSettings(ca=ca, http=http, timeout=10)  # type: ignore[arg-type]
    with Transport(settings) as transport:
        answer = transport.send(Sending(Outgoing("POST", URL.parse(f"{nginx}/x?y")), b"abc"))
    assert isinstance(answer, Response), answer
    assert (answer.status, answer.http_version) == (307, version)
    assert answer.first("location") in ("/moved/x?y", f"{nginx}/moved/x?y")
    assert answer.remote == "127.0.0.1"
    assert answer.raw_head == b"" or version == "1.1"
    assert answer.certificate is not None


def test_http_3_needs_a_libcurl_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handle, "has_http3", lambda: False)
    with pytest.raises(DetourError, match="--http3: this libcurl was built without HTTP/3; leave it out"):
        Transport(TransportSettings(http="3"))
