"""stub: what a request gets. The one decision; the server, `detour match`, `detour test` all ask it."""
from __future__ import annotations
from math import inf
import msgspec
from detour.core.message import Request
from detour.core.rule import Rule

class Decision(msgspec.Struct, frozen=True):
    """What the server answers, and because of which rule.

    `fields` are the response fields of the decision (Location, Cache-Control, Vary, Allow, Retry-After,
    Access-Control-*, the rule's own headers), in the order they are sent; `serve.wire` adds Date, Content-* and the rest.
    """
    status: int
    rule: Rule | None = None
    location: str | None = None   # as sent
    fields: tuple[tuple[str, str], ...] = ()
    until: float = inf            # an equal request gets this same decision before this instant (seconds since the epoch)
    depends: frozenset[str] = frozenset()  # what it looked at beyond method and target URI: field names, "client"
