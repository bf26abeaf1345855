"""Configurations as layers, asked what they answer: for tests of dialects that programs are set up in."""

from __future__ import annotations

from collections.abc import Mapping

from detour.core.message import Request
from detour.core.url import URL
from detour.formats.dialects import Files, detected, named
from detour.formats.draft import Draft, LineFault
from detour.formats.layer import Layer, read_layer
from tests.formats.dialect_data import DATA

Answer = tuple[int, str] | None


def layer_of(dialect: str, text: str, included: Mapping[str, str] | None = None) -> Layer:
    """A configuration in the one model; nothing of it is refused."""
    known = named(dialect)
    assert known is not None, dialect
    return read_layer("conf", known, Files("conf", {**(included or {}), "conf": text}))


def decide(
    layer: Layer, method: str, url: str, fields: tuple[tuple[str, str], ...] = (), client: str = ""
) -> Answer:
    """Status and absolute Location; None where no redirect answers."""
    request = Request.of(method, url, fields, client)
    decision = layer.ruleset.decide(request, now=0.0)
    if decision.location is None:
        return None
    return decision.status, str(URL.parse(decision.location, url))


def read_lines(dialect: str, text: str) -> list[Draft | LineFault]:
    """What the reader yields."""
    known = named(dialect)
    assert known is not None, dialect
    return list(known.read(Files("conf", {"conf": text})))


def counted(dialect: str, *parts: str) -> dict[str, tuple[int, int]]:
    """Every file of a folder of $DETOUR_DATA: how many rules it holds, and what is not understood."""
    folder = DATA.joinpath(*parts)
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        layer = layer_of(dialect, file.read_text("utf-8", "replace"))
        found[file.name] = (sum(1 for _ in layer.rules), len(layer.not_understood))
    return found


def dialects_of(*parts: str) -> dict[str, str | None]:
    """Every file of a folder of $DETOUR_DATA: the dialect that it is taken for."""
    folder = DATA.joinpath(*parts)
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        known = detected(file.name, file.read_text("utf-8", "replace"))
        found[file.name] = None if known is None else known.name
    return found
