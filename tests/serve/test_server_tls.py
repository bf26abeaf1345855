"""TLS on a running server: certificates by name, and new ones without a dropped connection."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from tests.serve.running_server import PATIENCE, REPOSITORY, RunningServer, eventually, exchange, rule

LOCATION = "https://example.org/7"


class Site:
    """A rule file, certificates of an authority of our own, and clients that trust it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules = folder / "detours.toml"
        self.rules.write_text(rule("moved", "/v1/*", "https://example.org/{0}"))
        self._ca = trustme.CA()

    def issue(self, file: str, *names: str) -> str:
        """A certificate and its key in two files: an entry as `cert` has it."""
        issued = self._ca.issue_cert(*names)
        certificate, key = self.folder / f"{file}.crt", self.folder / f"{file}.key"
        issued.private_key_pem.write_to_path(str(key))
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return f"{certificate},{key}"

    def serve(self, *entries: str) -> RunningServer:
        listen = ["https://127.0.0.1:0", "http://127.0.0.1:0"]
        return RunningServer(self.rules, self.folder, listen=listen, listener={"cert": entries})

    def connect(self, server: RunningServer, name: str) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        self._ca.configure_trust(context)
        return context.wrap_socket(server.connect(), server_hostname=name)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_each_name_is_shown_its_certificate_and_http_1_1_is_agreed(site: Site) -> None:
    with site.serve(site.issue("one", "one.example"), site.issue("two", "*.two.example")) as server:
        for name in ("one.example", "a.two.example"):
            with site.connect(server, name) as connection:  # verifies the name
                assert connection.selected_alpn_protocol() == "http/1.1"
                assert exchange(connection, "/v1/7", "POST") == (307, LOCATION)


def test_plain_and_tls_listeners_serve_side_by_side(site: Site) -> None:
    with site.serve(site.issue("one", "one.example")) as server:
        assert [url.partition(":")[0] for url in server.urls] == ["https", "http"]
        plain = server.urls[1].rpartition(":")[2]
        with socket.create_connection(("127.0.0.1", int(plain)), timeout=PATIENCE) as connection:
            assert exchange(connection, "/v1/7") == (307, LOCATION)


def test_a_renewed_certificate_is_used_at_once_and_open_connections_stay(site: Site) -> None:
    entry = site.issue("one", "old.example")
    with site.serve(entry) as server, site.connect(server, "old.example") as before:
        assert exchange(before, "/v1/7") == (307, LOCATION)
        site.issue("one", "new.example")
        server.wait_for("certificates reloaded")
        eventually(lambda: _is_shown(site, server, "new.example"), "the new certificate")
        assert exchange(before, "/v1/7") == (307, LOCATION)
        assert not _is_shown(site, server, "old.example")


def _is_shown(site: Site, server: RunningServer, name: str) -> bool:
    try:
        site.connect(server, name).close()
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_a_bad_certificate_leaves_the_old_in_use_in_successors_too(site: Site) -> None:
    entry = site.issue("one", "one.example")
    with site.serve(entry) as server:
        Path(entry.partition(",")[0]).write_text("half written")
        server.wait_for("certificates not reloaded")
        for worker in server.workers():
            worker.kill()
        server.wait_for("it is replaced", 2)
        assert _is_shown(site, server, "one.example")


def test_sighup_reads_certificates_again(site: Site) -> None:
    with site.serve(site.issue("one", "one.example")) as server:
        server.signal(signal.SIGHUP)
        server.wait_for("certificates reloaded")
        server.wait_for("reloaded: 1 rule")
        assert _is_shown(site, server, "one.example")


def test_an_unreadable_certificate_is_one_line_and_exit_2(site: Site) -> None:
    arguments = {
        "rules": str(site.rules),
        "listen": ["https://127.0.0.1:0"],
        "listener": {"cert": [str(site.folder / "absent.pem")]},
        "admin": "off",
    }
    argv = [sys.executable, "-m", "tests.serve.running_server", json.dumps(arguments)]
    ended = subprocess.run(
        argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "absent.pem: cannot read the certificate or key: No such file or directory" in line


def test_a_drain_finishes_open_tls_requests(site: Site) -> None:
    with site.serve(site.issue("one", "one.example")) as server:
        with site.connect(server, "one.example") as connection:
            connection.sendall(b"GET /v1/7 HTTP/1.1\r\n")
            with site.connect(server, "one.example") as other:
                exchange(other, "/v1/7")
            server.signal(signal.SIGTERM)
            server.wait_for("draining")
            connection.sendall(b"Host: one.example\r\n\r\n")
            assert connection.recv(16).startswith(b"HTTP/1.1 307")
        assert server.wait() == 0
