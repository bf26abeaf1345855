"""httplib2: an `Http`, redirects followed as it does of itself. `$HTTPLIB2_CA_CERTS` names the authority."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlencode

import httplib2

from lab import Answer, Case, Repeatable, Unsupported, run


@contextmanager
def client() -> Iterator[httplib2.Http]:
    """An `Http` without a cache."""
    with closing(httplib2.Http(timeout=5)) as opened:
        yield opened


def send(opened: httplib2.Http, case: Case) -> Answer:
    """One `Http.request`."""
    opened.timeout = case.timeout
    answer, _ = opened.request(case.url, case.method, body=_content(case), headers=case.headers())
    return answer.status, answer.get("content-location", "")


def _content(case: Case) -> Any:
    match case.kind:
        case "none":
            return None
        case "form":
            return urlencode(case.pairs)
        case "empty" | "json" | "large":
            return case.octets()
        case "file":
            return case.opened()
        case "stream":
            return case.stream()
        case "chunked":
            return Repeatable(case.octets())
    raise Unsupported(f"knows no content of kind {case.kind}")


run(send, client)
