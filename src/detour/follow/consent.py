"""Nothing unsafe unasked: which requests may leave the machine (design, section 5; contract, *Consent*)."""

from __future__ import annotations

from typing import Self

import msgspec

from detour.core.chain import End, Outgoing


class Consent(msgspec.Struct, frozen=True):
    """What was asked for: unsafe requests to some origins, or (`send`) wherever a chain leads."""

    origins: frozenset[str] = frozenset()  # as `URL.origin` spells them
    send: bool = False

    @classmethod
    def typed(cls, request: Outgoing, *, send: bool = False) -> Self:
        """Somebody wrote this method: it may go to this origin, and no further unless `send`."""
        return cls(frozenset({request.url.origin}), send)

    def allows(self, request: Outgoing) -> bool:
        """Whether this request may be sent: it is safe, or it was asked for."""
        return request.safe or self.send or request.url.origin in self.origins

    def refusal(self, request: Outgoing) -> End | None:
        """The end `needs-consent` for a request that must not be sent; None for one that may."""
        if self.allows(request):
            return None
        return End("needs-consent", f"{request.method} {request.url} was not sent; --send sends it")


NOTHING_UNSAFE = Consent()
EVERYTHING = Consent(send=True)
