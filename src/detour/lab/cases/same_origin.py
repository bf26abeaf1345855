"""Status × method × content in full, within one origin: what becomes of the octets."""

from __future__ import annotations

from detour.lab.case import NEXT, Answer, Asked, Case, ContentKind, Expected
from detour.lab.cases.allowed import METHODS, STATUSES, content_words, one, source
from detour.lab.contents import CONTENTS

# GET and HEAD with content have no semantics of their own (RFC 9110 §9.3.1, §9.3.2); what is in use is asked.
CONTENT_OF: dict[str, tuple[ContentKind, ...]] = {
    "GET": ("none", "empty", "json", "chunked"),
    "HEAD": ("none", "empty"),
}

# What the short run asks of the grid: each status, method and content kind at least once.
SLICE = {
    *("same/301/POST/json", "same/302/POST/form", "same/303/POST/json", "same/307/POST/json"),
    *("same/308/POST/json", "same/301/PUT/json", "same/303/PUT/stream", "same/308/PATCH/file"),
    *("same/307/POST/stream", "same/307/POST/file", "same/307/POST/multipart", "same/307/POST/chunked"),
    *("same/307/POST/expect", "same/307/PUT/empty", "same/307/GET/none", "same/303/HEAD/none"),
    *("same/307/DELETE/none", "same/301/OPTIONS/none", "same/302/QUERY/json", "same/307/POST/large"),
}


def kinds_of(method: str) -> tuple[ContentKind, ...]:
    """The content kinds that make sense with `method`."""
    return CONTENT_OF.get(method, tuple(CONTENTS))


def _case(status: int, method: str, kind: ContentKind) -> Case:
    id = f"same/{status}/{method}/{kind}"
    return Case(
        id=id,
        title=f"{status} answers {method} {content_words(CONTENTS[kind])}, to the same origin",
        group="same",
        clause=source(status, method),
        asked=Asked(method, CONTENTS[kind]),
        script=(Answer(status, (NEXT,)),),
        expected=Expected(one("{a}{next}", status, method)),
        slice=id in SLICE,
    )


CASES = tuple(
    _case(status, method, kind) for status in STATUSES for method in METHODS for kind in kinds_of(method)
)
