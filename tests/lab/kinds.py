"""What the tests of every language ask of each client: a GET in three ways, a POST with each content."""

from __future__ import annotations

from detour.lab.client import Client
from detour.lab.run import Manner
from tests.lab.asking import asked, cases, present, verdicts

# Plain; over TLS with the lab's authority; twice by the same client.
GOT = ("same/307/GET/none", "credentials/307/GET/x-api-key/http-to-https", "cache/307/GET/nothing")
ALL_KEPT = ("kept",) * len(GOT)

KINDS = ("form", "json", "multipart", "large", "file", "stream", "chunked", "expect")
POSTED = tuple(f"same/307/POST/{kind}" for kind in KINDS)


def got_and_posted(client: Client, *more: str) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]:
    """The verdicts on GOT, POSTED and `more` cases; "-": the client has no means for it."""
    found = verdicts(present(asked([client], cases(*GOT, *POSTED, *more), Manner(twice=1))))
    return tuple(map(found.get, GOT)), tuple(map(found.get, POSTED)), {one: found[one] for one in more}
