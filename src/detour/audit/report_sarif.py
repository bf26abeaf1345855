"""Results for code scanning: SARIF 2.1.0 (OASIS), one run, findings at lines of files where known.

`results` comes before `tool` because members of an object have no order, and which rules there are is known
only at the end. What passed without findings is not in it. A case that failed by itself, whatever was found
besides, is a result of the rule `failed`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from detour.audit.checks import CHECKS
from detour.audit.finding import Check, Edit, Finding
from detour.audit.printable import lines
from detour.audit.report_json import ascii_json
from detour.audit.result import Result
from detour.errors import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "note": "note"}  # SARIF §3.27.10
_CHECKS = {check.name: check for check in CHECKS}


class SARIFReport:
    """One document; each finding on a line of its own."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rules: dict[str, None] = {}  # names in the order first seen: as many as there are checks
        self._between = "\n"

    def start(self) -> str:
        """The run, and its results opened."""
        identity = ascii_json({"id": self._title or "detour"})
        return (
            f'{{"$schema":"{SCHEMA}","version":"2.1.0","runs":[{{"automationDetails":{identity},"results":['
        )

    def add(self, result: Result) -> str:
        """Each finding of the result; "" where there is none to tell."""
        own = result.outcome == "failed" and (result.detail or not result.findings)
        failure = self._one("failed", _of_failure(result)) if own else ""
        found = (self._one(finding.check, _of_finding(result, finding)) for finding in result.findings)
        return failure + "".join(found)

    def finish(self) -> str:
        """The results closed, and the rules they were found by."""
        driver = {"name": "detour", "rules": [_rule(name) for name in self._rules]}
        return f'\n],"tool":{ascii_json({"driver": driver})},"columnKind":"unicodeCodePoints"}}]}}\n'

    def _one(self, rule: str, value: dict[str, Any]) -> str:
        self._rules[rule] = None
        between, self._between = self._between, ",\n"
        return between + ascii_json({"ruleId": rule, **value})


def _of_finding(result: Result, finding: Finding) -> dict[str, Any]:
    text = f"{finding.message}\n{finding.remedy}" if finding.remedy else finding.message
    told = {
        "case": result.name,
        "url": finding.url,
        "witness": finding.witness,
        "confidence": finding.confidence,
        "perMethod": [f"{seen.request}: {seen.becomes}" for seen in finding.per_method],
    }
    fixes = {"fixes": [_fix(finding)]} if finding.edits else {}
    return {
        "level": _LEVELS[finding.severity],
        "message": {"text": lines(text)},
        "locations": [_location(finding.span or result.span, finding.url or result.name)],
        "properties": {name: value for name, value in told.items() if value},
        **fixes,
    }


def _fix(finding: Finding) -> dict[str, Any]:
    """SARIF §3.55: what to write instead, line by line."""
    by_file: dict[str, list[Edit]] = {}
    for edit in finding.edits:
        by_file.setdefault(edit.span.file, []).append(edit)
    changes = [
        {"artifactLocation": {"uri": _file_uri(file)}, "replacements": list(map(_replacement, edits))}
        for file, edits in by_file.items()
    ]
    return {"description": {"text": lines(finding.remedy) or finding.check}, "artifactChanges": changes}


def _replacement(edit: Edit) -> dict[str, Any]:
    """SARIF §3.57: whole lines, from the beginning of one to the beginning of another."""
    line = max(edit.span.line, 1)
    region = {"startLine": line, "startColumn": 1, "endLine": line + max(edit.count, 0), "endColumn": 1}
    text = "".join(f"{one}\n" for one in edit.lines)
    return {"deletedRegion": region, "insertedContent": {"text": text}}


def _of_failure(result: Result) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {
            "text": lines("\n".join(filter(None, (result.detail, result.way))) or f"{result.name} failed")
        },
        "locations": [_location(result.span, result.name)],
    }


def _location(span: Span | None, name: str) -> dict[str, Any]:
    logical: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]}
    if span is None or not span.file:
        return logical
    place: dict[str, Any] = {"artifactLocation": {"uri": _file_uri(span.file)}}
    if span.line:
        column = {"startColumn": span.column} if span.column else {}
        place["region"] = {"startLine": span.line, **column}
    return {"physicalLocation": place, **logical}


def _file_uri(file: str) -> str:
    """A file's name as a relative reference (RFC 3986 §4.2): a colon in its first segment is no scheme."""
    written = quote(_octets(file), safe="/")
    return f"file://{written}" if written.startswith("/") else written


def _octets(file: str) -> bytes:
    """The octets of a file's name: surrogates are octets that are no UTF-8 (POSIX), or halves (Windows)."""
    try:
        return file.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return file.encode("utf-8", "surrogatepass")


def _rule(name: str) -> dict[str, Any]:
    check = _CHECKS.get(name)
    if check is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": check.finds},
        "fullDescription": {"text": check.why},
        "help": {"text": _help(check)},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }


def _help(check: Check) -> str:
    return "\n".join((check.instead, *check.references))
