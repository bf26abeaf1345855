"""Certificates: files to contexts, names to certificates, and new ones for old without a dropped connection.

A listener offers one TLS context for ever; its server-name callback puts the certificate of the
moment under each new connection (RFC 6066 §3, RFC 9525 §6.3). Open connections keep what they have.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from detour.errors import ServeError

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SUBJECT_ALT_NAME = bytes.fromhex("0603551d11")  # 2.5.29.17, RFC 5280 §4.2.1.6
# Tags of DER (X.690 §8): the third field with a context-specific tag, and [2] IA5String.
_EXTENSIONS, _DNS_NAME = 0xA3, 0x82


class CertificateFiles(msgspec.Struct, frozen=True):
    """Where a certificate (with its chain) and its key are; both may be one file."""

    certificate: str
    key: str

    @classmethod
    def parse(cls, entry: str) -> CertificateFiles:
        """Read `FILE` or `FILE,KEY`."""
        certificate, _, key = entry.partition(",")
        return cls(certificate.strip(), key.strip() or certificate.strip())


class Certificates:
    """The certificates of one listener, by name. Build a new one to reload."""

    def __init__(self, entries: Sequence[str]) -> None:
        """Read all of `entries`; raises `ServeError` naming the file that cannot be used."""
        self._by_name: dict[str, ssl.SSLContext] = {}
        contexts = []
        for entry in entries:
            files = CertificateFiles.parse(entry)
            contexts.append(_load(files))
            for name in names_of(files.certificate):
                self._by_name.setdefault(name, contexts[-1])  # the first that was written wins
        self.default = contexts[0]

    def choose(self, server_name: str | None) -> ssl.SSLContext:
        """The context for `server_name`: its exact name, then `*.` its parent, then the default."""
        if not server_name:
            return self.default
        name = server_name.lower().rstrip(".")
        wildcard = "*." + name.partition(".")[2]
        return self._by_name.get(name) or self._by_name.get(wildcard) or self.default


class TLS:
    """What one listener offers: `context` stays the same, `certificates` may be replaced at any time."""

    def __init__(self, entries: Sequence[str]) -> None:
        self.entries = tuple(entries)
        self.certificates = Certificates(entries)
        self.context = _load(CertificateFiles.parse(entries[0]))
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read the files again; raises `ServeError`, and then the old certificates stay."""
        renew([self])

    # Called for every handshake, with None when the client names no server.
    def _choose(self, connection: ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self.certificates.choose(server_name)


def renew(offered: Iterable[TLS]) -> None:
    """Read the files of all of `offered` again; raises `ServeError`, and then none of them changes."""
    fresh = [(tls, Certificates(tls.entries)) for tls in offered]
    for tls, certificates in fresh:
        tls.certificates = certificates


def paths_of(entries: Sequence[str]) -> Iterator[str]:
    """Every file that `entries` name."""
    for entry in entries:
        files = CertificateFiles.parse(entry)
        yield files.certificate
        if files.key != files.certificate:
            yield files.key


def _load(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.set_alpn_protocols(["http/1.1"])
    for path in (files.certificate, files.key):
        _ensure_readable(path)
    try:
        # An empty passphrase: an encrypted key is an error, not a question on the terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ServeError(
            f"{files.certificate}: not a certificate with its key ({_reason(error)}); "
            f"give PEM files, as in FILE,KEY, whose key belongs to the certificate and has no passphrase"
        ) from None
    return context


def _ensure_readable(path: str) -> None:
    try:
        Path(path).read_bytes()
    except OSError as error:
        fact = error.strerror or str(error)
        raise ServeError(
            f"{path}: cannot read the certificate or key: {fact}; check its path and rights"
        ) from None


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)


def names_of(path: str) -> tuple[str, ...]:
    """The DNS names in the first certificate of a PEM file, in lower case; raises `ServeError`.

    Subject alternative names only: the common name has not been one since RFC 6125 (RFC 9525 §6.3).
    """
    found = _PEM.search(Path(path).read_text("latin-1"))
    if found is None:
        raise ServeError(f"{path}: holds no certificate; give a PEM file")
    try:
        return tuple(_dns_names(ssl.PEM_cert_to_DER_cert(found[0])))
    except (ValueError, IndexError):
        raise ServeError(f"{path}: the certificate cannot be read; give a PEM file") from None


# The standard library shows the names of a verified peer only, never of one's own certificate;
# five lines of DER stand in for a dependency.
def _dns_names(der: bytes) -> Iterator[str]:
    signed_part = _inside(_inside(der))
    for tag, explicit in _elements(signed_part):
        if tag == _EXTENSIONS:
            for _, extension in _elements(_inside(explicit)):
                yield from _names_in(extension)


def _names_in(extension: bytes) -> Iterator[str]:
    if not extension.startswith(_SUBJECT_ALT_NAME):
        return
    *_, (_, value) = _elements(extension)  # after the identifier and, perhaps, "critical"
    for tag, name in _elements(_inside(value)):
        if tag == _DNS_NAME:
            yield name.decode("ascii").lower()


def _inside(der: bytes) -> bytes:
    """The content of the first element."""
    for _, content in _elements(der):
        return content
    raise ValueError("empty")


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element that `der` is made of (X.690 §8.1; one-octet tags)."""
    place = 0
    while place < len(der):
        tag, length = der[place], der[place + 1]
        place += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(der[place : place + octets], "big")
            place += octets
        yield tag, der[place : place + length]
        place += length
