"""The throw-away authority."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from detour.errors import LabError
from detour.lab.authority import Authority, make_authority


def handshake(authority: Authority, trusted: Path, name: str) -> str:
    """A TLS session over a socket pair; the protocol that was agreed on."""
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            authority.context().wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        context = ssl.create_default_context(cafile=trusted)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with context.wrap_socket(here, server_hostname=name) as wrapped:
            return wrapped.selected_alpn_protocol() or ""
    finally:
        here.close()
        thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), ("127.0.0.1", "127.0.0.2"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_who_trusts_it_reaches_the_origins_by_address(authority: Authority, host: str) -> None:
    assert handshake(authority, authority.certificate, host) == "http/1.1"


def test_its_certificate_is_for_no_other_address(authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(authority, authority.certificate, "127.0.0.3")


def test_an_authority_of_another_run_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = make_authority(tmp_path, ("127.0.0.1",))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority, other.certificate, "127.0.0.1")


def test_without_openssl_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="install openssl"):
        make_authority(tmp_path, ("127.0.0.1",))


def test_an_openssl_that_fails_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").mkdir()  # where the certificate would go
    with pytest.raises(LabError, match=r"openssl req: exit 1: .*; OpenSSL 1\.1\.1 or later"):
        make_authority(tmp_path, ("127.0.0.1",))
