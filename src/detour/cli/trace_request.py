"""The request that was typed: method, fields, credentials, content, and what was asked for with it."""

from __future__ import annotations

import base64
import sys
from typing import BinaryIO
from urllib.parse import unquote

import msgspec
import typer

from detour.cli import arguments, following
from detour.core.chain import Content, Fields, Outgoing
from detour.core.url import URL
from detour.follow.consent import Consent
from detour.follow.curl_command import CurlContent
from detour.follow.trace import Octets


class Typed(msgspec.Struct, frozen=True):
    """A request with its content, the same for curl, and the consent that typing it is."""

    request: Outgoing
    content: Octets
    curl: CurlContent
    consent: Consent

    def close(self) -> None:
        """Close the file that the content is read from, if it is one that was opened here."""
        if not isinstance(self.content, bytes | None) and self.curl.file != "-":
            self.content.close()


def typed_request(
    url: str, method: str, data: str | None, header: list[str], cookie: list[str], user: str, send: bool
) -> Typed:
    """What the command line says; raises `typer.BadParameter` and `DetourError`."""
    if method:
        arguments.method(method)
    target = URL.parse(url if "://" in url else f"http://{url}")
    content, kind, curl = _content(data)
    bare = msgspec.structs.replace(target, username="", password="")
    fields = _fields(header, cookie, user or _userinfo(target))
    request = Outgoing(method or ("GET" if data is None else "POST"), bare, fields, kind)
    wrote = bool(method) or data is not None
    return Typed(request, content, curl, Consent.typed(request, send=send) if wrote else Consent(send=send))


def _content(data: str | None) -> tuple[Octets, Content, CurlContent]:
    """`-d`: octets, a file (`@file`, sent as it is), or standard input (`@-`)."""
    if data is None:
        return None, "none", CurlContent()
    if not data.startswith("@"):
        octets = data.encode("utf-8", "surrogateescape")
        return octets, "replayable", CurlContent(octets)
    file = _open(data[1:])
    return file, "replayable" if file.seekable() else "once", CurlContent(file=data[1:])


def _open(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return open(name, "rb")  # open as long as the command runs
    except OSError as error:
        raise typer.BadParameter(f"-d @{name}: {error.strerror}; name a file to send") from None


def _fields(header: list[str], cookie: list[str], user: str) -> Fields:
    written = arguments.fields(header)
    for one in cookie:
        if "=" not in one:
            raise typer.BadParameter(f"-b {one!r} is no cookie; write -b name=value")
    if user and ":" not in user:
        raise typer.BadParameter(f"-u {user!r} has no password; write -u USER:PASSWORD, or -u USER:")
    cookies = arguments.fields([f"Cookie: {'; '.join(cookie)}"] if cookie else [])
    if user and any(name.lower() == "authorization" for name, _ in written):
        raise typer.BadParameter("Authorization is written twice; use -u or -H 'Authorization: …'")
    basic = base64.b64encode(user.encode("utf-8", "surrogateescape")).decode()  # RFC 7617 §2
    return (
        *following.with_defaults(written),
        *([("Authorization", f"Basic {basic}")] if user else []),
        *cookies,
    )


def _userinfo(url: URL) -> str:
    return f"{unquote(url.username)}:{unquote(url.password)}" if url.username or url.password else ""
