"""stub"""
from __future__ import annotations
import msgspec
from detour.core.message import Request

class Group(msgspec.Struct, frozen=True):
    """A group that a pattern captures: `name` ("id", or "0", "1", … for unnamed ones as written) and its component."""
    name: str
    component: str

class Pattern(msgspec.Struct, frozen=True):
    text: str
    ignore_case: bool
    groups: tuple[Group, ...]

    @classmethod
    def parse(cls, text: str, *, ignore_case: bool = False) -> Pattern: ...
    def match(self, request: Request) -> dict[str, str] | None: ...
