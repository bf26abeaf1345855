"""A request head as a value: what is asked for, by which words, and how much content follows. Pure.

The bytes come from the connection, cut at the empty line and already accepted by httptools (llhttp),
which refuses bare CR and LF, folded lines, NUL, space before a colon, Content-Length beside
Transfer-Encoding, and repeated or crooked lengths. What it lets pass and we do not is refused here.
"""

from __future__ import annotations

import re

import msgspec

from detour.core.message import METHODS, Request
from detour.core.url import URL, normalize
from detour.errors import RequestError, URLError
from detour.serve.forwarded import Asker

Fields = tuple[tuple[str, str], ...]

_REQUEST_LINE = re.compile(rb"([A-Z-]+) ([^ ]+) HTTP/([0-9])\.([0-9])\r\n")
# RFC 3986 §3.2.2 with a port; what is not in here cannot be part of an authority.
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?")
# Already as the WHATWG parser would write it: lower case, no IPv4 in disguise, no punycode to check.
_PLAIN_HOST = re.compile(r"(?!xn--|[^:]*\.xn--)(?:[a-z0-9_-]+\.)*[a-z][a-z_-]*")
# Octets that the WHATWG parser leaves alone in a path and in a query.
_PLAIN_OCTETS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=:@/?"


class Head(msgspec.Struct, frozen=True):
    """The head of one request. Names in lower case; values without the white space around them."""

    method: str
    target: str  # the request target, as received; ASCII
    minor: int  # of the version, HTTP/1.minor
    fields: Fields
    host: str | None  # the value of Host; None in an HTTP/1.0 request without one
    content: int | None  # octets that follow; None: as many as the client likes (chunked)
    expects: bool  # it has an Expect field
    upgrades: bool  # it has an Upgrade field
    persists: bool  # the client would keep the connection (RFC 9112 §9.3)


def read_head(octets: bytes) -> Head:
    """Read a whole head, empty line included; raises `RequestError` with the status to answer."""
    line = _REQUEST_LINE.match(octets)
    if line is None:
        raise RequestError("the request line is not METHOD TARGET HTTP/1.1")
    if line[3] != b"1":
        raise _version_error(line[3])
    fields = _read_fields(octets[line.end() : -4])
    minor = int(line[4])
    method = line[1].decode("ascii")
    if method not in METHODS:
        raise RequestError(f"the method {method} is not one this server knows", 501)
    return Head(
        method=method,
        target=line[2].decode("ascii"),
        minor=minor,
        fields=fields,
        host=_host(fields, minor),
        content=_content(fields),
        expects=any(name == "expect" for name, _ in fields),
        upgrades=any(name == "upgrade" for name, _ in fields),
        persists=_persists(fields, minor),
    )


def _version_error(major: bytes) -> RequestError:
    if major == b"0":
        return RequestError("HTTP/0.9 is not spoken here")
    return RequestError("this port speaks HTTP/1.1 only", 505)


def _read_fields(octets: bytes) -> Fields:
    if not octets:
        return ()
    pairs = (line.partition(":") for line in octets.decode("latin-1").split("\r\n"))
    return tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs)


def _host(fields: Fields, minor: int) -> str | None:
    """RFC 9112 §3.2: exactly one, and valid; HTTP/1.0 may leave it out."""
    hosts = [value for name, value in fields if name == "host"]
    if len(hosts) > 1:
        raise RequestError("more than one Host field")
    if hosts:
        read_authority("http", hosts[0])
        return hosts[0]
    if minor:
        raise RequestError("no Host field")
    return None


def _content(fields: Fields) -> int | None:
    """RFC 9112 §6.3; that both fields do not stand together, the parser has seen to."""
    codings = [value.lower() for name, value in fields if name == "transfer-encoding"]
    if codings:
        if [coding.strip(" \t") for coding in ",".join(codings).split(",")].pop() != "chunked":
            raise RequestError("the last transfer coding is not chunked")
        return None
    return next((int(value) for name, value in fields if name == "content-length"), 0)


def _persists(fields: Fields, minor: int) -> bool:
    lines = ",".join(value for name, value in fields if name == "connection")
    options = {option.strip(" \t") for option in lines.lower().split(",")}
    return "close" not in options and (minor > 0 or "keep-alive" in options)


def read_authority(scheme: str, text: str) -> tuple[str, str]:
    """Host name and port ("" for the scheme's default) of a Host value; raises `RequestError`."""
    if _PLAIN_HOST.fullmatch(text):
        return text, ""
    if not _AUTHORITY.fullmatch(text):
        raise RequestError("the Host is not valid")
    try:
        url = URL.parse(f"{scheme}://{text}/")
    except URLError:
        raise RequestError("the Host is not valid") from None
    return url.hostname, url.port


def resolve(head: Head, asker: Asker, fields: Fields) -> Request:
    """The request as the matcher sees it, with the `fields` it may look at; raises `RequestError`."""
    if head.target.startswith("/"):
        host = ("", "") if asker.host is None else read_authority(asker.scheme, asker.host)
        path, query, received = read_reference(head.target)
    else:
        url = _absolute(head.target, asker.scheme)
        host = url.hostname, url.port
        path, query, received = normalize(url.path), normalize(url.query or ""), _query(head.target)
    return Request(head.method, asker.scheme, *host, path, query, received, fields, asker.client)


def read_reference(target: str) -> tuple[str, str, str]:
    """Path and query of an origin-form target, normalized, and the query as received.

    The WHATWG parser is asked only where it could change anything; the test that this makes no
    difference is in tests/serve.
    """
    if is_plain_reference(target.encode()):
        path, _, query = target.partition("?")
        return path, query, query
    return normalized_reference(target)


def is_plain_reference(target: bytes) -> bool:
    """Whether an origin-form target is its own normal form: no parser would change an octet of it."""
    return target[:1] == b"/" and b"/." not in target and not target.translate(None, _PLAIN_OCTETS)


def normalized_reference(target: str) -> tuple[str, str, str]:
    """As `read_reference`, by the parser in every case."""
    if "#" in target:
        raise RequestError("the request target has a fragment")
    try:
        url = URL.parse(f"http://host.invalid{target}")
    except URLError:
        raise RequestError("the request target is not valid") from None
    return normalize(url.path), normalize(url.query or ""), _query(target)


def _query(target: str) -> str:
    return target.partition("?")[2]


def _absolute(target: str, scheme: str) -> URL:
    """RFC 9112 §3.2.2; RFC 9110 §7.4: a scheme that contradicts the connection is misdirected."""
    try:
        url = URL.parse(target)
    except URLError:
        raise RequestError("the request target is not valid") from None
    if "#" in target or not _has_authority(target):
        raise RequestError("the request target is not valid")
    if url.scheme != scheme:
        raise RequestError(f"this is not the place for {url.scheme} requests", 421)
    return url


def _has_authority(target: str) -> bool:
    rest = target.partition("://")[2]
    return _AUTHORITY.fullmatch(re.split(r"[/?]", rest, maxsplit=1)[0]) is not None
