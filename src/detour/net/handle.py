"""What never changes on a libcurl handle: nothing is sent, followed, stored or decoded that was not told."""

from __future__ import annotations

from os import fsencode

import pycurl

from detour.errors import DetourError
from detour.net.settings import TransportSettings

_SUPPRESS_CONNECT_HEADERS = 265  # CURLOPT_SUPPRESS_CONNECT_HEADERS, without a name in pycurl

_VERSIONS = {
    "auto": pycurl.CURL_HTTP_VERSION_2TLS,
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2TLS,  # the other one asks for h2c, which is no more (RFC 9113 §3.1)
    "3": pycurl.CURL_HTTP_VERSION_3,
}

_CONSTANTS = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.USERAGENT, ""),
    (pycurl.NOPROXY, "*"),
    (pycurl.PROXY, ""),  # "": not those of the environment either
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.HTTP_CONTENT_DECODING, 0),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (_SUPPRESS_CONNECT_HEADERS, 1),
)


def has_http3() -> bool:
    """Whether libcurl was built with HTTP/3."""
    return bool(pycurl.version_info()[4] & pycurl.VERSION_HTTP3)


def set_constants(curl: pycurl.Curl, settings: TransportSettings) -> None:
    """Set what holds for every request; raises `DetourError` for what libcurl cannot do."""
    if settings.http == "3" and not has_http3():
        raise DetourError("--http3: this libcurl was built without HTTP/3; leave it out")
    for option, value in _CONSTANTS:
        curl.setopt(option, value)
    curl.setopt(pycurl.HTTP_VERSION, _VERSIONS[settings.http])
    curl.setopt(pycurl.TIMEOUT_MS, _milliseconds(settings.timeout))
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, _milliseconds(settings.connect_timeout))
    _set_ways(curl, settings)
    _set_tls(curl, settings)


def _set_ways(curl: pycurl.Curl, settings: TransportSettings) -> None:
    try:
        if settings.resolve:
            curl.setopt(pycurl.RESOLVE, list(map(fsencode, settings.resolve)))
        if settings.connect_to:
            curl.setopt(pycurl.CONNECT_TO, list(map(fsencode, settings.connect_to)))
        if settings.proxy:
            curl.setopt(pycurl.NOPROXY, "")
            curl.setopt(pycurl.PROXY, fsencode(settings.proxy))
    except pycurl.error as error:
        raise DetourError(
            f"the way to the server: {error.args[-1]}; see --resolve, --connect-to, --proxy"
        ) from None


def _set_tls(curl: pycurl.Curl, settings: TransportSettings) -> None:
    curl.setopt(pycurl.SSL_VERIFYPEER, 0 if settings.insecure else 1)
    curl.setopt(pycurl.SSL_VERIFYHOST, 0 if settings.insecure else 2)
    if settings.certificates:
        curl.setopt(pycurl.OPT_CERTINFO, 1)
    if settings.authorities:
        curl.setopt(pycurl.CAINFO, fsencode(settings.authorities))
    if settings.client_cert:
        curl.setopt(pycurl.SSLCERT, fsencode(settings.client_cert))
        curl.setopt(pycurl.SSLKEY, fsencode(settings.client_key or settings.client_cert))


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would mean: without end
