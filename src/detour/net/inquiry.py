"""Evidence is fetched beside the loop, by two threads: it blocks, and a hostile origin is slow on purpose."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from detour.core.chain import End, Response
from detour.net.ends import Failed
from detour.net.evidence import fetch
from detour.net.exchange import Sending
from detour.net.settings import TransportSettings

_AT_ONCE = 2
_MOST = 32  # that wait; further ends go without, so that hostile origins cannot hold up a long list
_SHOWN = 80  # octets of the evidence that an end tells

Inquiry = tuple[Any, Failed, "Future[Response | None]"]


class Inquiries:
    """The requests whose answers were malformed and are being looked at once more."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._threads: ThreadPoolExecutor | None = None
        self._open: list[Inquiry] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def takes(self, sending: Sending, outcome: Response | End, tag: Any) -> bool:
        """Whether evidence of this outcome is fetched, which begins now; only a safe request is repeated."""
        if not isinstance(outcome, Failed) or outcome.name != "malformed-response":
            return False
        if not self._settings.evidence or not sending.request.safe or sending.content is not None:
            return False
        if len(self._open) >= _MOST:
            return False
        self._threads = self._threads or ThreadPoolExecutor(_AT_ONCE)
        self._open.append((tag, outcome, self._threads.submit(fetch, self._settings, sending)))
        return True

    def finished(self) -> list[tuple[Any, Response | End]]:
        """The tags and the ends, with their evidence, that are complete since the last call."""
        done = [one for one in self._open if one[2].done()]
        if done:
            self._open = [one for one in self._open if one not in done]
        return [(tag, _with_evidence(end, future.result())) for tag, end, future in done]

    def close(self) -> None:
        """Begin no more."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _with_evidence(end: Failed, evidence: Response | None) -> Failed:
    if not evidence:
        return end
    shown = evidence.raw_head[:_SHOWN].decode("latin-1")
    more = "…" if len(evidence.raw_head) > _SHOWN else ""
    return msgspec.structs.replace(end, detail=f"{end.detail}: {shown!r}{more}", evidence=evidence)
