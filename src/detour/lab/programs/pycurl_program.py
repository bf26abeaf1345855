"""libcurl by pycurl: a `Curl` handle.

`pycurl_program.py all` follows as `curl -L` does, `obeycode` as `curl --follow`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlencode

import pycurl

from lab import Answer, Case, Part, Unsupported, run

# CURLFOLLOW_ALL and CURLFOLLOW_OBEYCODE (libcurl 8.16): the first keeps a method that was named, for ever.
FOLLOW = {"all": 1, "obeycode": 2}[sys.argv[1]]


@contextmanager
def client() -> Iterator[pycurl.Curl]:
    """A handle."""
    with closing(pycurl.Curl()) as handle:
        yield handle


def send(handle: pycurl.Curl, case: Case) -> Answer:
    """One `perform`; the options that the case before set are gone."""
    handle.reset()
    handle.setopt(pycurl.URL, case.url)
    handle.setopt(pycurl.FOLLOWLOCATION, FOLLOW)
    handle.setopt(pycurl.CAINFO, os.environ["DETOUR_LAB_CA"])
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.TIMEOUT_MS, int(case.timeout * 1000))
    handle.setopt(pycurl.WRITEFUNCTION, lambda octets: len(octets))
    fields = case.fields if case.kind == "form" else case.typed()
    implied, more = _content(handle, case)
    handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in [*fields, *more]])
    if case.method != implied:
        _name(handle, case)
    handle.perform()
    return handle.getinfo(pycurl.RESPONSE_CODE), handle.getinfo(pycurl.EFFECTIVE_URL)


def _name(handle: pycurl.Curl, case: Case) -> None:
    if case.method == "HEAD":
        if case.kind != "none":
            raise Unsupported("waits for the content that an answer to HEAD has not")
        handle.setopt(pycurl.NOBODY, 1)
    else:
        handle.setopt(pycurl.CUSTOMREQUEST, case.method)


def _content(handle: pycurl.Curl, case: Case) -> tuple[str, list[tuple[str, str]]]:
    """Set the content; the method that this implies, and the fields that go with it."""
    match case.kind:
        case "none":
            return "GET", []
        case "multipart":
            handle.setopt(pycurl.HTTPPOST, [_part(part) for part in case.parts])
            return "POST", []
        case "file":
            handle.setopt(pycurl.UPLOAD, 1)
            opened = case.opened()
            handle.setopt(pycurl.READDATA, opened)
            handle.setopt(pycurl.SEEKFUNCTION, lambda offset, whence: opened.seek(offset, whence) and None)
            handle.setopt(pycurl.INFILESIZE_LARGE, case.length)
            return "PUT", []
        case "stream":
            handle.setopt(pycurl.UPLOAD, 1)
            pieces = case.stream()
            handle.setopt(pycurl.READFUNCTION, lambda _: next(pieces, b""))
            return "PUT", []
    return "POST", _octets(handle, case)


def _octets(handle: pycurl.Curl, case: Case) -> list[tuple[str, str]]:
    handle.setopt(pycurl.POSTFIELDS, urlencode(case.pairs) if case.kind == "form" else case.octets())
    match case.kind:
        case "chunked":
            return [("Transfer-Encoding", "chunked")]
        case "expect":
            return [("Expect", "100-continue")]
    return []


def _part(part: Part) -> tuple[str, Any]:
    if not part.filename:
        return part.name, part.text
    told = (pycurl.FORM_FILE, str(part.file), pycurl.FORM_FILENAME, part.filename)
    return part.name, (*told, pycurl.FORM_CONTENTTYPE, part.media_type)


run(send, client)
