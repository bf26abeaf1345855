"""A hop as a command line: what curl must be told to send the same request."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import msgspec

from detour.core.chain import Outgoing
from detour.core.url import URL
from detour.net.settings import TransportSettings

# What curl would add by itself (curl(1)); a name without a value takes it back.
_DEFAULTS = ("Accept", "User-Agent")
_DEFAULTS_WITH_CONTENT = ("Content-Type", "Expect")
_EMPTY_CONTENT_SAID = frozenset({"POST", "PUT", "PATCH", "QUERY"})  # RFC 9110 §8.6
_HTTP = {"1.1": "--http1.1", "2": "--http2", "3": "--http3"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|[^\x00-\uffff]")


class CurlContent(msgspec.Struct, frozen=True):
    """Where curl gets the content from: octets on its command line, or a file ("-": standard input)."""

    octets: bytes = b""
    file: str = ""


def curl_command(request: Outgoing, content: CurlContent, settings: TransportSettings) -> str:
    """One shell line that sends `request` as the transport would, prints the head and follows nothing."""
    words = ["curl", "-sS", "-i", "--globoff", "--path-as-is"]
    words += [*_method(request), *_connection(settings, request.url)]
    words += [*_fields(request), *_content(request, content)]
    url = request.url.origin + request.url.request_target
    return " ".join([*map(quoted, words), quoted(url)])


def quoted(word: str) -> str:
    """One word for bash, zsh or ksh; control characters are spelled out (`$'\\x1b'`)."""
    if not _CONTROL.search(word) and word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_spelled, word)) + "'"


def _spelled(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    return "".join(f"\\x{octet:02x}" for octet in char.encode("utf-8", "surrogateescape"))


def _method(request: Outgoing) -> Iterator[str]:
    has_content = _has_content(request)
    if request.method == "HEAD" and not has_content:
        yield "--head"
    elif request.method != ("POST" if has_content else "GET"):
        yield from ("-X", request.method)


def _fields(request: Outgoing) -> Iterator[str]:
    told = {name.lower() for name, _ in request.fields}
    defaults = _DEFAULTS + (_DEFAULTS_WITH_CONTENT if _has_content(request) else ())
    for name in defaults:
        if name.lower() not in told:
            yield from ("-H", f"{name}:")
    for name, value in request.fields:
        yield from ("-H", f"{name}: {value}" if value.strip(" \t") else f"{name};")


def _content(request: Outgoing, content: CurlContent) -> Iterator[str]:
    """`--data-raw` reads no file for "@"; what no argument can hold is left to a file."""
    if not _has_content(request):
        return
    if request.content == "none":
        yield from ("--data-raw", "")
    elif content.file:
        yield from ("--data-binary", f"@{content.file}")
    elif b"\0" in content.octets:
        yield from ("--data-binary", "@FILE-WITH-THE-CONTENT")
    else:
        yield from ("--data-raw", content.octets.decode("utf-8", "surrogateescape"))


def _has_content(request: Outgoing) -> bool:
    return request.content != "none" or request.method in _EMPTY_CONTENT_SAID


def _connection(settings: TransportSettings, url: URL) -> Iterator[str]:
    """What was told about connections, as far as it is about this URL."""
    if settings.http in _HTTP:
        yield _HTTP[settings.http]
    yield from _each("--resolve", settings.resolve, url)
    yield from _each("--connect-to", settings.connect_to, url)
    yield from ("--proxy", settings.proxy) if settings.proxy else ("--noproxy", "*")
    if url.scheme == "https":
        yield from _tls(settings)


def _tls(settings: TransportSettings) -> Iterator[str]:
    for flag, file in (("--cacert", settings.ca), ("--cert", settings.client_cert)):
        if file:
            yield from (flag, file)
    if settings.client_key:
        yield from ("--key", settings.client_key)
    if settings.insecure:
        yield "--insecure"


def _each(flag: str, values: tuple[str, ...], url: URL) -> Iterator[str]:
    """`HOST:PORT:…` of the URL's host and port; either may be left out, and then means any (curl(1))."""
    port = url.port_or_default
    here = tuple(f"{host}:{number}:" for host in (url.hostname, "", "*") for number in (port, ""))
    for value in values:
        if value.lower().startswith(here):
            yield from (flag, value)
