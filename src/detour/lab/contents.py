"""The octets of each kind of content, and of the answers that have more than a line of them.

Long content says at every place which place it is, so that what is lost, doubled or out of order shows where
it came from. Line k (from 0) is 16 octets: the number 16k in fifteen decimal digits, then the octet
k mod 256; the last line is cut at the length asked for. In any language:

    for k in 0, 1, 2 …:  printf("%015d%c", 16 * k, k % 256)

All 256 octets occur, zeros and line ends among them: whoever takes content for text changes it.
"""

from __future__ import annotations

import gzip
from functools import cache
from typing import assert_never

import msgspec

from detour.lab.case import Answer, Content, ContentKind, Fields

FORM: Fields = (("name", "Zoë"), ("note", "two words"), ("sign", "a=b&c+d"), ("empty", ""))
JSON = '{"order": 7, "name": "Zoë", "note": "two words"}'


class Part(msgspec.Struct, frozen=True):
    """One part of multipart/form-data; without a file name it is a plain field."""

    name: str
    octets: bytes
    filename: str = ""
    media_type: str = ""


@cache
def numbered(length: int) -> bytes:
    """`length` octets of numbered lines."""
    lines = (b"%015d%c" % (16 * k, k % 256) for k in range(-(-length // 16)))
    return b"".join(lines)[:length]


MULTIPART = (
    Part("note", b"two words"),
    Part("upload", numbered(20_000), "upload.bin", "application/octet-stream"),
)
BOUNDARY = "detour-lab-boundary"

FORM_TYPE = "application/x-www-form-urlencoded"
FORM_OCTETS = b"name=Zo%C3%AB&note=two+words&sign=a%3Db%26c%2Bd&empty="

KIB = 1024
MIB = 1024 * KIB
OCTETS = "application/octet-stream"

LARGE_ANSWER = 2 * MIB  # more than a megabyte in a redirect
BOMB = 64 * MIB  # what the gzip bomb in a redirect would be, decoded


@cache
def multipart() -> bytes:
    """The parts as a client might encode them; each client makes its own, with its own boundary."""
    encoded = b"".join(_head(part).encode() + part.octets + b"\r\n" for part in MULTIPART)
    return encoded + f"--{BOUNDARY}--\r\n".encode()


def _head(part: Part) -> str:
    filename = f'; filename="{part.filename}"' if part.filename else ""
    media_type = f"Content-Type: {part.media_type}\r\n" if part.media_type else ""
    disposition = f'Content-Disposition: form-data; name="{part.name}"{filename}'
    return f"--{BOUNDARY}\r\n{disposition}\r\n{media_type}\r\n"


def octets(content: Content) -> bytes:
    """What arrives when everything does; for form, json and multipart a client may have its own encoder."""
    match content.kind:
        case "none" | "empty":
            return b""
        case "form":
            return FORM_OCTETS
        case "json":
            return JSON.encode()
        case "multipart":
            return multipart()
        case "large" | "file" | "stream" | "chunked" | "expect":
            return numbered(content.length)
        case _:
            assert_never(content.kind)


# The ten kinds as the cases ask for them; 100 000 octets fit into no buffer of 64 KiB.
CONTENTS: dict[ContentKind, Content] = {
    "none": Content("none", "", 0),
    "empty": Content("empty", "", 0),
    "form": Content("form", FORM_TYPE, len(FORM_OCTETS)),
    "json": Content("json", "application/json", len(JSON.encode())),
    "multipart": Content("multipart", "multipart/form-data", len(multipart())),
    "large": Content("large", OCTETS, 10 * MIB),
    "file": Content("file", OCTETS, 100_000),
    "stream": Content("stream", OCTETS, 100_000),
    "chunked": Content("chunked", OCTETS, 100_000),
    "expect": Content("expect", OCTETS, 100_000),
}


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(BOMB), compresslevel=9, mtime=0)


def answer_octets(answer: Answer) -> tuple[bytes, Fields]:
    """The content of an answer, and the content fields it needs beside those of the answer itself."""
    match answer.content_kind:
        case "text":
            return answer.content.encode(), ()
        case "large":
            return numbered(LARGE_ANSWER), (("Content-Type", OCTETS),)
        case "gzip-bomb":
            return _bomb(), (("Content-Type", "text/plain"), ("Content-Encoding", "gzip"))
        case _:
            assert_never(answer.content_kind)
