"""The faults that are known of the short run: `python -m tests.lab.slice RESULT…` writes them down.

RESULT is what `detour lab --json` writes; a fault counts that any of them has, in any run of a cell.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from detour.lab.baseline import Fault, held
from detour.lab.cases import SLICE

KNOWN = Path(__file__).with_name("slice_faults.json")
_IDS = {case.id for case in SLICE}


def document(faults: Iterable[Fault]) -> bytes:
    """`faults` as `detour lab --baseline` reads them, a line a client."""
    by_client: dict[str, list[dict[str, str]]] = defaultdict(list)
    for client, case, verdict in sorted(faults):
        axis = ("none sent", verdict)[verdict == "leaked"]
        by_client[client].append(
            {"case": case, "request": "kept" if verdict == "leaked" else verdict, "credentials": axis}
        )
    lines = (
        msgspec.json.encode({"name": name, "cells": cells}).decode() for name, cells in by_client.items()
    )
    return ('{"clients": [\n' + ",\n".join(lines) + "\n]}\n").encode()


if __name__ == "__main__":
    found = {fault for name in sys.argv[1:] for fault in held(Path(name).read_bytes(), name)}
    KNOWN.write_bytes(document(fault for fault in found if fault[1] in _IDS))
