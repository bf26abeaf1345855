"""urllib.request of Python's standard library: `urlopen`."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from lab import Answer, Case, Repeatable, Unsupported, run


def send(_: None, case: Case) -> Answer:
    """One `urlopen`; the status that an `HTTPError` carries is one handed back."""
    request = Request(case.url, _content(case), case.headers(), method=case.method)
    try:
        with urlopen(request, timeout=case.timeout) as answer:
            answer.read()
            return answer.status, answer.url
    except HTTPError as error:
        with error:
            return error.code, error.url or ""


def _content(case: Case) -> Any:
    match case.kind:
        case "none":
            return None
        case "form":
            return urlencode(case.pairs).encode()
        case "empty" | "json" | "large":
            return case.octets()
        case "file":
            return case.opened()
        case "stream":
            return case.stream()
        case "chunked":
            return Repeatable(case.octets())
    raise Unsupported(f"knows no content of kind {case.kind}")


run(send)
