"""Clients for Perl."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_NO_WEBSOCKET = {"websocket": "has no WebSocket"}
_NO_EXPECT = {"expect": "does not wait for 100"}
_NO_FORMS = {"multipart": "makes no forms with files"}
_NO_CHUNKS = {"chunked": "sends what it has in memory with its length"}


def _program(
    module: str,
    follows: str,
    file: str,
    *words: str,
    name: str = "",
    version: Words = (),
    install: Words = (),
    cannot: Mapping[str, str] = {},
    waits: bool = False,
) -> Client:
    """A file of Perl, beside Lab.pm."""
    return Client(
        name=name or module,
        language="Perl",
        follows=follows,
        version=version or _version(module),
        command=("perl", f"{{programs}}/perl/{file}.pl", *words),
        install=Install(debian=("perl", *install)),
        environment={"PERL_LWP_SSL_CA_FILE": "{ca}"},
        cannot={**_NO_CHUNKS, **cannot},
        waits=waits,
    )


def _version(module: str) -> Words:
    return ("perl", f"-M{module}", "-e", f"print {module}->VERSION")


# Debian mends it and leaves its version as it was: that of the package stands beside it.
_TINY = (
    "perl -MHTTP::Tiny -e 'print HTTP::Tiny->VERSION' && { dpkg-query -W -f '+perl-${Version}' perl || :; }"
)

CLIENTS = (
    _program(
        *("HTTP::Tiny", "as it does of itself", "http_tiny"),
        version=("sh", "-c", _TINY),
        install=("libio-socket-ssl-perl",),
        cannot={**_NO_WEBSOCKET, **_NO_EXPECT, **_NO_FORMS},
    ),
    _program(
        *("LWP::UserAgent", "as it does of itself: GET and HEAD", "lwp", "LWP::UserAgent"),
        install=("libwww-perl", "liblwp-protocol-https-perl"),
        cannot=_NO_WEBSOCKET,
    ),
    _program(
        *("LWP::UserAgent", "requests_redirectable with every method", "lwp", "LWP::UserAgent"),
        *("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"),
        name="LWP::UserAgent-all",
        install=("libwww-perl", "liblwp-protocol-https-perl"),
        cannot=_NO_WEBSOCKET,
    ),
    _program(
        *("WWW::Mechanize", "as it does of itself: GET, HEAD and POST", "lwp", "WWW::Mechanize"),
        install=("libwww-mechanize-perl", "liblwp-protocol-https-perl"),
        cannot=_NO_WEBSOCKET,
    ),
    _program(
        *("Mojo::UserAgent", "max_redirects(10)", "mojo"),
        waits=True,
        version=_version("Mojolicious"),
        install=("libmojolicious-perl", "libio-socket-ssl-perl"),
        cannot=_NO_EXPECT,
    ),
    _program(
        *("Furl", "as it does of itself", "furl"),
        install=("libfurl-perl", "libio-socket-ssl-perl"),
        cannot={**_NO_WEBSOCKET, **_NO_EXPECT, **_NO_FORMS, "stream": "asks a stream how long it is"},
    ),
)
