"""A redirect that is sent before the content has been read, or instead of 100 Continue."""

from __future__ import annotations

from detour.lab.case import NEXT, Answer, Asked, Case, Content, Expected, Manner
from detour.lab.cases.allowed import one, source
from detour.lab.contents import CONTENTS, KIB, MIB, OCTETS

SIZES: dict[str, tuple[str, Content]] = {
    "64-kib": ("64 KiB", Content("large", OCTETS, 64 * KIB)),
    "4-mib": ("4 MiB", Content("large", OCTETS, 4 * MIB)),
    "4-mib-stream": ("a stream of 4 MiB", Content("stream", OCTETS, 4 * MIB)),
    "expect": ("100 kB with Expect", CONTENTS["expect"]),
}
ENDINGS: dict[str, tuple[Manner, str]] = {
    "close": ("early-close", "before the content, and closes"),
    "linger": ("early-linger", "before the content, and closes when it has come"),
    "keep": ("early-drain", "before the content, and keeps the connection"),
}
SOURCE = "RFC 9112 §9.3, §9.6; RFC 9110 §10.1.1 for Expect"
SLICE = {"early/307/POST/4-mib/close", "early/307/POST/4-mib/linger", "early/307/POST/expect/linger"}


def _case(status: int, method: str, size: str, ending: str, manner: Manner, words: str) -> Case:
    size_words, content = SIZES[size]
    id = f"early/{status}/{method}/{size}/{ending}"
    return Case(
        id=id,
        title=f"{status} answers {method} of {size_words} {words}",
        group="early",
        clause=f"{SOURCE}; {source(status, method)}",
        asked=Asked(method, content),
        script=(Answer(status, (NEXT,), manner=manner),),
        expected=Expected(one(f"{{a}}{NEXT}", status, method)),
        slice=id in SLICE,
    )


def _every_size() -> list[Case]:
    return [
        _case(307, "POST", size, ending, manner, words)
        for size in SIZES
        for ending, (manner, words) in ENDINGS.items()
    ]


def _other_statuses() -> list[Case]:
    """What need not be sent again may be broken off; a PUT may be sent again after a lost connection."""
    return [
        _case(status, method, "4-mib", ending, manner, words)
        for status, method in ((303, "POST"), (308, "PUT"))
        for ending, (manner, words) in ENDINGS.items()
        if ending != "keep"
    ]


CASES = (
    *_every_size(),
    *_other_statuses(),
    _case(307, "POST", "4-mib", "drain", "drain", "after the content"),
    _case(307, "POST", "expect", "silence", "silent", "after the content, and never says 100 Continue"),
)
