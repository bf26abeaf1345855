"""A case as a program reads it: one JSON object, and the files that hold the content."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from detour.lab.case import Content, filled
from detour.lab.contents import FORM, MULTIPART, octets
from detour.lab.recording import Recording

# These are short and read well in the object itself.
_TEXTS = ("empty", "form", "json")


class ContentFiles:
    """The octets of every content as files in a folder, each written when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def content(self, content: Content) -> Path:
        """The file that holds what is to be sent."""
        return self._file(f"{content.kind}-{content.length}", octets(content))

    def part(self, number: int) -> Path:
        """The file that holds one part of the multipart form."""
        part = MULTIPART[number]
        return self._file(f"part-{number}-{part.filename or part.name}", part.octets)

    def named(self, name: str) -> bytes | None:
        """The octets of a file that was handed out."""
        file = self._folder / name
        return file.read_bytes() if file.name == name and file.is_file() else None

    def _file(self, name: str, held: bytes) -> Path:
        file = self._folder / name
        with self._lock:
            if not file.exists():
                file.write_bytes(held)
        return file


def described(recording: Recording, base: str, files: ContentFiles) -> dict[str, Any]:
    """What `recording`'s client is told; `base` is the protocol's."""
    case, asked = recording.case, recording.case.asked
    fields = ((name, filled(value, recording.origins, recording.token)) for name, value in asked.fields)
    return {
        "case": case.id,
        "title": case.title,
        "token": recording.token,
        "method": asked.method,
        "url": recording.url,
        "fields": [list(field) for field in fields],
        "content": _content(asked.content, base, files),
        "times": asked.times,
        "api": asked.api,
        "follow": True,
        "timeout": case.timeout,
        "outcome": f"{base}/outcome/{recording.token}",
    }


def _content(content: Content, base: str, files: ContentFiles) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": content.kind, "type": content.media_type, "length": content.length}
    if content.kind == "none":
        return told
    told |= _place(files.content(content), base)
    if content.kind in _TEXTS:
        told["text"] = octets(content).decode()
    if content.kind == "form":
        told["pairs"] = [list(pair) for pair in FORM]
    if content.kind == "multipart":
        told["parts"] = [
            {
                "name": part.name,
                "filename": part.filename,
                "type": part.media_type,
                "length": len(part.octets),
                **({} if part.filename else {"text": part.octets.decode()}),
                **_place(files.part(number), base),
            }
            for number, part in enumerate(MULTIPART)
        ]
    return told


def _place(file: Path, base: str) -> dict[str, str]:
    return {"file": str(file), "href": f"{base}/content/{file.name}"}
