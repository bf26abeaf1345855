"""The address guard: what the next hop of a chain may connect to.

An answer from outside must not lead inside (server-side request forgery). The guard judges the address a
name resolved to, not the text of the URL: disguises (decimal, octal, hexadecimal hosts) are normalized by
the WHATWG parser, and a name may resolve to anything. It is asked before a socket is opened and again
before the request is sent, because a reused connection opens no socket.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from detour.core.address import Publicness, block_of, is_metadata_name, publicness

# hops: the first URL may go anywhere; a later hop not to a less public address than the one before it, nor
# to metadata. strict: every URL goes to public addresses only. off: anywhere.
Mode = Literal["hops", "strict", "off"]


@lru_cache(maxsize=4096)  # asked for every request, and most go where the one before them went
def refusal_of_name(mode: Mode, before: str, hostname: str) -> str:
    """Why a hop after the address `before` ("": the first) may not go to `hostname` at all; "" if it may."""
    if _idle(mode, before) or not is_metadata_name(hostname):
        return ""
    return f"{hostname} is the name of a cloud metadata service"


@lru_cache(maxsize=4096)  # likewise
def refusal(mode: Mode, before: str, address: str) -> str:
    """Why a hop after the address `before` ("": the first) may not connect to `address`; "" if it may."""
    if _idle(mode, before):
        return ""
    try:
        block = block_of(address)
    except ValueError:
        return f"{address!r} is not an IP address"
    if block.publicness is Publicness.METADATA:
        return f"{address} is a cloud metadata service ({block.source})"
    least = Publicness.PUBLIC if mode == "strict" else publicness(before)
    if block.publicness >= least:
        return ""
    origin = "the strict guard allows" if mode == "strict" else f"{before}, which led there"
    return f"{address} is less public ({block.name}, {block.source}) than {origin}"


def _idle(mode: Mode, before: str) -> bool:
    return mode == "off" or (mode == "hops" and not before)
