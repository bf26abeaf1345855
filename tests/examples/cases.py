"""What clients are asked to send, and what is concluded from what arrived."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

KIB = 1024
TYPES = {
    "json": "application/json",
    "file": "application/octet-stream",
    "multipart": "multipart/form-data",
    "text": "text/plain",
}


class Case(msgspec.Struct, frozen=True):
    """A request: what it is called, its method, and the kind of its content (see clients/asked.py)."""

    name: str
    method: str
    kind: str = "none"
    length: int = 0  # octets of the file

    @property
    def key(self) -> str:
        return self.name.lower().replace(", ", "-").replace(" ", "-")


CASES = (
    Case("JSON POST", "POST", "json", 400),
    Case("multipart POST", "POST", "multipart", 1024 * KIB),
    Case("PUT of a file", "PUT", "file", 1024 * KIB),
    Case("DELETE", "DELETE"),
    Case("HEAD", "HEAD"),
    Case("OPTIONS", "OPTIONS"),
)


class Said(msgspec.Struct, frozen=True):
    """What a client said came of it."""

    status: int | None
    url: str | None
    error: str | None


def write_content(case: Case, folder: Path) -> Path:
    """The file that goes with a case: printable, and no two stretches of it alike."""
    file = folder / f"{case.key}.bin"
    if not file.exists():
        numbers = "".join(f"{number:07d}\n" for number in range(case.length // 8))
        file.write_text(json.dumps({"numbers": numbers}) if case.kind == "json" else numbers)
    return file


def verdict(case: Case, file: Path, said: Said, arrivals: list[dict[str, Any]], status: int = 307) -> str:
    """One word on one request: kept, rewritten, misrewritten, refused, lost or altered.

    *Refused* is honest: nothing arrived, and the client said so with an error, or handed the redirect back.
    """
    if not arrivals:
        honest = said.error is not None or said.status is None or said.status >= 300
        return "refused" if honest else "lost"
    if len(arrivals) > 1:
        return "altered"
    arrived = arrivals[0]
    if arrived["method"] != case.method:
        return "rewritten" if may_rewrite(case.method, status) else "misrewritten"
    if whole(case, file, arrived):
        return "kept"
    short = not arrived["complete"] or arrived["length"] < file.stat().st_size
    return "lost" if short else "altered"


def may_rewrite(method: str, status: int) -> bool:
    """RFC 9110 §15.4.2-4: POST to GET on 301 and 302, anything to GET on 303; nothing on 307 and 308."""
    return status == 303 or (status in (301, 302) and method == "POST")


def whole(case: Case, file: Path, arrived: dict[str, Any]) -> bool:
    """Whether the content arrived octet for octet, with its Content-Type."""
    if not arrived["complete"]:
        return False
    if case.kind == "none":
        return bool(arrived["length"] == 0)
    fields = {name.lower(): value for name, value in arrived["fields"]}
    if not fields.get("content-type", "").startswith(TYPES[case.kind]):
        return False
    wanted = {"length": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    found = arrived
    if case.kind == "multipart":
        named = {part["name"]: part for part in arrived["parts"]}
        found = named.get("file", {}) if "note" in named else {}
    return all(found.get(key) == value for key, value in wanted.items())
