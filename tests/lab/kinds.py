"""What the tests of every language ask of each client: a GET in three ways, a POST with each content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from detour.lab.client import Client
from detour.lab.result import Cell, ClientResult, Results
from detour.lab.run import Manner
from tests.lab.asking import asked, cases, present, verdicts

# Plain; over TLS with the lab's authority; twice by the same client.
GOT = ("same/307/GET/none", "credentials/307/GET/x-api-key/http-to-https", "cache/307/GET/nothing")
ALL_KEPT = ("kept",) * len(GOT)

KINDS = ("form", "json", "multipart", "large", "file", "stream", "chunked", "expect")
POSTED = tuple(f"same/307/POST/{kind}" for kind in KINDS)


def got_and_posted(clients: Sequence[Client], *more: str) -> Results:
    """What these clients, a few at a time, make of GOT, POSTED and `more` cases, each asked once."""
    return asked(clients, cases(*GOT, *POSTED, *more, timeout=3.0), Manner(twice=1))


def one_of(results: Results, name: str) -> ClientResult:
    """What that client did; skips the test where it is absent."""
    only = tuple(one for one in results.clients if one.name == name)
    return present(msgspec.structs.replace(results, clients=only))


def requests(found: ClientResult, ids: Iterable[str]) -> tuple[str, ...]:
    """The verdicts on the requests of these cases; "-": the client has no means for it."""
    told = verdicts(found)
    return tuple(told[one] for one in ids)


def cell(found: ClientResult, case: str) -> Cell:
    """What the client made of one of them."""
    return next(one for one in found.cells if one.case == case)
