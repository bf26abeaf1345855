"""Results for programs: one JSON document (RFC 8259), in ASCII.

    {"title": "…", "results": [RESULT, …],
     "summary": {"passed": 0, "failed": 0, "skipped": 0, "errors": 0, "warnings": 0, "notes": 0}}

RESULT and its findings have the members of `Result`, `Finding` and `Span`, all of them always present; a
span that is not known is null. `schema` says the same as JSON Schema. Each result stands on a line of its
own.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec

from detour.audit.result import Result, Tally

_DELETE = "\\u007f"  # the one control character that encoders of JSON leave as it is (RFC 8259 §7)


class JSONReport:
    """One document; each result on a line of its own."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._tally = Tally()
        self._between = "\n"

    def start(self) -> str:
        """The title, and the array opened."""
        return f'{{"title":{ascii_json(self._title)},"results":['

    def add(self, result: Result) -> str:
        """One element of the array."""
        self._tally.add(result)
        between, self._between = self._between, ",\n"
        return between + ascii_json(result)

    def finish(self) -> str:
        """The array closed, and the numbers."""
        return f'\n],"summary":{ascii_json(self._tally.counts())}}}\n'


def ascii_json(value: Any) -> str:
    """`value` as JSON in ASCII; lone surrogates, which strict parsers refuse (RFC 7493 §2.1), are spelled."""
    with contextlib.suppress(UnicodeEncodeError):
        octets = msgspec.json.encode(value)
        if octets.isascii():  # as most are
            return octets.decode().replace("\x7f", _DELETE)
    value = msgspec.to_builtins(value)
    text = json.dumps(value, separators=(",", ":")).replace("\x7f", _DELETE)
    # Surrogates are rare, and most of them are halves of a pair: look closer only where there are some.
    return json.dumps(_encodable(value), separators=(",", ":")) if "\\ud" in text else text


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {name: _encodable(inner) for name, inner in value.items()}
    return [_encodable(inner) for inner in value] if isinstance(value, list | tuple) else value


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document."""
    (result,), definitions = msgspec.json.schema_components([Result], ref_template="#/$defs/{name}")
    number = {"type": "integer", "minimum": 0}
    numbers = dict.fromkeys(Tally().counts(), number)
    properties = {
        "title": {"type": "string"},
        "results": {"type": "array", "items": result},
        "summary": {"type": "object", "properties": numbers, "required": list(numbers)},
    }
    document = {"type": "object", "properties": properties, "required": list(properties)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "$defs": definitions}
