"""Addresses and sockets."""

from __future__ import annotations

import resource
import socket

import pytest

from detour.core.settings import ListenerSettings
from detour.errors import ServeError
from detour.serve.listener import (
    TURNED_AWAY,
    Address,
    bind,
    bind_all,
    fit_connections,
    raise_descriptor_limit,
)


def test_port_0_becomes_one_port_that_all_workers_share() -> None:
    (listener,) = bind_all([ListenerSettings(listen="http://127.0.0.1:0")], workers=3)
    ports = {held.getsockname()[1] for held in listener.sockets}
    assert ports == {listener.address.port}
    assert listener.url == f"http://127.0.0.1:{listener.address.port}"
    listener.close()


def test_a_connection_is_accepted_before_any_worker_runs() -> None:
    (listener,) = bind_all([ListenerSettings(listen="http://127.0.0.1:0")], workers=1)
    with socket.create_connection(("127.0.0.1", listener.address.port), timeout=5) as client:
        accepted, _ = listener.sockets[0].accept()
        accepted.sendall(b"queued")
        assert client.recv(6) == b"queued"
        accepted.close()
    listener.close()


def test_a_taken_port_is_one_line_and_leaves_nothing_bound() -> None:
    (first,) = bind_all([ListenerSettings(listen="http://127.0.0.1:0")], workers=2)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    wanted = [ListenerSettings(listen=f"http://127.0.0.1:{free}"), ListenerSettings(listen=first.url)]
    with pytest.raises(
        ServeError, match=r"^cannot listen on http://127.0.0.1:\d+: Address already in use; stop"
    ):
        bind_all(wanted, workers=1)
    bind(Address(socket.AF_INET, "127.0.0.1", free), "free").close()
    first.close()


def test_ipv6_addresses_are_written_in_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    (listener,) = bind_all([ListenerSettings(listen="http://[::1]:0")], workers=1)
    assert listener.url == f"http://[::1]:{listener.address.port}"
    listener.close()


@pytest.mark.parametrize(
    "listen",
    [
        "127.0.0.1:80",
        "ftp://127.0.0.1",
        "http://127.0.0.1/x",
        "http://127.0.0.1/?q",
        "http://u@127.0.0.1",
        "http://",
    ],
)
def test_what_is_no_listen_url_is_refused_with_its_remedy(listen: str) -> None:
    with pytest.raises(ServeError, match="write http://ADDRESS:PORT"):
        Address.of_url(listen)


@pytest.mark.parametrize(
    "text", ["8308", ":8308", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:²"]
)
def test_what_is_no_address_is_refused_with_its_remedy(text: str) -> None:
    with pytest.raises(ServeError, match="write ADDRESS:PORT"):
        Address.of_text(text)


def test_an_address_of_another_machine_is_one_line() -> None:
    with pytest.raises(
        ServeError, match=r"^cannot listen on http://192\.0\.2\.1: .*; give an address of this machine$"
    ):
        bind_all([ListenerSettings(listen="http://192.0.2.1")], workers=1)
    with pytest.raises(ServeError, match="give an address of this machine"):
        Address.of_text("x" * 64 + ":80")  # no label is that long: nobody is asked


def test_ports_left_out_are_the_schemes_own() -> None:
    assert Address.of_url("http://127.0.0.1")[1].port == 80
    assert Address.of_url("https://127.0.0.1") == ("https", Address(socket.AF_INET, "127.0.0.1", 443))


def test_connections_leave_descriptors_to_spare() -> None:
    listeners = (ListenerSettings(max_connections=10_000), ListenerSettings(max_connections=10))
    fitted = [settings.max_connections for settings in fit_connections(listeners, 1024)]
    assert fitted == [448 - TURNED_AWAY, 10]
    assert sum(most + TURNED_AWAY for most in fitted) <= 1024 - 128
    assert [settings.max_connections for settings in fit_connections(listeners, 64)] == [1, 1]


def test_a_listener_with_tls_leaves_descriptors_to_handshakes() -> None:
    tls = ListenerSettings(listen="https://127.0.0.1:0", cert=("c.pem",), max_connections=10_000)
    (fitted,) = fit_connections([tls], 1024)
    assert fitted.max_connections == (1024 - 128 - TURNED_AWAY) * 3 // 4


def test_the_descriptor_limit_becomes_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
        assert raise_descriptor_limit() == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_tls_without_certificate_and_certificate_without_tls_are_refused() -> None:
    with pytest.raises(ServeError, match="has no certificate"):
        bind_all([ListenerSettings(listen="https://127.0.0.1:0")], workers=1)
    with pytest.raises(ServeError, match="no TLS"):
        bind_all([ListenerSettings(listen="http://127.0.0.1:0", cert=("c.pem",))], workers=1)
