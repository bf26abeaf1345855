"""How requests are sent, and the limits within which an answer must come."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import msgspec

from detour.errors import DetourError
from detour.net.address import Mode

# auto: HTTP/2 where TLS agrees on it. 3: HTTP/3 with a way back to older versions.
HTTPVersion = Literal["auto", "1.1", "2", "3"]

# curl(1); an IPv6 address stands in brackets.
_HOST = r"(?:\[[^\]]*\]|[^:\s]*)"
_RESOLVE = re.compile(rf"{_HOST}:(\d+):(\S+)")
_CONNECT_TO = re.compile(rf"{_HOST}:\d*:{_HOST}:\d*")
_PROXY = re.compile(r"(?:(?:https?|socks4a?|socks5h?)://)?(?!\S*://)[^\s/:@]\S*")  # CURLOPT_PROXY(3)
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


class TransportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every request of a transport; raises `DetourError` for what cannot be used."""

    guard: Mode = "hops"  # see `detour.net.address`
    http: HTTPVersion = "auto"
    connect_timeout: float = 10.0  # seconds, name and TLS included
    timeout: float = 30.0  # seconds for one request, its answer included
    most_head: int = 64 * 1024  # octets of one answer's heads, interim ones included
    most_content: int = 1024 * 1024  # octets of content after which reading stops
    most_kept: int = 64 * 1024  # octets of content that an answer holds
    proxy: str = ""  # a URL; proxies of the environment are never used
    resolve: tuple[str, ...] = ()  # HOST:PORT:ADDRESS[,ADDRESS]…
    connect_to: tuple[str, ...] = ()  # HOST:PORT:OTHER_HOST:OTHER_PORT
    ca: str = ""  # a PEM file of authorities to trust; "": the system's
    client_cert: str = ""  # a PEM file
    client_key: str = ""  # a PEM file; "": in the same file as the certificate
    insecure: bool = False  # accept any certificate
    timings: bool = True  # measure the phases
    certificates: bool = True  # give a summary of the server's certificate
    evidence: bool = True  # fetch what libcurl refused to show (safe methods only)

    def __post_init__(self) -> None:
        if self.proxy and self.guard != "off":
            raise DetourError(
                f"--proxy {self.proxy}: the address guard cannot see behind a proxy; add --guard off"
            )
        _require(
            _PROXY, "--proxy", (self.proxy,) if self.proxy else (), "http://HOST:PORT or socks5h://HOST:PORT"
        )
        _require(_RESOLVE, "--resolve", self.resolve, "HOST:PORT:ADDRESS")
        for one in self.resolve:
            _require_addresses(one)
        _require(_CONNECT_TO, "--connect-to", self.connect_to, "HOST:PORT:OTHER_HOST:OTHER_PORT")
        for flag, file in (
            ("--cacert", self.ca),
            ("--cert", self.client_cert),
            ("--key", self.client_key),
        ):
            if file and not Path(file).is_file():
                raise DetourError(f"{flag} {file}: no such file; name a PEM file")

    @property
    def authorities(self) -> str:
        """The file of trusted authorities; "" if the system keeps them elsewhere."""
        return self.ca or ssl.get_default_verify_paths().cafile or ""


def _require(form: re.Pattern[str], flag: str, told: tuple[str, ...], written: str) -> None:
    for one in told:
        if not form.fullmatch(one):
            raise DetourError(f"{flag} {one}: write it as {written}")


def _require_addresses(told: str) -> None:
    """libcurl says what is wrong with these only when a request is sent."""
    port, addresses = _RESOLVE.fullmatch(told).groups()  # type: ignore[union-attr]  # it was required to
    try:
        for address in addresses.split(","):
            ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise DetourError(
            f"--resolve {told}: {address!r} is no IP address; write HOST:PORT:ADDRESS"
        ) from None
    if not 0 < int(port) < 1 << 16:
        raise DetourError(f"--resolve {told}: {port} is no port; write HOST:PORT:ADDRESS")


def ignored_proxies(environment: Mapping[str, str]) -> str:
    """One line that names the proxies of an environment, which are not used; "" if it has none."""
    named = [name for name in environment if name.lower() in _PROXY_VARIABLES and environment[name]]
    return f"{', '.join(sorted(named))}: ignored; use --proxy URL --guard off" if named else ""
