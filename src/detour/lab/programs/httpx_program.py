"""httpx: a `Client` with `follow_redirects=True`."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from lab import Answer, Case, Repeatable, Unsupported, run


def client() -> httpx.Client:
    """A client; environment proxies are none, and the authorities are those of the environment."""
    return httpx.Client(follow_redirects=True, verify=AUTHORITIES)


def send(opened: httpx.Client, case: Case) -> Answer:
    """One `Client.request`."""
    answer = opened.request(case.method, case.url, timeout=case.timeout, **_content(case))
    return answer.status_code, str(answer.url)


def _content(case: Case) -> dict[str, Any]:
    match case.kind:
        case "none":
            return {"headers": case.fields}
        case "form":
            return {"headers": case.fields, "data": dict(case.pairs)}
        case "multipart":
            plain = {part.name: part.text for part in case.parts if not part.filename}
            files = {
                part.name: (part.filename, part.file.open("rb"), part.media_type)
                for part in case.parts
                if part.filename
            }
            return {"headers": case.fields, "data": plain, "files": files}
        case "empty" | "json" | "large":
            return {"headers": case.typed(), "content": case.octets()}
        case "file":
            return {"headers": case.typed(), "content": case.opened()}
        case "stream":
            return {"headers": case.typed(), "content": case.stream()}
        case "chunked":
            return {"headers": case.typed(), "content": Repeatable(case.octets())}
    raise Unsupported(f"knows no content of kind {case.kind}")


AUTHORITIES = ssl.create_default_context()
run(send, client)
