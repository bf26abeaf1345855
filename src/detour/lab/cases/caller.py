"""Callers that are not a plain request: WebSocket, gRPC, and the preflight of a page."""

from __future__ import annotations

from detour.lab.case import NEXT, Answer, Asked, Caller, Case, Content, Expected, Fields, Stop
from detour.lab.cases.allowed import one
from detour.lab.contents import CONTENTS

_BROWSER: frozenset[Caller] = frozenset({"browser"})
_LIBRARY: frozenset[Caller] = frozenset({"library"})
_TO = f"{{a}}{NEXT}"

UPGRADE: Fields = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "ZGV0b3VyLWxhYi1rZXktNw=="),
)


def _websocket(name: str, expected: Expected, source: str, runs_in: frozenset[Caller]) -> Case:
    return Case(
        id=f"caller/307/GET/websocket{name}",
        title="307 answers the opening of a WebSocket",
        group="caller",
        clause=source,
        asked=Asked("GET", CONTENTS["none"], api="websocket"),
        script=(Answer(307, (NEXT,)),),
        expected=expected,
        runs_in=runs_in,
    )


def _preflight(status: int) -> Case:
    return Case(
        id=f"caller/{status}/PUT/preflight",
        title=f"{status} answers the preflight of a PUT to another origin",
        group="caller",
        clause="Fetch §4.8: a preflight that is not answered with an ok status is a network error",
        asked=Asked("PUT", CONTENTS["json"], "b"),
        script=(Answer(status, (f"{{b}}{NEXT}",)),),
        expected=Expected(()),
        preflight=Answer(status, (f"{{b}}{NEXT}",)),
        runs_in=_BROWSER,
    )


CASES = (
    _websocket(
        *("", Expected(((Stop(_TO),),)), "RFC 6455 §4.1: clients are not required to follow a redirect"),
        _LIBRARY,
    ),
    _websocket(
        *("/browser", Expected(((),)), "WHATWG WebSockets: the handshake has redirect mode `error`"), _BROWSER
    ),
    Case(
        id="caller/307/GET/upgrade",
        title="307 answers a GET that asks for an upgrade",
        group="caller",
        clause="RFC 9110 §7.8, §15.4.8",
        asked=Asked("GET", CONTENTS["none"], fields=UPGRADE),
        script=(Answer(307, (NEXT,)),),
        expected=Expected(one(_TO, 307, "GET")),
        runs_in=_LIBRARY,
    ),
    Case(
        id="caller/307/POST/grpc",
        title="307 answers a POST with a gRPC content type",
        group="caller",
        clause="RFC 9110 §15.4.8; gRPC itself has no redirects (fullstorydev/grpcurl#201)",
        asked=Asked("POST", Content("large", "application/grpc", 64), fields=(("TE", "trailers"),)),
        script=(Answer(307, (NEXT,)),),
        expected=Expected(one(_TO, 307, "POST")),
        slice=True,
    ),
    _preflight(307),
    _preflight(301),
)
