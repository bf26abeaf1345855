"""websocket-redirect: a WebSocket handshake is redirected."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.rule import FieldCondition

# Where handshakes arrive, by the names that servers give it: socket.io, SockJS, Action Cable and plain ones.
_PATH = re.compile(r"/(?:ws|wss|websockets?|socket\.io|sockjs|cable)(?:/|$)")


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if rule.template is None or not place.urls or not rule.terms.allows("GET"):
        return
    asked = any(_asks(one) for one in rule.terms.when if isinstance(one, FieldCondition))
    if not asked and not any(_PATH.search(key.text) for key in place.keys):
        return
    message = f"a WebSocket handshake with {place.urls[0]} is answered with {rule.status}, which fails it"
    if asked:
        yield at(CHECK, place, message)
    else:
        yield at(CHECK, place, message, severity="note", confidence="suggests")


def _asks(condition: FieldCondition) -> bool:
    """Whether a condition holds for handshakes alone."""
    values = condition.values or ()
    return condition.of == "header" and (
        (condition.name == "upgrade" and any(value.lower() == "websocket" for value in values))
        or condition.name == "sec-websocket-key"
    )


CHECK = Check(
    name="websocket-redirect",
    severity="warning",
    finds="A WebSocket handshake is redirected; a note where only the path says that it is one.",
    why=(
        "A client may follow a redirect of the handshake and need not: browsers fail the connection, "
        "libraries raise an error, and some follow 301, 302 and 303 but not 307."
    ),
    instead=(
        "Let handshakes (`Upgrade: websocket`) pass ahead of the redirect, and give clients the final URL."
    ),
    references=("RFC 6455 §4.1", "WHATWG WebSockets §2.1", "websockets/ws#812", "websocket-client#952"),
    over_rule=over_rule,
)
