"""A redirect with content of its own: to be passed over, however much it is."""

from __future__ import annotations

from detour.lab.case import NEXT, Answer, AnswerKind, Asked, Case, ContentKind, Expected
from detour.lab.cases.allowed import one
from detour.lab.contents import CONTENTS

KINDS: dict[AnswerKind, str] = {
    "text": "a page with a link",
    "large": "two megabytes of content",
    "gzip-bomb": "65 kB that would be 64 MB decoded",
}
PAGE = '<!doctype html><title>Moved</title><a href="9/link">here</a>\n'


def _case(kind: AnswerKind, status: int, method: str, content: ContentKind) -> Case:
    page = kind == "text"
    return Case(
        id=f"answer/{status}/{method}/{kind}",
        title=f"{status} answers {method} with {KINDS[kind]}",
        group="answer",
        clause="RFC 9110 §15.4: a note with a hyperlink; urllib3 GHSA-38jv-5279-wg99: not to be decoded",
        asked=Asked(method, CONTENTS[content]),
        script=(
            Answer(
                *(status, (NEXT,), (("Content-Type", "text/html"),) if page else ()),
                content=PAGE if page else "",
                content_kind=kind,
            ),
        ),
        expected=Expected(one(f"{{a}}{NEXT}", status, method)),
        slice=kind == "large" and method == "POST",
    )


CASES = tuple(
    case for kind in KINDS for case in (_case(kind, 307, "POST", "json"), _case(kind, 302, "GET", "none"))
)
