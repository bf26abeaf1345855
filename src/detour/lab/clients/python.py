"""Clients for Python, among them those that are written in Rust or C and only driven from here."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_NO_EXPECT = {"expect": "does not wait for 100"}
_NO_WEBSOCKET = {"websocket": "has no WebSocket"}
_NO_FORMS = {"multipart": "makes no forms"}
_OCTETS_ONLY = {
    "file": "takes octets only",
    "stream": "takes octets only",
    "chunked": "announces a length always",
}

_VERSION = """
import importlib.metadata, sys
try:
    print(importlib.metadata.version(sys.argv[1]))
except importlib.metadata.PackageNotFoundError:
    sys.exit(f"{sys.argv[1]} is not installed")
"""


def _library(
    package: str,
    follows: str = "as it does of itself",
    *,
    program: Words = (),
    language: str = "Python",
    cannot: Mapping[str, str] = _NO_EXPECT,
    environment: Mapping[str, str] = {},
    websocket: bool = False,
) -> Client:
    """A package of PyPI, driven by `PACKAGE_program.py` unless `program` says otherwise."""
    file, *words = program or (f"{package}_program.py",)
    return Client(
        name=package,
        language=language,
        follows=follows,
        version=_metadata(package),
        command=("{its_python}", f"{{programs}}/{file}", *words),
        install=Install(pypi=(package,)),
        cannot=cannot if websocket else {**_NO_WEBSOCKET, **cannot},
        environment=environment,
    )


def _metadata(package: str) -> Words:
    return ("{its_python}", "-c", _VERSION, package)


def _pycurl(name: str, follows: str, option: str) -> Client:
    """Detour itself stands on pycurl: it is there."""
    return Client(
        name=name,
        language="C",
        follows=follows,
        version=("{python}", "-c", "import pycurl; print(pycurl.version_info()[1])"),
        command=("{python}", "{programs}/pycurl_program.py", option),
        cannot=_NO_WEBSOCKET,
    )


CLIENTS = (
    Client(
        name="urllib.request",
        language="Python",
        follows="as it does of itself",
        version=("{python}", "--version"),
        command=("{python}", "{programs}/urllib_program.py"),
        cannot={**_NO_WEBSOCKET, **_NO_EXPECT, **_NO_FORMS},
    ),
    _library("urllib3"),
    _library("requests", "allow_redirects=True", program=("requests_program.py", "requests")),
    _library("niquests", "allow_redirects=True", program=("requests_program.py", "niquests")),
    _library("httpx", "follow_redirects=True"),
    _library("aiohttp", cannot={}, websocket=True),
    _library(
        "httplib2",
        environment={"HTTPLIB2_CA_CERTS": "{ca}"},
        cannot={**_NO_EXPECT, **_NO_FORMS},
    ),
    _library(
        "tornado",
        cannot={**_NO_FORMS, "file": "takes octets, or a function that writes them"},
    ),
    _library(
        "treq",
        cannot={
            **_NO_EXPECT,
            "stream": "asks a file for its place, which a stream has not",
            "chunked": "announces a length always",
        },
    ),
    _library(
        "scrapy",
        cannot={**_NO_EXPECT, **_NO_FORMS, **_OCTETS_ONLY},
    ),
    _library("pyreqwest", language="Rust"),
    _library(
        "primp",
        language="Rust",
        cannot={
            **_NO_EXPECT,
            **_OCTETS_ONLY,
            "multipart": "sends files only, no fields",
        },
    ),
    _pycurl("libcurl", "CURLOPT_FOLLOWLOCATION, as curl -L", "all"),
    _pycurl("libcurl --follow", "CURLFOLLOW_OBEYCODE, as curl --follow", "obeycode"),
)
