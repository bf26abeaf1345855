"""primp, a client of Rust's: a `Client`, redirects followed as it does of itself, nobody impersonated."""

from __future__ import annotations

import os
from typing import Any

import primp

from lab import Answer, Case, Unsupported, run


def send(opened: primp.Client, case: Case) -> Answer:
    """One `Client.request`."""
    answer = opened.request(case.method, case.url, timeout=case.timeout, **_content(case))
    return answer.status_code, answer.url


def client() -> primp.Client:
    """A client that trusts the lab's authority."""
    return primp.Client(ca_cert_file=os.environ["DETOUR_LAB_CA"])


def _content(case: Case) -> dict[str, Any]:
    fields = case.headers()
    match case.kind:
        case "none":
            return {"headers": fields}
        case "form":
            return {"headers": dict(case.fields), "data": dict(case.pairs)}
        case "empty" | "json" | "large":
            return {"headers": fields, "content": case.octets()}
    raise Unsupported(f"knows no content of kind {case.kind}")


run(send, client)
