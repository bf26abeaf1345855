"""Addresses, sockets and certificates."""

from __future__ import annotations

import resource
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from detour.core.settings import ListenerSettings, ServerSettings
from detour.errors import ServeError
from detour.serve.certificate import TLS, Certificates, names_of
from detour.serve.listener import Address, bind, bind_all, fit_connections, raise_descriptor_limit
from detour.serve.options import Options, choose_listeners, count_workers


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
    assert [fitted.max_connections for fitted in fit_connections(listeners, 1024)] == [448, 10]


def test_the_descriptor_limit_becomes_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
        assert raise_descriptor_limit() == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_listen_flags_replace_listeners_but_the_same_url_keeps_its_settings() -> None:
    written = (
        ListenerSettings(listen="http://127.0.0.1:80", health="/up"),
        ListenerSettings(listen="http://[::1]:81"),
    )
    chosen = choose_listeners(written, Options(listen=("http://127.0.0.1/", "http://127.0.0.1:82")))
    assert [(settings.health, settings.listen) for settings in chosen] == [
        ("/up", "http://127.0.0.1:80"),
        (None, "http://127.0.0.1:82"),
    ]


def test_without_any_listener_it_is_8307_on_loopback() -> None:
    assert choose_listeners((), Options())[0].listen == "http://127.0.0.1:8307"


def test_a_certificate_flag_goes_to_listeners_with_tls_only() -> None:
    options = Options(listen=("http://127.0.0.1:1", "https://127.0.0.1:2"), listener={"cert": ("c.pem",)})
    assert [settings.cert for settings in choose_listeners((), options)] == [(), ("c.pem",)]
    with pytest.raises(ServeError, match="add --listen https"):
        choose_listeners((), Options(listener={"cert": ("c.pem",)}))


def test_tls_without_certificate_and_certificate_without_tls_are_refused() -> None:
    with pytest.raises(ServeError, match="has no certificate"):
        bind_all([ListenerSettings(listen="https://127.0.0.1:0")], workers=1)
    with pytest.raises(ServeError, match="no TLS"):
        bind_all([ListenerSettings(listen="http://127.0.0.1:0", cert=("c.pem",))], workers=1)


class Authority:
    """A certificate authority of the test, and files it signed."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder

    def issue(self, file: str, *names: str) -> str:
        self._ca.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(self._folder / file))
        return str(self._folder / file)

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _certificate_names(offered: TLS, client: ssl.SSLContext, name: str | None) -> set[str]:
    """The names in the certificate that a client asking for `name` is shown."""
    left, right = socket.socketpair()
    answering = threading.Thread(target=_handshake, args=(offered, right))
    answering.start()
    client.check_hostname = False
    try:
        with client.wrap_socket(left, server_hostname=name) as connection:
            certificate = connection.getpeercert() or {}
            assert connection.version() in {"TLSv1.2", "TLSv1.3"}
    finally:
        answering.join(10)
    return {value for kind, value in certificate["subjectAltName"]}


def _handshake(offered: TLS, end: socket.socket) -> None:
    with offered.context.wrap_socket(end, server_side=True) as connection:
        connection.recv(1)


def test_the_names_of_a_certificate_are_read_from_the_file(authority: Authority) -> None:
    path = authority.issue("c.pem", "One.example", "*.two.example", "192.0.2.7")
    assert set(names_of(path)) == {"one.example", "*.two.example"}


def test_the_certificate_is_chosen_by_name_then_wildcard_then_first(authority: Authority) -> None:
    entries = [
        authority.issue("first.pem", "first.example"),
        authority.issue("wild.pem", "*.wild.example"),
        authority.issue("exact.pem", "exact.wild.example"),
    ]
    offered, client = TLS(entries), authority.client()
    shown = {
        name: _certificate_names(offered, client, name)
        for name in (
            "first.example",
            "a.wild.example",
            "exact.wild.example",
            "a.b.wild.example",
            "other.example",
            None,
        )
    }
    first = {"first.example"}
    assert shown == {
        "first.example": first,
        "a.wild.example": {"*.wild.example"},
        "exact.wild.example": {"exact.wild.example"},
        "a.b.wild.example": first,
        "other.example": first,
        None: first,
    }


def test_names_are_compared_without_case_and_without_the_last_dot(authority: Authority) -> None:
    certificates = Certificates(
        [authority.issue("a.pem", "a.example"), authority.issue("b.pem", "b.example")]
    )
    assert certificates.choose("B.Example.") is certificates.choose("b.example") is not certificates.default


def test_a_reloaded_certificate_is_shown_to_the_next_client(authority: Authority) -> None:
    offered, client = TLS([authority.issue("c.pem", "old.example")]), authority.client()
    assert _certificate_names(offered, client, "old.example") == {"old.example"}
    authority.issue("c.pem", "new.example")
    offered.reload()
    assert _certificate_names(offered, client, None) == {"new.example"}


def test_a_certificate_that_went_bad_leaves_the_old_one_in_use(authority: Authority, tmp_path: Path) -> None:
    path = authority.issue("c.pem", "old.example")
    offered = TLS([path])
    Path(path).write_text("half written")
    with pytest.raises(ServeError, match=r"c\.pem: not a certificate with its key"):
        offered.reload()
    assert _certificate_names(offered, authority.client(), None) == {"old.example"}


def test_old_tls_versions_are_refused(authority: Authority) -> None:
    offered = TLS([authority.issue("c.pem", "a.example")])
    assert offered.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_missing_certificate_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"absent\.pem: cannot read the certificate or key: No such file"):
        TLS([str(tmp_path / "absent.pem")])


def test_a_key_that_belongs_to_another_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    one, other = authority.issue("one.pem", "one.example"), authority.issue("other.pem", "other.example")
    with pytest.raises(ServeError, match=r"one\.pem: not a certificate with its key \(KEY_VALUES_MISMATCH\)"):
        TLS([f"{one},{other}"])


def test_a_certificate_in_other_clothes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.pem"
    path.write_text("no PEM here")
    with pytest.raises(ServeError, match="holds no certificate"):
        names_of(str(path))
    path.write_text("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
    with pytest.raises(ServeError, match="cannot be read"):
        names_of(str(path))


def test_without_a_number_there_are_at_least_two_workers() -> None:
    assert count_workers(ServerSettings()) >= 2
    assert count_workers(ServerSettings(workers=1)) == 1
