"""One line of an imported file, restated in native syntax: what every import dialect yields."""

from __future__ import annotations

from typing import Literal

import msgspec

from detour.core.rule import ParameterCapture

# Ends the remedy of a line that is right and yet cannot be expressed, where the import does not do so yet.
OR_PASS = ', or let the import pass such lines: on_fault = "pass"'


class Draft(msgspec.Struct, frozen=True):
    """A rule as a foreign line states it. `location` None: it answers without redirecting (a `pass` rule)."""

    line: int
    pattern: str  # native pattern syntax: path, //host/path or scheme://host/path
    location: str | None = None  # native template syntax
    status: int | None = None  # None: the line names none
    parameters: tuple[ParameterCapture, ...] = ()
    note: str = ""  # a warning worth printing, e.g. what the dialect would do in addition
    query: Literal["keep", "drop"] = "keep"  # whether the request's query is added to the Location
    ignore_case: bool = False  # whether the line itself says that path and query are matched without case


class LineFault(msgspec.Struct, frozen=True):
    """A line that cannot be expressed, or is no rule; `pattern` where the line's pattern is known."""

    line: int
    fact: str
    remedy: str
    pattern: str | None = None
    parameters: tuple[ParameterCapture, ...] = ()  # as in `Draft`: the pattern fits no other requests
    ignore_case: bool = False  # as in `Draft`
