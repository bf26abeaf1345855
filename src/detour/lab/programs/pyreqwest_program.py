"""pyreqwest, which is Rust's reqwest: a `SyncClient`, redirects followed as it does of itself."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.multipart import FormBuilder, PartBuilder

from lab import Answer, Case, Repeatable, Unsupported, run

AUTHORITY = Path(os.environ["DETOUR_LAB_CA"]).read_bytes()


def client() -> SyncClient:
    """A client that trusts the lab's authority; cookies are off, as they are by default."""
    return SyncClientBuilder().add_root_certificate_pem(AUTHORITY).build()


def send(opened: SyncClient, case: Case) -> Answer:
    """One request built and sent."""
    asked = opened.request(case.method, case.url).timeout(timedelta(seconds=case.timeout))
    for name, value in case.fields if case.kind == "form" else case.typed():
        asked = asked.header(name, value)
    answer = _with_content(asked, case).build().send()
    return answer.status, ""


def _with_content(asked: Any, case: Case) -> Any:
    match case.kind:
        case "none":
            return asked
        case "form":
            return asked.form(case.pairs)
        case "multipart":
            return asked.multipart(_form(case))
        case "empty" | "json" | "large":
            return asked.body_bytes(case.octets())
        case "file":
            return asked.body_stream(case.opened())
        case "stream":
            return asked.body_stream(case.stream())
        case "chunked":
            return asked.body_stream(Repeatable(case.octets()))
    raise Unsupported(f"knows no content of kind {case.kind}")


def _form(case: Case) -> FormBuilder:
    form = FormBuilder()
    for part in case.parts:
        if part.filename:
            file = PartBuilder.from_sync_file(part.file).file_name(part.filename).mime(part.media_type)
            form = form.part(part.name, file)
        else:
            form = form.text(part.name, part.text)
    return form


run(send, client)
