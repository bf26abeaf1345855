"""A certificate authority for one run of the lab: made in a folder, thrown away with it.

`openssl` makes it: every system that has a client to ask has it, and Detour itself needs no library that
can sign. The authority never leaves the folder, so there is nothing for anybody to trust by mistake.
"""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import msgspec

from detour.errors import LabError

_DAYS = "2"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

# One configuration for both certificates; a command line of `-addext` is beyond older programs.
_CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
O = Detour lab, throw-away
CN = {common_name}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[origin]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


class Authority(msgspec.Struct, frozen=True):
    """Where its certificate is, and the certificate of the origins with its key."""

    certificate: Path
    origin: Path
    origin_key: Path

    def context(self) -> ssl.SSLContext:
        """What a TLS origin offers: HTTP/1.1 and nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.origin, self.origin_key)
        return context


def make_authority(folder: Path, hosts: tuple[str, ...]) -> Authority:
    """An authority and one certificate for the addresses `hosts`; raises `LabError`."""
    names = ", ".join(f"IP:{host}" for host in hosts)
    for name, common_name in (("authority", "Detour lab authority"), ("origin", "Detour lab origin")):
        (folder / f"{name}.cnf").write_text(_CONFIGURATION.format(common_name=common_name, names=names))
    made = Authority(folder / "authority.pem", folder / "origin.pem", folder / "origin.key")
    signer = str(folder / "authority.key")
    _openssl(
        "req", "-x509", "-days", _DAYS, *_KEY, "-config", str(folder / "authority.cnf"),
        "-extensions", "authority", "-keyout", signer, "-out", str(made.certificate),
    )  # fmt: skip
    request = str(folder / "origin.csr")
    configuration = str(folder / "origin.cnf")
    _openssl("req", "-new", *_KEY, "-config", configuration, "-keyout", str(made.origin_key), "-out", request)
    _openssl(
        "x509", "-req", "-days", _DAYS, "-in", request, "-CA", str(made.certificate), "-CAkey", signer,
        "-set_serial", "1", "-extfile", configuration, "-extensions", "origin", "-out", str(made.origin),
    )  # fmt: skip
    return made


def _openssl(*words: str) -> None:
    try:
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    except OSError as error:
        fact = error.strerror or str(error)
        raise LabError(f"openssl: {fact}; the lab makes its certificates with it: install openssl") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[-200:]
        raise LabError(
            f"openssl {words[0]}: exit {done.returncode}: {said}; OpenSSL 1.1.1 or later is needed"
        )
