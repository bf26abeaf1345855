"""requests, and niquests, its successor by the same names: a `Session`, `allow_redirects=True`.

`requests_program.py MODULE` names which.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from lab import Answer, Case, Repeatable, Unsupported, run


def send(session: Any, case: Case) -> Answer:
    """One `Session.request`."""
    content = _content(case)
    answer = session.request(case.method, case.url, timeout=case.timeout, allow_redirects=True, **content)
    return answer.status_code, answer.url


def _content(case: Case) -> dict[str, Any]:
    fields = case.headers()
    match case.kind:
        case "none":
            return {"headers": fields}
        case "form":
            return {"headers": dict(case.fields), "data": case.pairs}
        case "multipart":
            plain = {part.name: part.text for part in case.parts if not part.filename}
            files = {
                part.name: (part.filename, part.file.open("rb"), part.media_type)
                for part in case.parts
                if part.filename
            }
            return {"headers": fields, "data": plain, "files": files}
        case "empty" | "json" | "large":
            return {"headers": fields, "data": case.octets()}
        case "file":
            return {"headers": fields, "data": case.opened()}
        case "stream":
            return {"headers": fields, "data": case.stream()}
        case "chunked":
            return {"headers": fields, "data": Repeatable(case.octets())}
    raise Unsupported(f"knows no content of kind {case.kind}")


run(send, importlib.import_module(sys.argv[1]).Session)
