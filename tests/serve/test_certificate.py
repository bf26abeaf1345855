"""Certificates: names read, one chosen for each name, new ones for old."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from detour.errors import ServeError
from detour.serve.certificate import TLS, Certificates, names_of, renew


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


def test_either_all_certificates_are_renewed_or_none(authority: Authority, tmp_path: Path) -> None:
    offered = [TLS([authority.issue(f"{name}.pem", f"{name}.old.example")]) for name in ("one", "two")]
    for name in ("one", "two"):
        authority.issue(f"{name}.pem", f"{name}.new.example")
    good = (tmp_path / "two.pem").read_text()
    (tmp_path / "two.pem").write_text("half written")
    before = [tls.certificates for tls in offered]
    with pytest.raises(ServeError, match=r"two\.pem"):
        renew(offered)
    assert [tls.certificates for tls in offered] == before
    (tmp_path / "two.pem").write_text(good)
    renew(offered)
    names = [_certificate_names(tls, authority.client(), None) for tls in offered]
    assert names == [{"one.new.example"}, {"two.new.example"}]


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
