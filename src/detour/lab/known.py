"""What the last whole run found, as Detour carries it: `matrix.json`, written by docs/make_clients.py."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import msgspec

from detour.lab.matrix import Matrix
from detour.lab.verdict import VERDICTS

FILE = "matrix.json"
PAGE = "docs/clients.md"

# What a status is asked about: words, and the key of the question.
_METHODS = (("a POST from memory", "POST {}"), ("a PUT from memory", "PUT {}"))
_CONTENTS = (
    ("a form with a file", "content multipart"),
    ("an open file", "content file"),
    ("a stream", "content stream"),
    ("answered early, closed", "early close"),
)
_SECRETS = (
    ("Authorization", "secrets auth"),
    ("Cookie", "secrets cookie"),
    ("Proxy-Authorization", "secrets proxy"),
    ("X-Api-Key", "secrets key"),
)


@cache
def known() -> Matrix:
    """The run."""
    return msgspec.json.decode((files("detour.lab") / FILE).read_bytes(), type=Matrix)


def quoted(found: Matrix, status: int) -> Iterator[tuple[str, str]]:
    """What clients make of a status, and of credentials on the way: pairs of label and text."""
    yield "seen", f"by `detour lab` on {found.day}, {len(found.rows)} clients; all of it: {PAGE}"
    contents = _CONTENTS if status in (307, 308) else ()
    for label, key in (*_METHODS, *contents):
        if told := _verdicts(found, key.format(status)):
            yield "", f"{label}: {told}"
    for label, key in _SECRETS:
        if told := _crossings(found, key):
            yield "", f"{label}, to another origin: {told}"


def _verdicts(found: Matrix, key: str) -> str:
    """The verdict of the most is counted, whose is another are named."""
    by_verdict = found.by_verdict(key)
    most = max(by_verdict, key=lambda verdict: len(by_verdict[verdict]), default="")
    told = [f"{len(by_verdict[most])} {most}"] if most else []
    told += [f"{verdict}: {', '.join(names)}" for verdict, names in by_verdict.items() if verdict != most]
    return "; ".join(told)


def _crossings(found: Matrix, key: str) -> str:
    """Who takes it along; nothing of those that do not."""
    by_verdict = found.by_verdict(key)
    asked = sum(map(len, by_verdict.values()))
    taken = {
        verdict: names
        for verdict, names in by_verdict.items()
        if verdict == "forwarded" or VERDICTS[verdict].bold
    }
    told = [
        f"{verdict} by {', '.join(names) if len(names) <= asked / 2 else f'{len(names)} of {asked}'}"
        for verdict, names in taken.items()
    ]
    return "; ".join(told) or (f"by none of {asked}" if asked else "")
