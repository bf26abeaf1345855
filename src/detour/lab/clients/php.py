"""Clients for PHP. Debian keeps the libraries where PHP looks for them."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_TRUST = ("-d", "openssl.cafile={ca}", "-d", "curl.cainfo={ca}")


def _program(
    name: str,
    follows: str,
    file: str,
    *,
    version: Words,
    install: Words = (),
    cannot: Mapping[str, str] = {},
) -> Client:
    """A file of PHP, beside lab.php."""
    return Client(
        name=name,
        language="PHP",
        follows=follows,
        version=version,
        command=("php", *_TRUST, f"{{programs}}/php/{file}.php"),
        install=Install(debian=("php-cli", *install)),
        cannot={"websocket": "has no WebSocket", **cannot},
    )


def _package(name: str) -> Words:
    return ("dpkg-query", "-W", "-f", "${Version}", name)


CLIENTS = (
    _program(
        *("php-streams", "as it does of itself", "streams"),
        version=("php", "--version"),
        cannot={
            "multipart": "makes no forms with files",
            "file": "takes a string only",
            "stream": "takes a string only",
            "chunked": "sends a string with its length",
            "expect": "does not wait for 100",
        },
    ),
    _program(
        *("php-curl", "CURLOPT_FOLLOWLOCATION", "curl"),
        version=("php", "-r", "echo curl_version()['version'];"),
        install=("php-curl",),
    ),
    _program(
        *("guzzle", "as it does of itself", "guzzle"),
        version=_package("php-guzzlehttp-guzzle"),
        install=("php-guzzlehttp-guzzle", "php-curl"),
    ),
    _program(
        *("symfony/http-client", "as it does of itself", "symfony"),
        version=_package("php-symfony-http-client"),
        install=("php-symfony-http-client", "php-symfony-mime", "php-curl"),
    ),
)
