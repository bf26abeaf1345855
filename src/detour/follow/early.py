"""What a server made of `Expect: 100-continue`: whether the content was wanted, and when it was refused.

The point of Expect is that a redirect can come before the content is sent (RFC 9110 §10.1.1). Asking is not
safe: a server may carry the request out. So this looks at a hop that was sent on purpose.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from detour.core.chain import Response
from detour.core.status import REDIRECT_STATUSES

EXPECT = ("Expect", "100-continue")

Wanted = Literal["refused-early", "continued", "silent"]


class EarlyAnswer(msgspec.Struct, frozen=True):
    """What a server did, how much content had left by then, and what that means."""

    outcome: Wanted
    sent: int  # octets
    means: str


def early_answer(response: Response) -> EarlyAnswer:
    """What became of an `Expect: 100-continue` that came with the request."""
    redirect = response.status in REDIRECT_STATUSES
    if 100 in response.interim:
        vain = "was sent in vain" if response.sent else "is asked for in vain"
        means = (
            f"100 Continue and then {response.status}: the content {vain}"
            if redirect
            else "100 Continue: the server wanted the content and got it"
        )
        return EarlyAnswer("continued", response.sent, means)
    if not response.sent:
        return EarlyAnswer("refused-early", 0, _refused(response, redirect))
    return EarlyAnswer(
        "silent",
        response.sent,
        f"no 100 Continue: the client waited a second, sent its content, and got {response.status}",
    )


def _refused(response: Response, redirect: bool) -> str:
    if response.status == 417:
        return "417: the server does not know Expect; leave the field out (RFC 9110 §15.5.18)"
    closes = "close" in ",".join(response.values("connection")).lower()
    rest = (
        "and closes, so nothing can be mistaken for a request"
        if closes or response.http_version in ("2", "3")
        else "and keeps the connection: content sent all the same must not be read as the next request"
    )
    what = "redirected" if redirect else "answered"
    return f"{what} with {response.status} before any content was sent, as Expect is meant to work, {rest}"
