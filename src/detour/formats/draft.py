"""One line of a foreign file, restated in native syntax: what every dialect yields."""

from __future__ import annotations

from typing import Literal

import msgspec

from detour.core.rule import Condition, ParameterCapture

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
    file: str = ""  # the included file it stands in; "": the file that is read
    methods: frozenset[str] | None = None  # None: every method; HEAD is in it where GET is
    when: tuple[Condition, ...] = ()  # all must hold
    unless: tuple[Condition, ...] = ()  # none may hold
    cache: int | None = None  # seconds, where the line says how long the redirect may be cached
    headers: tuple[tuple[str, str], ...] = ()  # further response fields
    # Why the program redirects though nobody wrote a redirect, as in "a directory without its slash"; "": it
    # was written.
    implicit: str = ""


class LineFault(msgspec.Struct, frozen=True):
    """A line that cannot be expressed, or is no rule; `pattern` where the line's pattern is known.

    What a line matches whose own meaning is unknown must not fall to the rules behind it: with a pattern
    (and the same conditions), a `pass` rule can stand in for it.
    """

    line: int
    fact: str
    remedy: str
    pattern: str | None = None
    parameters: tuple[ParameterCapture, ...] = ()  # as in `Draft`: the pattern fits no other requests
    ignore_case: bool = False  # as in `Draft`
    file: str = ""  # as in `Draft`
    methods: frozenset[str] | None = None  # as in `Draft`
    when: tuple[Condition, ...] = ()  # as in `Draft`
    unless: tuple[Condition, ...] = ()  # as in `Draft`
