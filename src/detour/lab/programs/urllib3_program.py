"""urllib3: a `PoolManager`, redirects followed as it does of itself."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

from lab import Answer, Case, Repeatable, Unsupported, run


@contextmanager
def client() -> Iterator[urllib3.PoolManager]:
    """A pool; urllib3 looks for authorities nowhere, so the context of the standard library is given."""
    with urllib3.PoolManager(ssl_context=ssl.create_default_context()) as pool:
        yield pool


def send(pool: urllib3.PoolManager, case: Case) -> Answer:
    """One `request`. Its own three retries of a broken connection are left on."""
    answer = pool.request(case.method, case.url, timeout=case.timeout, **_content(case))
    return answer.status, answer.geturl() or ""


def _content(case: Case) -> dict[str, Any]:
    fields = urllib3.HTTPHeaderDict(case.typed())
    if case.kind in ("form", "multipart") and case.method in ("DELETE", "GET", "HEAD", "OPTIONS"):
        raise Unsupported(f"puts the fields of a {case.method} into the URL")
    match case.kind:
        case "none":
            return {"headers": fields}
        case "form":
            return {"headers": dict(case.fields), "fields": case.pairs, "encode_multipart": False}
        case "multipart":
            return {"headers": dict(case.fields), "fields": [_part(part) for part in case.parts]}
        case "empty" | "json" | "large":
            return {"headers": fields, "body": case.octets()}
        case "file":
            return {"headers": fields, "body": case.opened()}
        case "stream":
            return {"headers": fields, "body": case.stream()}
        case "chunked":
            return {"headers": fields, "body": Repeatable(case.octets())}
    raise Unsupported(f"knows no content of kind {case.kind}")


def _part(part: Any) -> tuple[str, Any]:
    return part.name, (part.filename, part.file.read_bytes(), part.media_type) if part.filename else part.text


run(send, client)
