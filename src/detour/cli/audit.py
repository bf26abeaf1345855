"""`detour audit`: what is wrong with rules and configurations, each by itself or as layers of one system."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from detour.audit.allowed import filtered
from detour.audit.checks import check_layers
from detour.audit.finding import Finding, at_least
from detour.audit.report import REPORTS, Report, Result
from detour.audit.report_text import TextReport
from detour.audit.survey import Layers
from detour.cli import arguments, following
from detour.errors import RuleError
from detour.formats.dialects import detected
from detour.load import load_layer

_TITLE = "detour audit"
_Key = tuple[str, str, str, str]  # the check, the file, the request that shows it, the fact without lines
_NUMBER = re.compile(r"(?<=:)\d+\b|(?<=\bline )\d+")  # of a line, as in `_redirects:7`
_LAYER = re.compile(r"([A-Za-z][\w.-]*)=(.+)")

EXAMPLES = """\b
Examples:
  detour audit _redirects
  detour audit edge=cloudflare.csv lb=haproxy.cfg app=nginx.conf
  detour audit sites/ --format sarif -o audit.sarif
"""

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...|LAYER=PATH...",
        help="Files and folders, each by itself; with names, layers in the order requests pass them.",
        show_default=False,
    ),
]
Dialect = Annotated[str, typer.Option(metavar="D", help="Of every file. [default: by its content]")]
Baseline = Annotated[
    str, typer.Option(metavar="FILE", help="An earlier JSON report: what it holds is known.")
]
Format = Annotated[str, typer.Option(metavar="NAME", help=", ".join(REPORTS) + ".")]
JSON = Annotated[bool, typer.Option("--json", help="As --format json.")]
Place = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write.")]
At = Annotated[str | None, typer.Option(metavar="TIME", help="The time to judge at. [default: now]")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="List what was not understood, and notes.")]


def audit(
    paths: Paths,
    dialect: Dialect = "",
    baseline: Baseline = "",
    fail_on: following.FailOn = "warning",
    format: Format = "text",
    json: JSON = False,
    output: Place = "-",
    at: At = None,
    verbose: Verbose = False,
) -> int:
    """Find what is wrong with redirect rules, in any dialect. Nothing is sent.

    Exit 1: a finding at --fail-on that neither a comment allows nor the baseline holds.
    """
    name = following.report_format("json" if json else format)
    least = following.fail_on(fail_on)
    known = _known(baseline) if baseline else Counter()
    now = arguments.instant(at)
    results, failed = [], False
    all_shown = verbose or least == "note" or name != "text"
    for layers in _systems(paths, dialect):
        unknown = _unknown(filtered(layers, check_layers(layers, now)), known)
        found = [one for one in unknown if all_shown or one.severity != "note"]  # they can be millions
        for result in _results(layers, found, least):
            failed = failed or result.outcome == "failed"
            results.append(result)
    text = _text(name, output, results)
    _write(output, text)
    return 1 if failed else 0


def _systems(paths: list[str], dialect: str) -> Iterator[Layers]:
    """Each path by itself, or all as layers of one system where they are named."""
    named = [_LAYER.fullmatch(path) for path in paths]
    layers = [(one[1], one[2]) for one in named if one and not os.path.exists(one[0])]
    if layers and len(layers) != len(paths):
        raise typer.BadParameter("name all layers, as in LAYER=PATH, or none")
    if layers:
        yield tuple(load_layer(path, name, dialect) for name, path in layers)
        return
    for path in paths:
        for file in _files(path, dialect):
            yield (load_layer(file, dialect=dialect),)


def _files(path: str, dialect: str) -> Iterator[str]:
    """The file, or every file of a folder whose dialect is known."""
    if not os.path.isdir(path):
        yield path
        return
    found = False
    for file in sorted(one for one in Path(path).rglob("*") if one.is_file()):
        if dialect or _is_known(file):
            found = True
            yield str(file)
    if not found:
        raise RuleError.of_file(path, "no file whose dialect is known", "name one with --dialect")


def _is_known(file: Path) -> bool:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError):
        return detected(str(file), "") is not None  # to be refused with its reason
    native = file.suffix == ".toml" and re.search(r"^[^\S\n]*\[\[rule\]\]", text, re.MULTILINE) is not None
    return native or detected(str(file), text) is not None


def _unknown(findings: Iterable[Finding], known: Counter[_Key]) -> Iterator[Finding]:
    """The findings that `known` does not hold; each that it holds stands for one."""
    for finding in findings:
        file = finding.span.file if finding.span else ""
        key = _key(finding.check, file, finding.witness, finding.message)
        if known[key] > 0:
            known[key] -= 1
        else:
            yield finding


def _key(check: str, file: str, witness: str, message: str) -> _Key:
    """What is the same finding in a later report, wherever its line and those it names are by then."""
    return check, file, witness, _NUMBER.sub("", message)


def _known(baseline: str) -> Counter[_Key]:
    """How often an earlier report holds what is the same finding."""
    try:
        document = msgspec.json.decode(Path(baseline).read_bytes())
        found = [finding for result in document["results"] for finding in result["findings"]]
        return Counter(_key(one["check"], _file(one), one["witness"], one["message"]) for one in found)
    except OSError as error:
        fact = f"cannot be read: {error.strerror}"
        raise RuleError.of_file(baseline, fact, "name a report of --format json") from None
    except (msgspec.DecodeError, KeyError, TypeError):
        raise RuleError.of_file(baseline, "no report", "name a report of --format json") from None


def _file(finding: dict[str, object]) -> str:
    span = finding.get("span")
    return str(span.get("file", "")) if isinstance(span, dict) else ""


def _results(layers: Layers, found: list[Finding], least: str | None) -> Iterator[Result]:
    """One result for each layer's file, with what was found in it."""
    order = {layer.name: place for place, layer in enumerate(layers)}
    owner = {file: layer.name for layer in layers for file in layer.texts}
    by_layer = sorted(found, key=lambda one: order.get(_owner(one, owner), 0))
    groups = {name: tuple(group) for name, group in groupby(by_layer, key=lambda one: _owner(one, owner))}
    for layer in layers:
        findings = groups.get(layer.name, ())
        failed = bool(least and at_least(least, findings))  # type: ignore[arg-type]
        count = len(layer.ruleset.rules)
        read = f"{layer.dialect}, {count} rule{'s' * (count != 1)}"
        if layer.not_understood:
            read += f", {len(layer.not_understood)} not understood (-v lists them)"
        yield Result(layer.name, "failed" if failed else "passed", findings, way=read)


def _owner(finding: Finding, owner: dict[str, str]) -> str:
    file = finding.span.file if finding.span else ""
    return owner.get(file, next(iter(owner.values()), ""))


def _text(name: str, output: str, results: list[Result]) -> str:
    report: Report
    if name == "text":
        report = TextReport("", output == "-" and arguments.coloured(sys.stdout), passed=True)
    else:
        report = REPORTS[name](_TITLE)
    return "".join((report.start(), *map(report.add, results), report.finish()))


def _write(output: str, text: str) -> None:
    if output == "-":
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        fact = f"cannot be written: {error.strerror}"
        raise RuleError.of_file(output, fact, "name a file in a folder with room") from None
